//! Ends what a killed process left: a server that still runs, its stale lock files, and throw-away folders whose owner
//! is dead.
//!
//! Process ids are used again, so an id in a file proves nothing. A process counts as one of the cluster's only if it is
//! called `postgres`, belongs to the cluster's user and works in the data folder; nothing else is ever signalled.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::data_dir::{OwnedDir, THROW_AWAY_PREFIX};
use super::error::EmbeddedError;
use super::service_user::ServiceUser;

/// How long an orderly end (SIGINT: sessions ended, a checkpoint written) may take before SIGQUIT asks for an immediate
/// one, which costs nothing but a recovery at the next start.
const ORDERLY: Duration = Duration::from_secs(60);
/// How long an immediate end may take.
const IMMEDIATE: Duration = Duration::from_secs(10);

/// Ends a server that still runs in `data`, and removes lock files that nobody holds any more from there and from the
/// socket's folder. `first` is SIGINT where the data matter and SIGQUIT where they do not.
///
/// Call it only while holding the home's claim. Returns whether there was anything to end.
pub async fn end_leftover(data: &Path, socket_dir: &Path, first: Signal) -> Result<bool, EmbeddedError> {
    let begun = Instant::now();
    let mut deadline = if first == Signal::SIGINT { ORDERLY } else { IMMEDIATE };
    let mut signal = Some(first);
    let mut found = false;
    loop {
        let living = processes_of(data);
        let Some(&one) = living.first() else { break };
        found = true;
        if let Some(signal) = signal.take() {
            // Without a postmaster its children end by themselves; SIGQUIT hurries those that are busy.
            let postmaster = noted_pid(data).filter(|pid| living.contains(pid));
            for pid in postmaster.map_or(living, |pid| vec![pid]) {
                send(pid, signal);
            }
        }
        if begun.elapsed() > deadline {
            if deadline == ORDERLY {
                (deadline, signal) = (ORDERLY + IMMEDIATE, Some(Signal::SIGQUIT));
            } else {
                return Err(EmbeddedError::Leftover {
                    data: data.to_owned(),
                    pid: one,
                });
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    // Postgres itself removes these unless their process id is in use again, by whomever: then it would not start.
    for stale in [
        data.join("postmaster.pid"),
        socket_dir.join(".s.PGSQL.5432"),
        socket_dir.join(".s.PGSQL.5432.lock"),
    ] {
        match std::fs::remove_file(&stale) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(EmbeddedError::folder("remove", stale)(error));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Removes the throw-away folders in `parent` that the account owns and whose owner is dead. A failure is logged and
/// harms nobody: the next sweep tries again.
pub async fn sweep(parent: &Path, account: &ServiceUser) -> Vec<PathBuf> {
    let mut swept = Vec::new();
    let Ok(entries) = std::fs::read_dir(parent) else {
        return swept;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(THROW_AWAY_PREFIX) {
            continue;
        }
        let Some(folder) = OwnedDir::abandoned(&entry.path(), account) else {
            continue;
        };
        let path = folder.path().to_owned();
        match end_leftover(&path.join("data"), &path, Signal::SIGQUIT).await {
            Ok(_) => {
                drop(folder); // removes it
                tracing::info!(folder = %path.display(), "removed a throw-away cluster whose owner was killed");
                swept.push(path);
            }
            Err(error) => {
                let mut folder = folder;
                folder.leave();
                tracing::warn!(folder = %path.display(), %error, "could not remove a throw-away cluster");
            }
        }
    }
    swept
}

/// The postmaster's id as `postmaster.pid` notes it; it may be stale.
pub fn noted_pid(data: &Path) -> Option<u32> {
    std::fs::read_to_string(data.join("postmaster.pid"))
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

fn send(pid: u32, signal: Signal) {
    let sent = i32::try_from(pid).map(|pid| kill(Pid::from_raw(pid), signal));
    tracing::info!(pid, %signal, ?sent, "ended a Postgres process that a killed run left");
}

/// The living Postgres processes of a data folder (the postmaster and its children all work in it).
#[cfg(target_os = "linux")]
pub fn processes_of(data: &Path) -> Vec<u32> {
    use std::os::unix::fs::MetadataExt;

    let (Ok(data), Ok(processes)) = (data.metadata(), std::fs::read_dir("/proc")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let path = process.path();
        let ours = path.metadata().is_ok_and(|process| process.uid() == data.uid())
            && std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim_end() == "postgres")
            && path
                .join("cwd")
                .metadata()
                .is_ok_and(|cwd| (cwd.dev(), cwd.ino()) == (data.dev(), data.ino()));
        if ours {
            found.push(pid);
        }
    }
    found
}

/// Without `/proc` only the postmaster is found: the noted process, if its command line names this data folder.
#[cfg(not(target_os = "linux"))]
pub fn processes_of(data: &Path) -> Vec<u32> {
    let Some(pid) = noted_pid(data) else { return Vec::new() };
    let ps = std::process::Command::new("ps")
        .args(["-ww", "-o", "args=", "-p", &pid.to_string()])
        .output();
    let ours = ps.is_ok_and(|output| {
        let arguments = String::from_utf8_lossy(&output.stdout).into_owned();
        arguments.contains("postgres") && arguments.contains(&*data.to_string_lossy())
    });
    if ours { vec![pid] } else { Vec::new() }
}
