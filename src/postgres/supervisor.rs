//! The running server: started under a small shell (`watchdog.sh`) that ends it when we are gone, whatever way we go.
//!
//! The usual way (a parent-death signal set between fork and exec) needs `unsafe` and knows Linux only; a pipe that the
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
/// The watchdog's 60 s for an orderly end, then an immediate one.
const STOP_LIMIT: Duration = Duration::from_secs(75);

/// How the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerExit {
    /// With this exit status, as a shell counts it (a signal is 128 and its number).
    Status(i32),
    /// Not told: the watchdog was killed. The server may still run.
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

/// A running server and its watchdog. Dropping it lets the pipe go, and with it the server, in the background.
#[derive(Debug)]
pub struct Supervisor {
    watchdog: Child,
    pipe: ChildStdin,
    postmaster: u32,
    end: watch::Receiver<Option<ServerExit>>,
}

impl Supervisor {
    /// Starts the server with its output in `log`; `remove` is a throw-away folder that the watchdog removes after the
    /// server's end and ours. Returns before the server is ready.
    pub async fn start(
        account: &ServiceUser,
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
        let silent = || failed(std::io::Error::other("it has no pipe"));
        let mut command = account.command(shell);
        command.args(["-c", WATCHDOG, "avinode-ingest-watchdog"]).arg(log);
        command
            .arg(remove.unwrap_or(Path::new("")))
            .arg(OWNER_FILE)
            .arg(server)
            .args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut watchdog = command.spawn().map_err(failed)?;
        let pipe = watchdog.stdin.take().ok_or_else(silent)?;
        let mut lines = BufReader::new(watchdog.stdout.take().ok_or_else(silent)?).lines();

        let first = lines.next_line().await.map_err(failed)?.unwrap_or_default();
        let postmaster = first.parse().map_err(|_| EmbeddedError::Watchdog { said: first })?;
        let (tell, end) = watch::channel(None);
        tokio::spawn(async move {
            let status = lines
                .next_line()
                .await
                .ok()
                .flatten()
                .and_then(|line| line.parse().ok());
            tell.send_replace(Some(status.map_or(ServerExit::Unknown, ServerExit::Status)));
        });
        Ok(Self {
            watchdog,
            pipe,
            postmaster,
            end,
        })
    }

    /// The server's process id.
    pub fn postmaster(&self) -> u32 {
        self.postmaster
    }

    /// How the server ended, if it has.
    pub fn ended(&self) -> Option<ServerExit> {
        *self.end.borrow()
    }

    /// Waits for the server's end.
    pub async fn end(&self) -> ServerExit {
        let mut end = self.end.clone();
        match end.wait_for(Option::is_some).await {
            Ok(end) => end.unwrap_or(ServerExit::Unknown),
            Err(_) => ServerExit::Unknown,
        }
    }

    /// Asks for an orderly end, waits for it and for the watchdog's.
    pub async fn stop(self) -> ServerExit {
        let Self {
            mut watchdog,
            pipe,
            end,
            ..
        } = self;
        drop(pipe);
        let waited = tokio::time::timeout(STOP_LIMIT, watchdog.wait()).await;
        match (*end.borrow(), waited) {
            (Some(end), _) => end,
            (None, Ok(Ok(status))) => status.code().map_or(ServerExit::Unknown, ServerExit::Status),
            (None, _) => ServerExit::Unknown,
        }
    }

    /// The shell, for tests that kill it.
    #[cfg(test)]
    pub fn watchdog_pid(&self) -> Option<u32> {
        self.watchdog.id()
    }
}
