//! Who runs the private cluster: Postgres refuses root, so where we are root its processes get an unprivileged user, and
//! the folders between here and the cluster must let that user through.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User, getegid, geteuid};
use tokio::process::Command;

use super::error::EmbeddedError;

/// Tried in this order where we are root.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Postgres reads these from its environment; somebody's shell must not change the private cluster.
const FOREIGN_VARIABLES: [&str; 10] = [
    "PGDATA",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGOPTIONS",
    "PGTZ",
    "PGDATESTYLE",
    "PGCLIENTENCODING",
    "TZ",
];

/// The user whom the cluster's processes and folders belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUser {
    uid: Uid,
    gid: Gid,
    name: String,
    /// We are root, and this is somebody else.
    switched: bool,
}

impl ServiceUser {
    /// Chooses by who we are and, for a kept cluster, by whose it already is (`data` need not exist).
    ///
    /// Root runs an existing cluster as its owner: it may have been made by an ordinary user.
    pub fn choose(home: &Path, data: Option<&Path>) -> Result<Self, EmbeddedError> {
        let owner = data.and_then(|data| data.metadata().ok());
        let owner = owner.map(|data| (Uid::from_raw(data.uid()), Gid::from_raw(data.gid())));
        let ourselves = geteuid();
        if !ourselves.is_root() {
            return match owner {
                Some((uid, _)) if uid != ourselves => Err(EmbeddedError::BelongsToOther {
                    path: home.to_owned(),
                    uid: uid.as_raw(),
                }),
                _ => Ok(Self {
                    uid: ourselves,
                    gid: getegid(),
                    name: name_of(ourselves),
                    switched: false,
                }),
            };
        }
        if let Some((uid, gid)) = owner.filter(|(uid, _)| !uid.is_root()) {
            return Ok(Self {
                uid,
                gid,
                name: name_of(uid),
                switched: true,
            });
        }
        let user = UNPRIVILEGED
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten());
        let user = user.ok_or(EmbeddedError::NoAccount)?;
        Ok(Self {
            uid: user.uid,
            gid: user.gid,
            name: user.name,
            switched: true,
        })
    }

    /// The user's id.
    pub fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// A command that will run as this user, in `/` (our own folder may be closed to it), in a process group of its own
    /// (Ctrl-C in the terminal reaches us only), without the supplementary groups of root.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").process_group(0).env("LC_ALL", "C");
        for variable in FOREIGN_VARIABLES {
            command.env_remove(variable);
        }
        if self.switched {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// Gives a file or folder of the cluster to this user.
    pub fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.switched {
            chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
                .map_err(EmbeddedError::folder("change the owner of", path))?;
        }
        Ok(())
    }

    /// Refuses a home that this user cannot get to. Only folders that exist are looked at: the rest will be ours.
    pub async fn can_enter(&self, home: &Path) -> Result<(), EmbeddedError> {
        let parents = home
            .ancestors()
            .skip(1)
            .filter(|folder| folder.exists())
            .map(Path::to_owned);
        match self.first_closed(parents.collect()).await? {
            None => Ok(()),
            Some(path) => Err(EmbeddedError::Unreachable {
                user: self.name.clone(),
                path,
            }),
        }
    }

    /// Refuses programs that this user cannot run.
    pub async fn can_run(&self, program: &Path) -> Result<(), EmbeddedError> {
        match self
            .first_closed(program.ancestors().map(Path::to_owned).collect())
            .await?
        {
            None => Ok(()),
            Some(path) => Err(EmbeddedError::ProgramsUnreachable {
                user: self.name.clone(),
                path,
            }),
        }
    }

    /// The outermost of the paths that this user may not enter or run. Asked of the system by a process of that user:
    /// modes alone do not tell (access lists, security modules).
    async fn first_closed(&self, mut innermost_first: Vec<PathBuf>) -> Result<Option<PathBuf>, EmbeddedError> {
        if !self.switched {
            return Ok(None); // our own attempts tell us, with the system's own words
        }
        innermost_first.reverse();
        let shell = Path::new("/bin/sh");
        let script = r#"n=0; for path do [ -x "$path" ] || { echo "$n"; exit; }; n=$((n + 1)); done"#;
        let output = self
            .command(shell)
            .args(["-c", script, "sh"])
            .args(&innermost_first)
            .output()
            .await;
        let output = output.map_err(|source| EmbeddedError::Run {
            program: shell.to_owned(),
            source,
        })?;
        let index = String::from_utf8_lossy(&output.stdout).trim().parse::<usize>().ok();
        Ok(index.and_then(|index| innermost_first.into_iter().nth(index)))
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}
