//! The release binary as a process.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::Result;

pub const SECRET: &str = "a-secret-for-measuring-only";

/// True if the service is watched while it is measured ([`observe`]).
static OBSERVED: AtomicBool = AtomicBool::new(false);

pub struct Serve {
    child: Child,
    pub port: u16,
    pub ready_after: Duration,
    scrapes: Option<AbortOnDrop>,
}

/// Lets all services that are started from now on log at `info`, with spans, and serve metrics, which are scraped every second.
pub fn observe() {
    OBSERVED.store(true, Ordering::Relaxed);
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Serve {
    /// Starts `serve` in a role, and waits until it is ready.
    pub async fn start(url: &str, role: &str, workers: usize) -> Result<Self> {
        Self::start_with(url, role, workers, &[]).await
    }

    /// The same with further settings, as environment variables.
    pub async fn start_with(url: &str, role: &str, workers: usize, more: &[(&str, String)]) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
        command
            .args(["serve", "--role", role, "--database-url", url])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--workers", &workers.max(1).to_string()])
            .args(["--webhook-secret", SECRET])
            .envs(more.iter().map(|(name, value)| (name, value)));
        if !OBSERVED.load(Ordering::Relaxed) {
            return Self::spawn(command.args(["--log-level", "error"]), port).await;
        }
        let admin = free_port()?;
        command
            .args(["--log-level", "info", "--admin-listen", &format!("127.0.0.1:{admin}")])
            .stderr(Stdio::null());
        let scrapes = AbortOnDrop(tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            loop {
                every.tick().await;
                let _ = get(admin, "/metrics").await;
            }
        }));
        Ok(Self {
            scrapes: Some(scrapes),
            ..Self::spawn(&mut command, port).await?
        })
    }

    /// Starts the server without a database (`sink`), which is this program.
    pub async fn start_sink() -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        Self::spawn(command.args(["--sink", &port.to_string()]), port).await
    }

    async fn spawn(command: &mut Command, port: u16) -> Result<Self> {
        let began = Instant::now();
        let started = Self {
            child: command.stdin(Stdio::null()).spawn()?,
            port,
            ready_after: Duration::ZERO,
            scrapes: None,
        };
        loop {
            let answer = get(port, "/readyz").await.unwrap_or_default();
            if answer.starts_with(b"HTTP/1.1 200") {
                let ready_after = began.elapsed();
                return Ok(Self { ready_after, ..started });
            }
            if began.elapsed() > Duration::from_secs(30) {
                started.stop().await?;
                return Err("the server is not ready after 30 s".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in order, as an operator does.
    pub async fn stop(mut self) -> Result<()> {
        drop(self.scrapes);
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id())?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        tokio::task::spawn_blocking(move || self.child.wait()).await??;
        Ok(())
    }
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn get(port: u16, path: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
