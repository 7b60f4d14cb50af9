//! An output that cannot be written, or is not read, costs log lines and nothing else.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use reqwest::Client;
use tokio::task::spawn_blocking;

use super::load::{body, client, post};
use super::program::Program;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::program::run;
use crate::support::service::SECRET;

/// `serve` without a standard error that this test reads.
struct Unheard {
    program: Program,
    address: String,
    client: Client,
}

impl Unheard {
    async fn start(db: &Db, level: &str, stderr: impl Into<Stdio>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let variables = [
            ("AVINODE_WEBHOOK_SECRET", SECRET),
            ("DATABASE_URL", &db.url()),
            ("INGEST_LISTEN", &address),
            ("INGEST_LOG_LEVEL", level),
        ];
        let service = Self {
            program: Program::start_with("serve", &variables, stderr.into()),
            client: client(&address),
            address,
        };
        service.answers("/readyz").await;
        service
    }

    async fn answers(&self, path: &str) {
        let url = format!("http://{}{path}", self.address);
        eventually(PATIENCE, path, async || {
            let answer = self.client.get(&url).send().await;
            equal(answer.ok().map(|answer| answer.status().as_u16()), Some(200))
        })
        .await;
    }

    async fn receives(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let answer = post(&self.client, &self.address, body(number)).await;
            assert_eq!(answer.map(|(status, ..)| status), Some(200));
        }
    }

    async fn ends(mut self) {
        self.program.signal(Signal::SIGTERM);
        let status = self.program.ended(Duration::from_secs(15)).await;
        assert_eq!(status.code(), Some(0), "{}", self.program.said());
    }
}

/// A pipe without a reader.
fn closed_pipe() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full_disk() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_works_and_ends_with_a_log_that_cannot_be_written() {
    for stderr in [full_disk(), closed_pipe()] {
        let db = Db::new().await;
        let service = Unheard::start(&db, "debug", stderr).await;
        service.receives(0..50).await;
        service.answers("/livez").await;
        service.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_works_with_a_log_that_is_not_read_and_reports_dropped_lines() {
    let db = Db::new().await;
    let (reader, writer) = pipe().unwrap();
    let service = Unheard::start(&db, "debug", writer).await;
    service.receives(0..1000).await;
    service.answers("/livez").await;
    let (reader, report) = spawn_blocking(|| read_until(reader, "dropped ")).await.unwrap();
    let count = report.split("dropped ").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(count.unwrap().parse::<u64>().unwrap() > 0, "{report}");
    // Stalled again, until the end.
    service.receives(1000..2000).await;
    service.ends().await;
    drop(reader);
}

fn read_until(reader: PipeReader, words: &str) -> (BufReader<PipeReader>, String) {
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = String::new();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the log ended before {words}");
        if line.contains(words) && line.contains("log lines") {
            return (reader, line);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_keep_their_exit_code_without_an_output() {
    let db = Db::new().await;
    let url = db.url();
    for arguments in [
        "--help",
        "openapi",
        "configuration",
        "jobs list",
        "sessions list",
        "deliveries list --json",
        "replay nothing-here",
        "sign nothing-here",
        "migrate",
        "jobs list --limit x",
    ] {
        let variables = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let heard = run(&words, &variables).await;
        for stderr in [full_disk(), closed_pipe()] {
            let mut unheard = Program::start_closed(arguments, &variables, stderr);
            let status = unheard.ended(PATIENCE).await;
            assert_eq!(status.code(), heard.code, "{arguments}: {}", heard.all());
        }
    }
}
