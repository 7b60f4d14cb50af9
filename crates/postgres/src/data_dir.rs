//! The home folder of a private cluster and the lock on it. One file marks the folder as ours, carries the lock, and holds
//! the owner's process id for error messages.
//!
//! The lock (`flock`) decides and not the process id: the system releases it however the owner dies, process ids are used
//! again, and containers that share a folder do not share process ids.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;

use super::error::EmbeddedError;
use super::service_user::ServiceUser;

/// The parent of temporary homes: every user can enter it, and it is short (a socket's path has at most 107 bytes, 103 on
/// macOS).
pub const TEMPORARY_PARENT: &str = "/tmp";
/// The start of their names; a folder with another name is never removed.
pub const TEMPORARY_PREFIX: &str = "avinode-ingest-";
/// The file that marks a folder as ours.
pub const OWNER_FILE: &str = "avinode-ingest.owner";

#[derive(Debug, Clone, Default)]
pub enum ClusterHome {
    /// Created by the first run and used by later ones.
    Persistent(PathBuf),
    /// Created for one run and removed after it, however the run ends.
    #[default]
    Temporary,
}

/// A folder that is locked by this process until it is dropped.
#[derive(Debug)]
pub struct OwnedDir {
    path: PathBuf,
    _lock: File,
    remove_on_drop: bool,
}

impl OwnedDir {
    /// Creates a temporary folder that only the service user and root can enter.
    pub fn temporary(user: &ServiceUser) -> Result<Self, EmbeddedError> {
        let folder = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .rand_bytes(8)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(TEMPORARY_PARENT)
            .map_err(EmbeddedError::folder("create a folder in", TEMPORARY_PARENT))?;
        // Locked under another name and then renamed: a sweep never sees a marked folder that is not locked.
        let unmarked = folder.path().join("new");
        let lock = open(&unmarked, true).map_err(EmbeddedError::folder("create", &unmarked))?;
        take_lock(folder.path(), &lock)?;
        user.give(&unmarked)?;
        std::fs::rename(&unmarked, folder.path().join(OWNER_FILE))
            .map_err(EmbeddedError::folder("rename", &unmarked))?;
        user.give(folder.path())?;
        Ok(Self {
            path: folder.keep(),
            _lock: lock,
            remove_on_drop: true,
        })
    }

    /// Locks a home of ours or an empty folder, or creates the folder.
    pub fn persistent(path: &Path, user: &ServiceUser) -> Result<Self, EmbeddedError> {
        DirBuilder::new()
            .recursive(true)
            .create(path)
            .map_err(EmbeddedError::folder("create", path))?;
        let path = path.canonicalize().map_err(EmbeddedError::folder("look up", path))?;
        refuse_foreign(&path)?;
        let marker = path.join(OWNER_FILE);
        let lock = open(&marker, true).map_err(EmbeddedError::folder("open", &marker))?;
        take_lock(&path, &lock)?;
        user.give(&marker)?;
        user.give(&path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o700))
            .map_err(EmbeddedError::folder("close to other users", &path))?;
        Ok(Self {
            path,
            _lock: lock,
            remove_on_drop: false,
        })
    }

    /// Locks a temporary folder of a dead process. `None`: its owner lives, or the folder is not ours.
    pub fn abandoned(path: &Path, user: &ServiceUser) -> Option<Self> {
        let folder = path.symlink_metadata().ok()?;
        if !folder.is_dir() || folder.uid() != user.uid() {
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

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the removal to the watchdog, which can remove the folder after our death.
    pub fn keep_on_drop(&mut self) {
        self.remove_on_drop = false;
    }
}

impl Drop for OwnedDir {
    fn drop(&mut self) {
        if self.remove_on_drop
            && let Err(error) = remove(&self.path)
        {
            let folder = self.path.display();
            tracing::warn!(%folder, "failed to remove the temporary folder {folder}: {error}");
        }
    }
}

/// Removes a folder, if it exists.
///
/// The owner file goes last: after an interrupted removal, the next sweep still recognises the folder. Repeated, because a
/// program that was just killed, or the watchdog, may still create files in it.
pub fn remove(path: &Path) -> std::io::Result<()> {
    let mut result = Ok(());
    for _ in 0..5 {
        if let Ok(entries) = std::fs::read_dir(path) {
            for entry in entries
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            {
                let _ = std::fs::remove_dir_all(entry.path()); // an error here recurs below
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

/// Refuses links: root opens this file in a folder that another user can write to.
fn open(path: &Path, create: bool) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.nlink() != 1 {
        return Err(std::io::Error::other("it is not an ordinary file"));
    }
    Ok(file)
}

fn take_lock(path: &Path, mut lock: &File) -> Result<(), EmbeddedError> {
    let marker = path.join(OWNER_FILE);
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = lock.take(20).read_to_string(&mut pid);
            let pid = pid.trim();
            return Err(EmbeddedError::InUse {
                path: path.to_owned(),
                pid: if read.is_ok() && !pid.is_empty() {
                    pid
                } else {
                    "unknown"
                }
                .to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(EmbeddedError::folder("lock", marker)(source)),
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
    // A new volume has a `lost+found` of its file system.
    Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lost+found")))
}
