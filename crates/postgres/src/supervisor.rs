//! The running server, started under a small shell (`watchdog.sh`) that stops it when we are gone, however we die.
//!
//! The usual way (a parent-death signal set between fork and exec) needs `unsafe` and works on Linux only; a pipe that the
//! system closes needs neither.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio::sync::watch;

use super::data_dir::OWNER_FILE;
use super::error::EmbeddedError;
use super::service_user::ServiceUser;

const WATCHDOG: &str = include_str!("watchdog.sh");
/// The watchdog's 60 s for an orderly shutdown, then an immediate one.
const STOP_TIMEOUT: Duration = Duration::from_secs(75);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerExit {
    /// The exit status as a shell counts it (128 plus the number of a signal).
    Status(i32),
    /// The watchdog was killed; the server may still run.
    Unknown,
}

impl fmt::Display for ServerExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// A running server and its watchdog. Dropping it closes the pipe, which stops the server in the background.
#[derive(Debug)]
pub struct Supervisor {
    watchdog: Child,
    pipe: ChildStdin,
    postmaster: u32,
    exit: watch::Receiver<Option<ServerExit>>,
}

impl Supervisor {
    /// Starts the server with its output in `log`. The watchdog removes `remove`, a temporary folder, after the server's end
    /// and ours. Returns before the server is ready.
    pub async fn start(
        user: &ServiceUser,
        server: &Path,
        arguments: Vec<OsString>,
        log: &Path,
        remove: Option<&Path>,
    ) -> Result<Self, EmbeddedError> {
        let shell = Path::new("/bin/sh");
        let failed = |source| EmbeddedError::Run {
            program: shell.to_owned(),
            source,
        };
        let no_pipe = || failed(std::io::Error::other("it has no pipe"));
        let mut command = user.command(shell);
        command
            .args(["-c", WATCHDOG, "avinode-ingest-watchdog"])
            .args([log, remove.unwrap_or(Path::new("")), Path::new(OWNER_FILE), server])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut watchdog = command.spawn().map_err(failed)?;
        let pipe = watchdog.stdin.take().ok_or_else(no_pipe)?;
        let mut lines = BufReader::new(watchdog.stdout.take().ok_or_else(no_pipe)?).lines();

        let first = lines.next_line().await.map_err(failed)?.unwrap_or_default();
        let postmaster = first.parse().map_err(|_| EmbeddedError::Watchdog { output: first })?;
        let (sender, exit) = watch::channel(None);
        tokio::spawn(async move {
            let line = lines.next_line().await.ok().flatten();
            let status = line.and_then(|line| line.parse().ok());
            sender.send_replace(Some(status.map_or(ServerExit::Unknown, ServerExit::Status)));
        });
        Ok(Self {
            watchdog,
            pipe,
            postmaster,
            exit,
        })
    }

    pub fn postmaster_pid(&self) -> u32 {
        self.postmaster
    }

    /// Returns how the server exited, if it has.
    pub fn exit(&self) -> Option<ServerExit> {
        *self.exit.borrow()
    }

    /// Waits until the server exits.
    pub async fn wait(&self) -> ServerExit {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.unwrap_or(ServerExit::Unknown),
            Err(_) => ServerExit::Unknown,
        }
    }

    /// Shuts the server down in order, and waits for it and its watchdog.
    pub async fn stop(mut self) -> ServerExit {
        drop(self.pipe);
        let waited = tokio::time::timeout(STOP_TIMEOUT, self.watchdog.wait()).await;
        match (*self.exit.borrow(), waited) {
            (Some(exit), _) => exit,
            (None, Ok(Ok(status))) => status.code().map_or(ServerExit::Unknown, ServerExit::Status),
            (None, _) => ServerExit::Unknown,
        }
    }

    /// For tests that kill the watchdog.
    #[cfg(test)]
    pub fn watchdog_pid(&self) -> Option<u32> {
        self.watchdog.id()
    }
}
