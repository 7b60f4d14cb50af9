//! The folder of a private cluster and the claim on it: one file is the mark that the folder is ours, the lock that says
//! whether its owner lives, and the note of the owner's process id.
//!
//! The lock (`flock`) rather than the noted id decides: the system drops it however the owner dies, process ids are
//! used again, and containers that share a folder do not share process ids.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;

use super::error::EmbeddedError;
use super::service_user::ServiceUser;

/// Where throw-away folders are made: short (a socket's path has 107 bytes at most, 103 on macOS), and open to every user.
pub const THROW_AWAY_PARENT: &str = "/tmp";
/// How their names begin; no folder named otherwise is ever removed.
pub const THROW_AWAY_PREFIX: &str = "avinode-ingest-";
/// The file that marks a folder as ours.
pub const OWNER_FILE: &str = "avinode-ingest.owner";

/// Where the cluster's folder is.
#[derive(Debug, Clone)]
pub enum ClusterHome {
    /// Kept across runs: made by the first, found again by the next.
    Kept(PathBuf),
    /// Made for this run, removed after it, whatever way it ends.
    ThrowAway,
}

/// A folder that this process holds until it is dropped.
#[derive(Debug)]
pub struct OwnedDir {
    path: PathBuf,
    _lock: File,
    remove_on_drop: bool,
}

impl OwnedDir {
    /// Makes a new throw-away folder, which only the account (and root) can enter.
    pub fn throw_away(account: &ServiceUser) -> Result<Self, EmbeddedError> {
        let made = tempfile::Builder::new()
            .prefix(THROW_AWAY_PREFIX)
            .rand_bytes(8)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(THROW_AWAY_PARENT)
            .map_err(EmbeddedError::folder("create a folder in", THROW_AWAY_PARENT))?;
        // Locked under another name and then renamed: a sweep never sees a marked folder that is not locked.
        let unmarked = made.path().join("new");
        let lock = open(&unmarked, true).map_err(EmbeddedError::folder("create", &unmarked))?;
        claim(made.path(), &lock)?;
        account.give(&unmarked)?;
        std::fs::rename(&unmarked, made.path().join(OWNER_FILE)).map_err(EmbeddedError::folder("rename", &unmarked))?;
        account.give(made.path())?;
        Ok(Self {
            path: made.keep(),
            _lock: lock,
            remove_on_drop: true,
        })
    }

    /// Takes an existing home of ours, an empty folder, or a path where there is nothing yet.
    pub fn kept(path: &Path, account: &ServiceUser) -> Result<Self, EmbeddedError> {
        DirBuilder::new()
            .recursive(true)
            .create(path)
            .map_err(EmbeddedError::folder("create", path))?;
        let path = path.canonicalize().map_err(EmbeddedError::folder("look up", path))?;
        refuse_foreign(&path)?;
        let marker = path.join(OWNER_FILE);
        let lock = open(&marker, true).map_err(EmbeddedError::folder("open", &marker))?;
        claim(&path, &lock)?;
        account.give(&marker)?;
        account.give(&path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o700))
            .map_err(EmbeddedError::folder("close to other users", &path))?;
        Ok(Self {
            path,
            _lock: lock,
            remove_on_drop: false,
        })
    }

    /// Takes a throw-away folder whose owner is dead; None where it lives, or where the folder is not ours.
    pub fn abandoned(path: &Path, account: &ServiceUser) -> Option<Self> {
        let folder = path.symlink_metadata().ok()?;
        if !folder.is_dir() || folder.uid() != account.uid() {
            return None;
        }
        let lock = open(&path.join(OWNER_FILE), false).ok()?;
        lock.try_lock().ok()?;
        Some(Self {
            path: path.to_owned(),
            _lock: lock,
            remove_on_drop: true,
        })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the removal to somebody else (the watchdog, which can do it when we no longer can).
    pub fn leave(&mut self) {
        self.remove_on_drop = false;
    }
}

impl Drop for OwnedDir {
    fn drop(&mut self) {
        if self.remove_on_drop
            && let Err(error) = remove(&self.path)
        {
            tracing::warn!(folder = %self.path.display(), %error, "could not remove a throw-away folder");
        }
    }
}

/// Removes a folder; one that is gone already is removed.
///
/// The mark goes last: a removal cut short leaves a folder that the next sweep still knows. Tried again, because a
/// program that was just killed, or the watchdog, may be at work in it.
pub fn remove(path: &Path) -> std::io::Result<()> {
    let mut result = Ok(());
    for _ in 0..5 {
        if let Ok(entries) = std::fs::read_dir(path) {
            for entry in entries
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            {
                let _ = std::fs::remove_dir_all(entry.path()); // what remains, the line below finds
            }
        }
        result = std::fs::remove_dir_all(path);
        match &result {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(20));
            }
            _ => break,
        }
    }
    result
}

/// Links are refused: root opens this file in a folder that another user can write to.
fn open(path: &Path, create: bool) -> std::io::Result<File> {
    let flags = OFlag::O_NOFOLLOW.bits();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(std::io::Error::other("it is not an ordinary file"));
    }
    Ok(file)
}

fn claim(path: &Path, mut lock: &File) -> Result<(), EmbeddedError> {
    let marker = path.join(OWNER_FILE);
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = lock.take(20).read_to_string(&mut pid);
            let pid = if read.is_ok() && !pid.trim().is_empty() {
                pid.trim()
            } else {
                "unknown"
            }
            .to_owned();
            return Err(EmbeddedError::InUse {
                path: path.to_owned(),
                pid,
            });
        }
        Err(TryLockError::Error(source)) => {
            return Err(EmbeddedError::Folder {
                attempt: "lock",
                path: marker,
                source,
            });
        }
    }
    lock.set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .map_err(EmbeddedError::folder("write", marker))
}

/// Refuses a folder with files of another program. One that does not exist will be ours.
pub fn refuse_foreign(path: &Path) -> Result<(), EmbeddedError> {
    if path.exists() && !path.join(OWNER_FILE).exists() && !is_empty(path)? {
        return Err(EmbeddedError::NotOurs(path.to_owned()));
    }
    Ok(())
}

fn is_empty(path: &Path) -> Result<bool, EmbeddedError> {
    let mut entries = std::fs::read_dir(path).map_err(EmbeddedError::folder("list", path))?;
    // A volume's file system brings its own `lost+found`.
    Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lost+found")))
}
