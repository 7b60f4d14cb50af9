//! Finds the Postgres programs of this machine: distributions keep `initdb` and `postgres` off the PATH, and several major
//! versions side by side.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::child_environment;

/// The oldest supported major version.
pub const OLDEST_MAJOR: u32 = 14;

/// Folders that hold one folder per major version: the parent, the text before the version, the path after it.
const PACKAGE_DIRS: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                   // the Postgres project's packages for Fedora and RHEL
    ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
];

#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    #[error(
        "no Postgres programs (initdb, postgres) were found: install them (`apt-get install postgresql`, \
         `dnf install postgresql-server` or `brew install postgresql`) or set INGEST_POSTGRES_BIN to their folder"
    )]
    NotFound,
    #[error("INGEST_POSTGRES_BIN names {}, which holds no working initdb and postgres", .0.display())]
    NotInConfiguredDir(PathBuf),
    #[error(
        "the Postgres programs in {} are of version {major}; {OLDEST_MAJOR} or newer is needed \
         (INGEST_POSTGRES_BIN names another folder)",
        .bin_dir.display()
    )]
    TooOld {
        /// The folder with the newest version found.
        bin_dir: PathBuf,
        major: u32,
    },
    /// Only the major version that created a cluster can run it.
    #[error(
        "the persistent cluster was created by Postgres {wanted}, but only {} is installed: install Postgres {wanted}, \
         or move the data with pg_upgrade or pg_dump",
        list(.found)
    )]
    MajorMismatch { wanted: u32, found: Vec<u32> },
}

/// A folder with `initdb` and `postgres` of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresBinaries {
    bin_dir: PathBuf,
    major: u32,
}

impl PostgresBinaries {
    /// Looks in the configured folder and nowhere else, or else in the folders of packages (newest first), the folder that
    /// `pg_config` prints, and the PATH. With `wanted`, accepts only that major version.
    ///
    /// Blocks for some milliseconds: it runs `postgres --version`.
    pub fn find(configured: Option<&Path>, wanted: Option<u32>) -> Result<Self, BinariesError> {
        if let Some(folder) = configured {
            let found = inspect(folder).ok_or_else(|| BinariesError::NotInConfiguredDir(folder.to_owned()))?;
            return choose([found].into_iter(), wanted);
        }
        let elsewhere = [pg_config_dir as fn() -> Option<PathBuf>, path_dir];
        choose(
            package_dirs()
                .into_iter()
                .chain(elsewhere.into_iter().filter_map(|look| look()))
                .filter_map(|folder| inspect(&folder)),
            wanted,
        )
    }

    pub fn initdb(&self) -> PathBuf {
        self.program("initdb")
    }

    pub fn postgres(&self) -> PathBuf {
        self.program("postgres")
    }

    /// Returns the path of another program of the same version, such as `pg_dump`, which some packages leave out.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin_dir.join(name)
    }

    pub fn major(&self) -> u32 {
        self.major
    }
}

/// Returns the first acceptable candidate. An error names the newest candidate that is not.
fn choose(
    candidates: impl Iterator<Item = PostgresBinaries>,
    wanted: Option<u32>,
) -> Result<PostgresBinaries, BinariesError> {
    let mut rejected: Vec<PostgresBinaries> = Vec::new();
    for candidate in candidates {
        if candidate.major >= OLDEST_MAJOR && wanted.is_none_or(|wanted| wanted == candidate.major) {
            return Ok(candidate);
        }
        rejected.push(candidate);
    }
    rejected.sort_by_key(|candidate| candidate.major);
    rejected.dedup_by_key(|candidate| candidate.major);
    let found = rejected.iter().map(|candidate| candidate.major).collect();
    match (rejected.pop(), wanted) {
        (None, _) => Err(BinariesError::NotFound),
        (Some(_), Some(wanted)) if wanted >= OLDEST_MAJOR => Err(BinariesError::MajorMismatch { wanted, found }),
        (Some(PostgresBinaries { bin_dir, major }), _) => Err(BinariesError::TooOld { bin_dir, major }),
    }
}

fn package_dirs() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, before, after) in PACKAGE_DIRS {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let major = name.to_str().and_then(|name| name.strip_prefix(before)?.parse().ok());
            found.extend(major.map(|major| (major, entry.path().join(after))));
        }
    }
    found.sort_by_key(|(major, _)| Reverse(*major));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn pg_config_dir() -> Option<PathBuf> {
    output_of(Command::new("pg_config").arg("--bindir")).map(PathBuf::from)
}

/// Asks a shell, because only `config` may read the PATH here. Follows a link (`/usr/local/bin/postgres` often is one), because
/// `initdb` is next to the real program.
fn path_dir() -> Option<PathBuf> {
    let program = PathBuf::from(output_of(Command::new("/bin/sh").args(["-c", "command -v postgres"]))?);
    Some(program.canonicalize().ok()?.parent()?.to_owned())
}

fn inspect(bin_dir: &Path) -> Option<PostgresBinaries> {
    if !bin_dir.join("initdb").is_file() {
        return None;
    }
    let version = output_of(Command::new(bin_dir.join("postgres")).arg("--version"))?;
    Some(PostgresBinaries {
        bin_dir: bin_dir.to_owned(),
        major: parse_major(&version)?,
    })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15; `… 17beta1` → 17.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    number
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn output_of(command: &mut Command) -> Option<String> {
    let command = child_environment::clear(command);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn list(majors: &[u32]) -> String {
    majors.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
