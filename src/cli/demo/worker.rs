//! A worker of the demo as a process of its own, which the demo kills. It ends with the demo, however that ends: its standard input is a
//! pipe from there.

use std::io::{BufRead, stdin};
use std::process::Stdio;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::SECRET;
use super::database::DemoDatabase;
use crate::avinode::signature::verifier::Verifier;
use crate::cli::error::{CliError, Context};
use crate::postgres::database_url;
use crate::postgres::pool::pool;
use crate::service::{self, ServiceSettings};

/// The line that the demo writes to its worker: not an argument, because other users see arguments.
#[derive(Serialize, Deserialize)]
struct WorkerSettings {
    url: String,
    database: String,
}

/// Starts a worker. It is killed when the value is dropped.
pub(super) async fn start(database: &DemoDatabase) -> Result<Child, CliError> {
    let program = std::env::current_exe().context("find the program")?;
    let mut child = Command::new(program)
        .arg("demo-worker")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("start a worker")?;
    let settings = WorkerSettings {
        url: database.url.expose_secret().to_owned(),
        database: database.name.clone(),
    };
    let line = serde_json::to_string(&settings).context("write the settings of a worker")?;
    let input = child.stdin.as_mut();
    let input = input.ok_or_else(|| CliError::plain("the worker has no standard input"))?;
    let written = input.write_all(format!("{line}\n").as_bytes()).await;
    written.context("write the settings of a worker")?;
    Ok(child)
}

/// Works until standard input ends.
pub async fn run() -> Result<(), CliError> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("read the settings")?;
    let settings: WorkerSettings = serde_json::from_str(&line).context("read the settings")?;
    let hosts = database_url::parse(&settings.url).context("read the settings")?;
    let hosts = hosts.of_database(&settings.database);
    std::thread::spawn(|| {
        // Nothing more is written: it returns when the demo has ended.
        let _ = stdin().lock().read_line(&mut String::new());
        std::process::exit(0);
    });
    let pool = pool(&hosts, 6, "avinode-ingest demo worker", Duration::from_secs(10));
    let health = TcpListener::bind("127.0.0.1:0").await.context("listen")?;
    let verifier = Verifier::from_settings(Some(SECRET), None).context("make the verifier")?;
    let settings = ServiceSettings {
        receives: false,
        workers: 1,
        ..ServiceSettings::default()
    };
    service::run(health, pool, verifier, settings, CancellationToken::new()).await;
    Ok(())
}
