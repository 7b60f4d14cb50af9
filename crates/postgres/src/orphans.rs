//! Stops what a killed process left: a running server, its stale lock files, and temporary folders of dead owners.
//!
//! Process ids are used again, so an id in a file proves nothing. A process counts as one of the cluster's only if it is named
//! `postgres`, belongs to the cluster's user and works in the data folder; no other process is ever signalled.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::cluster::{nth_line, socket_file};
use super::data_dir::{OwnedDir, TEMPORARY_PREFIX};
use super::error::EmbeddedError;
use super::service_user::ServiceUser;

/// The time for an orderly shutdown (SIGINT: sessions end, a checkpoint is written). After it, SIGQUIT asks for an immediate
/// one, which costs nothing but a recovery at the next start.
const ORDERLY: Duration = Duration::from_secs(60);
/// The time for an immediate shutdown.
const IMMEDIATE: Duration = Duration::from_secs(10);

/// Stops a server that still runs in `data`, and removes stale lock files from there and from the socket's folder. `first` is
/// SIGINT where the data matter and SIGQUIT where they do not.
///
/// The caller must hold the lock on the home. Returns whether a server was running.
pub async fn stop_leftover(data: &Path, socket_dir: &Path, first: Signal) -> Result<bool, EmbeddedError> {
    let begun = Instant::now();
    let mut deadline = if first == Signal::SIGINT { ORDERLY } else { IMMEDIATE };
    let mut signal = Some(first);
    let mut found = false;
    loop {
        let running = processes_of(data);
        let Some(&pid) = running.first() else { break };
        found = true;
        if let Some(signal) = signal.take() {
            // Without a postmaster its children end on their own; SIGQUIT hurries those that are busy.
            let postmaster = recorded_pid(data).filter(|pid| running.contains(pid));
            for pid in postmaster.map_or(running, |pid| vec![pid]) {
                send(pid, signal);
            }
        }
        if begun.elapsed() > deadline {
            if deadline == ORDERLY {
                (deadline, signal) = (ORDERLY + IMMEDIATE, Some(Signal::SIGQUIT));
            } else {
                let data = data.to_owned();
                return Err(EmbeddedError::Leftover { data, pid });
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    // Postgres removes these itself, unless another process has their process id by now: then it would not start.
    let socket = socket_file(socket_dir);
    for stale in [data.join("postmaster.pid"), socket.with_added_extension("lock"), socket] {
        match std::fs::remove_file(&stale) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(EmbeddedError::folder("remove", stale)(error));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Removes the temporary folders in `parent` that belong to the user and have a dead owner. A failure is logged only: the
/// next sweep tries again.
pub async fn sweep(parent: &Path, user: &ServiceUser) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            continue;
        }
        let Some(mut home) = OwnedDir::abandoned(&entry.path(), user) else {
            continue;
        };
        let path = home.path().to_owned();
        let folder = path.display();
        match stop_leftover(&path.join("data"), &path, Signal::SIGQUIT).await {
            Ok(_) => {
                drop(home); // removes it
                tracing::info!(%folder, "removed {folder}, a temporary cluster of a killed process");
            }
            Err(error) => {
                home.keep_on_drop();
                tracing::warn!(%folder, "failed to remove the temporary cluster {folder}: {error}");
            }
        }
    }
}

/// Returns the process id in `postmaster.pid`, which may be stale.
pub fn recorded_pid(data: &Path) -> Option<u32> {
    nth_line(&data.join("postmaster.pid"), 0)?.parse().ok()
}

fn send(pid: u32, signal: Signal) {
    let sent = i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), signal).is_ok());
    tracing::info!(pid, %signal, sent, "sent {signal} to the Postgres process {pid} of a killed run");
}

/// Returns the running Postgres processes of a data folder: the postmaster and its children, which all work in it.
#[cfg(target_os = "linux")]
pub fn processes_of(data: &Path) -> Vec<u32> {
    use std::os::unix::fs::MetadataExt;

    let (Ok(data), Ok(processes)) = (data.metadata(), std::fs::read_dir("/proc")) else {
        return Vec::new();
    };
    let is_of_data = |process: &Path| {
        process.metadata().is_ok_and(|process| process.uid() == data.uid())
            && std::fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end() == "postgres")
            && (process.join("cwd").metadata()).is_ok_and(|cwd| (cwd.dev(), cwd.ino()) == (data.dev(), data.ino()))
    };
    processes
        .flatten()
        .filter_map(|process| Some((process.file_name().to_str()?.parse().ok()?, process.path())))
        .filter(|(_, path)| is_of_data(path))
        .map(|(pid, _)| pid)
        .collect()
}

/// Without `/proc`, finds only the postmaster: the recorded process, if its command line names this data folder.
#[cfg(not(target_os = "linux"))]
pub fn processes_of(data: &Path) -> Vec<u32> {
    let Some(pid) = recorded_pid(data) else {
        return Vec::new();
    };
    let ps = super::child_environment::clear(&mut std::process::Command::new("ps"))
        .args(["-ww", "-o", "args=", "-p", &pid.to_string()])
        .output();
    let ours = ps.is_ok_and(|output| {
        let arguments = String::from_utf8_lossy(&output.stdout).into_owned();
        arguments.contains("postgres") && arguments.contains(&*data.to_string_lossy())
    });
    if ours { vec![pid] } else { Vec::new() }
}
