//! The system user that runs the private cluster. Postgres refuses root: as root, its processes run as an unprivileged user,
//! and that user must be able to enter the folders above the cluster.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User, getegid, geteuid};
use tokio::process::Command;

use super::child_environment;
use super::error::EmbeddedError;

/// Tried in this order as root.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The owner of the cluster's processes and folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUser {
    uid: Uid,
    gid: Gid,
    /// We are root, and this is another user.
    switched: bool,
}

impl ServiceUser {
    /// Chooses the current user or, as root, the owner of an existing cluster or an unprivileged user (`data` need not exist).
    pub fn choose(home: &Path, data: Option<&Path>) -> Result<Self, EmbeddedError> {
        let owner = data.and_then(|data| data.metadata().ok());
        let owner = owner.map(|data| (Uid::from_raw(data.uid()), Gid::from_raw(data.gid())));
        let current = geteuid();
        let switched = current.is_root();
        let (uid, gid) = match owner {
            Some((uid, _)) if !switched && uid != current => {
                return Err(EmbeddedError::OwnedByOtherUser {
                    path: home.to_owned(),
                    uid: uid.as_raw(),
                });
            }
            _ if !switched => (current, getegid()),
            Some((uid, gid)) if !uid.is_root() => (uid, gid),
            _ => {
                let mut users = UNPRIVILEGED
                    .iter()
                    .filter_map(|name| User::from_name(name).ok().flatten());
                let user = users.next().ok_or(EmbeddedError::NoUnprivilegedUser)?;
                (user.uid, user.gid)
            }
        };
        Ok(Self { uid, gid, switched })
    }

    pub fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// Returns a command that runs as this user, in `/` (our working directory may be closed to it), in a process group of its
    /// own (Ctrl-C in the terminal reaches us only), without the supplementary groups of root.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").process_group(0);
        child_environment::clear(command.as_std_mut());
        if self.switched {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// Makes this user the owner of a file or folder of the cluster.
    pub fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        if self.switched {
            chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
                .map_err(EmbeddedError::folder("change the owner of", path))?;
        }
        Ok(())
    }

    /// Refuses a home that this user cannot reach. Folders that do not exist yet will be ours.
    pub async fn require_reachable(&self, home: &Path) -> Result<(), EmbeddedError> {
        let parents = home.ancestors().skip(1).filter(|folder| folder.exists());
        let closed = self.outermost_closed(parents).await?;
        closed.map_or(Ok(()), |path| {
            let user = self.name();
            Err(EmbeddedError::HomeUnreachable { user, path })
        })
    }

    /// Refuses a program that this user cannot run.
    pub async fn require_executable(&self, program: &Path) -> Result<(), EmbeddedError> {
        let closed = self.outermost_closed(program.ancestors()).await?;
        closed.map_or(Ok(()), |path| {
            let user = self.name();
            Err(EmbeddedError::BinariesUnreachable { user, path })
        })
    }

    /// Returns the outermost path that this user may not enter or run. A process of that user tests it, because access lists
    /// and security modules decide too, not only file modes.
    async fn outermost_closed(&self, paths: impl Iterator<Item = &Path>) -> Result<Option<PathBuf>, EmbeddedError> {
        if !self.switched {
            return Ok(None); // the attempt itself will fail, with the system's error
        }
        let mut paths: Vec<&Path> = paths.collect();
        paths.reverse();
        let shell = Path::new("/bin/sh");
        let script = r#"n=0; for path do [ -x "$path" ] || { echo "$n"; exit; }; n=$((n + 1)); done"#;
        let output = self
            .command(shell)
            .args(["-c", script, "sh"])
            .args(&paths)
            .output()
            .await;
        let output = output.map_err(|source| EmbeddedError::Run {
            program: shell.to_owned(),
            source,
        })?;
        let index = String::from_utf8_lossy(&output.stdout).trim().parse::<usize>().ok();
        Ok(index.and_then(|index| paths.get(index)).map(|path| (*path).to_owned()))
    }

    fn name(&self) -> String {
        let user = User::from_uid(self.uid).ok().flatten();
        user.map_or_else(|| self.uid.to_string(), |user| user.name)
    }
}
