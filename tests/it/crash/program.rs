//! The real program as a process of its own: started, watched by what it says, signalled, and waited for. It does not
//! outlive its test.

use std::future::ready;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use reqwest::Client;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::eventually::{equal, eventually};
use crate::support::service::SECRET;

/// The program of this checkout.
const PROGRAM: &str = env!("CARGO_BIN_EXE_avinode-ingest");

/// A running program.
pub struct Program {
    child: Child,
    pid: Pid,
    said: Arc<Mutex<Vec<String>>>,
    listeners: Vec<JoinHandle<()>>,
}

impl Program {
    /// Starts it with these arguments and these settings, and none that this process was started with, in a process
    /// group of its own, as a shell would.
    pub fn start(arguments: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_file(Path::new(PROGRAM), arguments, variables)
    }

    /// The same with the program of another build.
    pub fn start_file(file: &Path, arguments: &str, variables: &[(&str, &str)]) -> Self {
        Self::spawn(file, arguments, variables, Stdio::piped(), Stdio::piped())
    }

    /// The same with another standard error, which is not listened to.
    pub fn start_with(arguments: &str, variables: &[(&str, &str)], stderr: Stdio) -> Self {
        Self::spawn(Path::new(PROGRAM), arguments, variables, Stdio::piped(), stderr)
    }

    /// The same with a standard output whose reader is gone.
    pub fn start_closed(arguments: &str, variables: &[(&str, &str)], stderr: Stdio) -> Self {
        let (reader, stdout) = std::io::pipe().unwrap();
        drop(reader);
        Self::spawn(Path::new(PROGRAM), arguments, variables, stdout.into(), stderr)
    }

    fn spawn(file: &Path, arguments: &str, variables: &[(&str, &str)], stdout: Stdio, stderr: Stdio) -> Self {
        let mut command = Command::new(file);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let setting = text.starts_with("INGEST_") && text != "INGEST_POSTGRES_BIN";
            if setting || text.starts_with("AVINODE_") || text == "DATABASE_URL" {
                command.env_remove(&name);
            }
        }
        command
            .args(arguments.split_whitespace())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let said = Arc::default();
        let mut listeners = Vec::new();
        listeners.extend(child.stdout.take().map(|stdout| listen(stdout, &said)));
        listeners.extend(child.stderr.take().map(|stderr| listen(stderr, &said)));
        let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap());
        Self {
            child,
            pid,
            said,
            listeners,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// All that it has said so far, on both channels.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Waits for a line that holds `words` and returns it.
    pub async fn line(&mut self, words: &str) -> String {
        let printed = self.line_before_its_end(words).await;
        printed.unwrap_or_else(|ended| panic!("it did not print {words:?} ({ended:?}): {}", self.said()))
    }

    /// The same; the exit status where it ended before.
    async fn line_before_its_end(&mut self, words: &str) -> Result<String, ExitStatus> {
        eventually(PATIENCE, words, || {
            let ended = self.child.try_wait().unwrap();
            let said = self.said.lock().unwrap();
            let found = said.iter().find(|line| line.contains(words)).cloned();
            ready(match (found, ended) {
                (Some(line), _) => Ok(Ok(line)),
                (None, Some(status)) => Ok(Err(status)),
                (None, None) => Err(said.join("\n")),
            })
        })
        .await
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    /// Presses Ctrl-C: the terminal signals the whole process group.
    pub fn interrupt_group(&self) {
        killpg(self.pid, Signal::SIGINT).unwrap();
    }

    /// Waits for its end, at most for `limit`.
    pub async fn ended(&mut self, limit: Duration) -> ExitStatus {
        match timeout(limit, self.child.wait()).await {
            Ok(status) => {
                // Its last words may still be on their way.
                for listener in self.listeners.drain(..) {
                    timeout(PATIENCE, listener).await.unwrap().unwrap();
                }
                status.unwrap()
            }
            Err(_) => panic!("it did not end within {limit:?}: {}", self.said()),
        }
    }

    /// Ends it the hard way and waits until it is gone.
    pub async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.ended(PATIENCE).await;
    }

    /// Bytes of memory that it holds (`VmRSS`) or has held at most (`VmHWM`).
    #[cfg(target_os = "linux")]
    pub fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes * 1024
    }
}

impl Drop for Program {
    /// Prints the program's output if the test failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("process {} said:\n{}", self.pid, self.said());
        }
    }
}

fn listen(channel: impl AsyncRead + Unpin + Send + 'static, said: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let said = said.clone();
    tokio::spawn(async move {
        let mut lines = BufReader::new(channel).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            said.lock().unwrap().push(line);
        }
    })
}

/// The line that says that it serves.
const SERVING: &str = "\"serving on ";

/// `serve`, serving.
pub struct Serve {
    /// Its process.
    pub program: Program,
    /// `127.0.0.1:port`.
    pub address: String,
    client: Client,
}

impl Serve {
    /// Starts `serve` on a free port with these settings and the tests' secret, and waits until it serves.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_file(Path::new(PROGRAM), "127.0.0.1:0", variables).await
    }

    /// The same with the program of another build, on this address.
    pub async fn start_file(file: &Path, listen: &str, variables: &[(&str, &str)]) -> Self {
        let mut program = Self::spawn(file, listen, variables);
        let line = program.line(SERVING).await;
        Self::serving(program, &line)
    }

    /// The same as a service manager does it: where it ends before it serves, it is started again.
    pub async fn start_again_until_it_serves(variables: &[(&str, &str)]) -> Self {
        eventually(PATIENCE, "it serves", async || {
            let mut program = Self::spawn(Path::new(PROGRAM), "127.0.0.1:0", variables);
            match program.line_before_its_end(SERVING).await {
                Ok(line) => Ok(Self::serving(program, &line)),
                Err(_) => Err(program.said()),
            }
        })
        .await
    }

    fn spawn(file: &Path, listen: &str, variables: &[(&str, &str)]) -> Program {
        let defaults = [("AVINODE_WEBHOOK_SECRET", SECRET), ("INGEST_LOG_FORMAT", "json")];
        let all: Vec<_> = defaults.iter().chain(variables).copied().collect();
        Program::start_file(file, &format!("serve --listen {listen}"), &all)
    }

    fn serving(program: Program, line: &str) -> Self {
        let line: Value = serde_json::from_str(line).unwrap();
        let address = line["address"].as_str().unwrap().to_owned();
        let client = avinode_ingest::cli::replay::sender::client(&format!("http://{address}")).unwrap();
        Self {
            program,
            address,
            client,
        }
    }

    /// Asks for a page and returns its status, or `None` without an answer.
    pub async fn get(&self, path: &str) -> Option<u16> {
        let response = self.client.get(format!("http://{}{path}", self.address)).send().await;
        response.ok().map(|response| response.status().as_u16())
    }

    /// Waits until it wants work.
    pub async fn ready(&self) {
        eventually(PATIENCE, "ready", async || equal(self.get("/readyz").await, Some(200))).await;
    }

    /// Signals it and expects an end in order within `limit`.
    pub async fn stop(mut self, signal: Signal, limit: Duration) -> String {
        self.program.signal(signal);
        let status = self.program.ended(limit).await;
        assert_eq!(status.code(), Some(0), "{}", self.program.said());
        self.program.said()
    }
}
