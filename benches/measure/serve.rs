//! The release binary as a process.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Result, SECRET};

pub struct Serve {
    child: Child,
    pub ready_after: Duration,
}

impl Serve {
    pub async fn start(url: &str, role: &str, port: u16) -> Result<Self> {
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"))
            .args([
                "serve",
                "--role",
                role,
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--database-url",
                url,
            ])
            .args(["--webhook-secret", SECRET, "--log-level", "warn"])
            .stdin(Stdio::null())
            .spawn()?;
        loop {
            if ready(port).await.unwrap_or(false) {
                return Ok(Self {
                    child,
                    ready_after: began.elapsed(),
                });
            }
            if began.elapsed() > Duration::from_secs(30) {
                return Err("serve is not ready after 30 s".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .ok_or("no VmRSS")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib / 1024.0)
    }

    pub async fn stop(mut self) -> Result<()> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id())?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        tokio::task::spawn_blocking(move || self.child.wait()).await??;
        Ok(())
    }
}

async fn ready(port: u16) -> Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}
