//! One process and several on the same database: receiving while jobs are applied, and applying a backlog.

use avinode_ingest::clock::Clock;
use futures_util::future::try_join_all;

use crate::Result;
use crate::apply;
use crate::backlog::{self, Order};
use crate::client::flood;
use crate::database::Database;
use crate::options::Options;
use crate::receive::{CONNECTIONS, TRIPS};
use crate::report::Section;
use crate::samples::{Samples, number};
use crate::serve::Serve;

/// The role of each process, and its workers.
type Processes = &'static [(&'static str, usize)];

const LOADED: [(&str, Processes); 3] = [
    ("one process, both roles", &[("both", 2)]),
    ("a receiver and a worker", &[("receive", 0), ("work", 2)]),
    ("two processes, both roles", &[("both", 2), ("both", 2)]),
];
const APPLYING: [(&str, Processes); 3] = [
    ("one process, 2 workers", &[("work", 2)]),
    ("two processes, 1 worker each", &[("work", 1), ("work", 1)]),
    ("two processes, 2 workers each", &[("work", 2), ("work", 2)]),
];
/// The events of one process begin so far behind those of the one before.
const APART: usize = 10_000_000;

pub async fn measure(database: &Database, options: &Options) -> Result<Section> {
    let (seconds, events) = (options.sized(5, 1), options.sized(40_000, 1_000));
    let trips = options.sized(TRIPS, 100);
    backlog::seed_trips(database, trips).await?;
    database.save("quiet").await?;
    backlog::receive(database, 0..events, trips, Order::Random).await?;
    database.save("backlog").await?;
    let mut figures: Vec<[Samples; 3]> = LOADED.iter().map(|_| Default::default()).collect();
    let mut applied: Vec<Samples> = APPLYING.iter().map(|_| Samples::default()).collect();
    for round in 1..=options.rounds() {
        for ((name, processes), figures) in LOADED.iter().zip(&mut figures) {
            database.restore("quiet").await?;
            let run = load(database, processes, seconds, trips).await?;
            println!(
                "processes, round {round}, {name}: {:.0} received/s, {:.0} received and applied/s",
                run[0], run[2]
            );
            for (samples, value) in figures.iter_mut().zip(run) {
                samples.push(value);
            }
        }
        for ((name, processes), samples) in APPLYING.iter().zip(&mut applied) {
            database.restore("backlog").await?;
            let rate = apply_backlog(database, processes).await?;
            println!("processes, round {round}, {name}: {rate:.0} applied/s");
            samples.push(rate);
        }
    }
    let mut section = Section::new(
        "processes",
        format!(
            "{CONNECTIONS} connections send events over {} trips for {seconds} s, while the workers apply them; the last column counts until \
             all are applied. A backlog has {} events. Client, processes and Postgres share the processors.",
            number(trips as f64),
            number(events as f64)
        ),
        &["processes", "received/s", "p99 of the answer", "received and applied/s"],
    );
    for ((name, _), [received, p99, both]) in LOADED.iter().zip(figures) {
        section.row([
            (*name).to_owned(),
            received.to_string(),
            format!("{p99} ms"),
            both.to_string(),
        ]);
    }
    for ((name, _), rate) in APPLYING.iter().zip(applied) {
        section.row([
            format!("{name}, a backlog"),
            String::new(),
            String::new(),
            rate.to_string(),
        ]);
    }
    Ok(section)
}

async fn start(database: &Database, processes: Processes) -> Result<Vec<Serve>> {
    let url = database.url();
    try_join_all(
        processes
            .iter()
            .map(|(role, workers)| Serve::start(&url, role, *workers)),
    )
    .await
}

async fn stop(started: Vec<Serve>) -> Result<()> {
    for serve in started {
        serve.stop().await?;
    }
    Ok(())
}

/// Returns deliveries received a second, the p99 of the answers in ms, and events a second from the first sent to the last applied.
async fn load(database: &Database, processes: Processes, seconds: u64, trips: usize) -> Result<[f64; 3]> {
    let started = start(database, processes).await?;
    let receiving = started.iter().zip(processes).filter(|(_, (role, _))| *role != "work");
    let ports: Vec<u16> = receiving.map(|(serve, _)| serve.port).collect();
    let connections = CONNECTIONS / ports.len();
    let began = Clock::System.now().timestamp_micros() as f64 / 1e6;
    let floods = ports.iter().enumerate();
    let floods = floods.map(|(place, port)| flood(*port, connections, seconds, trips, place * APART));
    let floods = try_join_all(floods).await?;
    backlog::wait_until_idle(database).await?;
    stop(started).await?;
    let (applied, ended): (i64, f64) = sqlx::query_as(
        "SELECT count(*), extract(epoch FROM max(finished_at))::float8 FROM avinode_ingest.outcomes
         WHERE kind = 'full_event' AND outcome = 'applied'",
    )
    .fetch_one(&database.pool)
    .await?;
    let sent: usize = floods.iter().map(|flood| flood.sent).sum();
    if usize::try_from(applied)? != sent {
        return Err(format!("{applied} of {sent} events were applied").into());
    }
    let rate = floods.iter().map(|flood| flood.rate).sum();
    let p99 = floods
        .iter()
        .map(|flood| flood.latencies.percentile(99.0))
        .fold(0.0, f64::max);
    Ok([rate, p99, sent as f64 / (ended - began)])
}

/// Returns events applied a second.
async fn apply_backlog(database: &Database, processes: Processes) -> Result<f64> {
    let started = start(database, processes).await?;
    backlog::wait_until_idle(database).await?;
    stop(started).await?;
    Ok(apply::rate(database).await?.0)
}
