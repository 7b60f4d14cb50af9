//! Finds the Postgres programs of this machine: distributions keep `initdb` and `postgres` off the PATH, and several
//! major versions side by side, so "run `postgres`" is not enough.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest major version that is supported.
pub const OLDEST_MAJOR: u32 = 14;

/// Where packages put one folder per major version: the parent, and what stands before and after the number.
const VERSIONED: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                   // the Postgres project's packages for Fedora and RHEL
    ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
];

/// Why no programs could be used.
#[derive(Debug, thiserror::Error)]
pub enum ProgramsError {
    /// Nothing anywhere.
    #[error(
        "no Postgres programs (initdb, postgres) were found: install them (`apt-get install postgresql`, \
         `dnf install postgresql-server` or `brew install postgresql`) or set INGEST_POSTGRES_BIN to their folder"
    )]
    NotFound,
    /// The folder that the operator named does not hold them.
    #[error("INGEST_POSTGRES_BIN names {}, which holds no working initdb and postgres", .0.display())]
    NotInNamedFolder(PathBuf),
    /// Found, but older than [`OLDEST_MAJOR`].
    #[error(
        "the Postgres programs in {} are of version {major}; {OLDEST_MAJOR} or newer is needed \
         (INGEST_POSTGRES_BIN names another folder)",
        .bin_dir.display()
    )]
    TooOld {
        /// The folder with the newest ones.
        bin_dir: PathBuf,
        /// Their major version.
        major: u32,
    },
    /// A kept cluster can only be run by the major version that made it.
    #[error(
        "the kept cluster was made by Postgres {wanted}, but only {} is installed: install Postgres {wanted}, \
         or move the data with pg_upgrade or pg_dump",
        listed(.found)
    )]
    OtherMajor {
        /// The cluster's major version.
        wanted: u32,
        /// The installed ones, as found.
        found: Vec<u32>,
    },
}

/// A folder with `initdb` and `postgres` of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresBinaries {
    bin_dir: PathBuf,
    major: u32,
}

impl PostgresBinaries {
    /// Looks in the folder that the operator named and nowhere else, or else in the packages' folders (newest first),
    /// where `pg_config` points, and on the PATH. With `wanted`, only that major version will do.
    ///
    /// Blocks for some milliseconds: it runs `postgres --version`.
    pub fn find(named: Option<&Path>, wanted: Option<u32>) -> Result<Self, ProgramsError> {
        if let Some(folder) = named {
            let found = inspect(folder).ok_or_else(|| ProgramsError::NotInNamedFolder(folder.to_owned()))?;
            return choose([found].into_iter(), wanted);
        }
        let elsewhere = [pg_config_folder as fn() -> Option<PathBuf>, path_folder];
        choose(
            versioned_folders()
                .into_iter()
                .chain(elsewhere.into_iter().filter_map(|look| look()))
                .filter_map(|folder| inspect(&folder)),
            wanted,
        )
    }

    /// The program that makes a cluster.
    pub fn initdb(&self) -> PathBuf {
        self.bin_dir.join("initdb")
    }

    /// The server.
    pub fn postgres(&self) -> PathBuf {
        self.bin_dir.join("postgres")
    }

    /// Another program of the same version, such as `pg_dump`, which some packages leave out.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.bin_dir.join(name)
    }

    /// The major version, for example 15.
    pub fn major(&self) -> u32 {
        self.major
    }
}

/// The first candidate that will do; the reason for refusal speaks of the newest that will not.
fn choose(
    candidates: impl Iterator<Item = PostgresBinaries>,
    wanted: Option<u32>,
) -> Result<PostgresBinaries, ProgramsError> {
    let mut refused: Vec<PostgresBinaries> = Vec::new();
    for candidate in candidates {
        if candidate.major >= OLDEST_MAJOR && wanted.is_none_or(|wanted| wanted == candidate.major) {
            return Ok(candidate);
        }
        refused.push(candidate);
    }
    refused.sort_by_key(|programs| programs.major);
    refused.dedup_by_key(|programs| programs.major);
    match (refused.pop(), wanted) {
        (None, _) => Err(ProgramsError::NotFound),
        (Some(newest), Some(wanted)) if wanted >= OLDEST_MAJOR => {
            let found = refused
                .iter()
                .map(|programs| programs.major)
                .chain([newest.major])
                .collect();
            Err(ProgramsError::OtherMajor { wanted, found })
        }
        (Some(newest), _) => Err(ProgramsError::TooOld {
            bin_dir: newest.bin_dir,
            major: newest.major,
        }),
    }
}

fn versioned_folders() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (parent, before, after) in VERSIONED {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_prefix(before))
                .and_then(|text| text.parse().ok());
            if let Some(number) = number {
                found.push((number, entry.path().join(after)));
            }
        }
    }
    found.sort_by_key(|(number, _): &(u32, _)| std::cmp::Reverse(*number));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn pg_config_folder() -> Option<PathBuf> {
    said_by(Command::new("pg_config").arg("--bindir")).map(PathBuf::from)
}

/// The shell knows the PATH, which only `config.rs` may read here. A link is followed (`/usr/local/bin/postgres` often
/// is one), because `initdb` is looked for beside the real program.
fn path_folder() -> Option<PathBuf> {
    let program = PathBuf::from(said_by(Command::new("/bin/sh").args(["-c", "command -v postgres"]))?);
    Some(program.canonicalize().ok()?.parent()?.to_owned())
}

fn inspect(bin_dir: &Path) -> Option<PostgresBinaries> {
    if !bin_dir.join("initdb").is_file() {
        return None;
    }
    let said = said_by(Command::new(bin_dir.join("postgres")).arg("--version"))?;
    Some(PostgresBinaries {
        bin_dir: bin_dir.to_owned(),
        major: major_of(&said)?,
    })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15; `… 17beta1` → 17.
fn major_of(said: &str) -> Option<u32> {
    let version = said.split_once("(PostgreSQL) ")?.1;
    let digits = version
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(version.len());
    version[..digits].parse().ok()
}

fn said_by(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}

fn listed(majors: &[u32]) -> String {
    majors.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
