//! The cost: WAL, commits and CPU time per delivery and per applied event; memory, start-up, size of the program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;
use crate::apply;
use crate::backlog::{self, Order};
use crate::client::flood;
use crate::database::Database;
use crate::options::Options;
use crate::receive::{CONNECTIONS, TRIPS};
use crate::report::Section;
use crate::samples::Samples;
use crate::serve::Serve;
use crate::usage::{Usage, memory_mib};

/// As many as the service accepts by default, but for a few.
const MANY_CONNECTIONS: usize = 1_000;
/// Memory after load is read after this time.
const REST: Duration = Duration::from_secs(30);
/// Resident memory that no run may exceed, in MiB: while 1,000 connections send, and after [`REST`] without them.
const PEAK_LIMIT: f64 = 64.0;
const IDLE_LIMIT: f64 = 32.0;

/// The figures, in the order of the table.
#[derive(Default)]
struct Figures(Vec<(&'static str, Samples, &'static str)>);

impl Figures {
    fn push(&mut self, name: &'static str, value: f64, unit: &'static str) {
        match self.0.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, samples, _)) => samples.push(value),
            None => self.0.push((name, Samples::from_iter([value]), unit)),
        }
    }

    fn push_usage(&mut self, names: [&'static str; 4], usage: Usage) {
        let [wal, commits, service, postgres] = names;
        self.push(wal, usage.wal_bytes, "bytes");
        self.push(commits, usage.commits, "");
        self.push(service, usage.service_seconds * 1e6, "µs");
        self.push(postgres, usage.postgres_seconds * 1e6, "µs");
    }
}

/// Returns the section of the results, and the limits of memory that a round exceeded.
pub async fn measure(database: &Database, options: &Options) -> Result<(Section, Vec<String>)> {
    let mut exceeded = Vec::new();
    let mut figures = Figures::default();
    let (seconds, events) = (options.sized(5, 1), options.sized(20_000, 1_000));
    let trips = options.sized(TRIPS, 100);
    for round in 1..=options.rounds() {
        start_up(database, &mut figures).await?;
        per_delivery(database, seconds, &mut figures).await?;
        per_event(database, trips, events, &mut figures).await?;
        exceeded.extend(memory(database, seconds, &mut figures).await?);
        println!("cost, round {round}: measured");
    }
    figures.push("the program, stripped", stripped_mib()?, "MiB");
    let mut section = Section::new(
        "cost",
        format!(
            "Receiving over {CONNECTIONS} connections for {seconds} s; applying {events} events over {trips} trips."
        ),
        &["figure", "measured"],
    );
    for (name, samples, unit) in figures.0 {
        section.row([name.to_owned(), format!("{samples} {unit}").trim_end().to_owned()]);
    }
    Ok((section, exceeded))
}

async fn start_up(database: &Database, figures: &mut Figures) -> Result<()> {
    let serve = Serve::start(&database.url(), "both", apply::WORKERS).await?;
    figures.push(
        "start-up until ready, existing database",
        serve.ready_after.as_secs_f64() * 1000.0,
        "ms",
    );
    figures.push(
        "resident memory after the start",
        memory_mib(serve.pid(), "VmRSS")?,
        "MiB",
    );
    serve.stop().await
}

async fn per_delivery(database: &Database, seconds: u64, figures: &mut Figures) -> Result<()> {
    database.clear().await?;
    let serve = Serve::start(&database.url(), "receive", 0).await?;
    let postmaster = database.cluster.postmaster_pid();
    let before = Usage::read(&database.pool, serve.pid(), postmaster).await?;
    let sent = flood(serve.port, CONNECTIONS, seconds, TRIPS, 0).await?.sent;
    let after = Usage::read(&database.pool, serve.pid(), postmaster).await?;
    serve.stop().await?;
    let names = [
        "WAL per delivery",
        "commits per delivery",
        "CPU of the service per delivery",
        "CPU of Postgres per delivery",
    ];
    figures.push_usage(names, after.since(before, sent as f64));
    Ok(())
}

async fn per_event(database: &Database, trips: usize, events: usize, figures: &mut Figures) -> Result<()> {
    backlog::seed_trips(database, trips).await?;
    backlog::receive(database, 0..events, trips, Order::Random).await?;
    database.settle().await?;
    let names = [
        "WAL per applied event",
        "commits per applied event",
        "CPU of the service per applied event",
        "CPU of Postgres per applied event",
    ];
    figures.push_usage(names, apply::run(database, events).await?.usage);
    Ok(())
}

/// Memory with many connections: idle, under load, and after the load. Returns the limits that were exceeded.
async fn memory(database: &Database, seconds: u64, figures: &mut Figures) -> Result<Vec<String>> {
    database.clear().await?;
    let serve = Serve::start(&database.url(), "both", apply::WORKERS).await?;
    let mut idle = Vec::new();
    for _ in 0..MANY_CONNECTIONS {
        idle.push(kept_alive(serve.port).await?);
    }
    let mut read = |name, line| {
        let mib = memory_mib(serve.pid(), line)?;
        figures.push(name, mib, "MiB");
        Result::Ok(mib)
    };
    read("resident memory with 1,000 idle connections", "VmRSS")?;
    drop(idle);
    flood(serve.port, MANY_CONNECTIONS, seconds, TRIPS, 0).await?;
    backlog::wait_until_idle(database).await?;
    tokio::time::sleep(REST).await;
    let peak = read("peak memory, 1,000 connections sending, two workers", "VmHWM")?;
    let idle = read("resident memory 30 s after that load", "VmRSS")?;
    serve.stop().await?;
    let limits = [("peak", peak, PEAK_LIMIT), ("idle", idle, IDLE_LIMIT)];
    let exceeded = limits.into_iter().filter(|(_, mib, limit)| mib > limit);
    Ok(exceeded
        .map(|(name, mib, limit)| format!("{name} memory is {mib:.1} MiB, more than {limit} MiB"))
        .collect())
}

/// A connection that had one request, and stays open.
async fn kept_alive(port: u16) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    match stream.read(&mut [0; 1024]).await? {
        0 => Err("the connection was closed".into()),
        _ => Ok(stream),
    }
}

fn stripped_mib() -> Result<f64> {
    let program = Path::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    let stripped = std::env::temp_dir().join(format!("avinode-measure-{}", std::process::id()));
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(program).status()?;
    if !status.success() {
        return Err("strip failed".into());
    }
    let bytes = std::fs::metadata(&stripped)?.len();
    std::fs::remove_file(&stripped)?;
    Ok(bytes as f64 / (1024.0 * 1024.0))
}
