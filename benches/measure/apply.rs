//! Applying: a backlog of quote events, spread over many trips that have sessions and requests, in random order.

use std::time::Duration;

use crate::Result;
use crate::backlog::{self, Order};
use crate::database::Database;
use crate::floor;
use crate::options::Options;
use crate::report::Section;
use crate::samples::{Samples, number};
use crate::serve::Serve;
use crate::usage::Usage;

/// The workers of `serve`, as by default, and the connections of the floor.
pub const WORKERS: usize = 2;
/// Applying a backlog takes no longer, at a hundred events a second.
const LIMIT: Duration = Duration::from_secs(3600);

/// Measures the workers and the floor. Returns the section of the results, and the smallest median share of the floor.
pub async fn measure(database: &Database, options: &Options) -> Result<(Section, f64)> {
    let (events, rounds) = (options.events(), options.rounds());
    let mut section = Section::new(
        "apply",
        format!(
            "{} quote events from a backlog in random order, {WORKERS} workers. Every trip has a session and a request.",
            number(events as f64)
        ),
        &[
            "trips",
            "events applied/s",
            "the floor, events/s",
            "share of the floor",
            "events per transaction",
            "CPU per event (Postgres + service)",
            "WAL per event",
        ],
    );
    let mut smallest = f64::INFINITY;
    for trips in options.trips() {
        backlog::seed_trips(database, trips).await?;
        backlog::receive(database, 0..events, trips, Order::Random).await?;
        database.save("backlog").await?;
        let (mut rates, mut floors, mut shares, mut sizes) = Default::default();
        let (mut cpu, mut wal) = <(Samples, Samples)>::default();
        for round in 1..=rounds {
            database.restore("backlog").await?;
            let applied = run(database, events).await?;
            let floor = floor::run(database, "backlog", WORKERS).await?;
            println!(
                "apply, {trips} trips, round {round}: {} events/s, floor {}, {:.0} events per transaction",
                number(applied.rate),
                number(floor),
                applied.batch
            );
            Samples::push(&mut rates, applied.rate);
            Samples::push(&mut floors, floor);
            Samples::push(&mut shares, applied.rate / floor);
            Samples::push(&mut sizes, applied.batch);
            cpu.push((applied.usage.postgres_seconds + applied.usage.service_seconds) * 1e6);
            wal.push(applied.usage.wal_bytes);
        }
        smallest = smallest.min(shares.median());
        section.row([
            number(trips as f64),
            rates.to_string(),
            floors.to_string(),
            shares.to_string(),
            sizes.to_string(),
            format!("{cpu} µs"),
            format!("{wal} bytes"),
        ]);
    }
    Ok((section, smallest))
}

/// The result of applying a backlog.
#[derive(Debug, Clone, Copy)]
pub struct Applied {
    /// Events per second, from the first transaction to the last.
    pub rate: f64,
    /// The mean number of events of a transaction.
    pub batch: f64,
    /// Per event.
    pub usage: Usage,
}

/// Has the workers apply the events that wait, all of them, and checks that they did.
pub async fn run(database: &Database, events: usize) -> Result<Applied> {
    database.reset_statements().await?;
    let postmaster = database.cluster.postmaster_pid();
    let serve = Serve::start(&database.url(), "work", WORKERS).await?;
    let before = Usage::read(&database.pool, serve.pid(), postmaster).await?;
    tokio::time::timeout(LIMIT, backlog::wait_until_idle(database)).await??;
    let after = Usage::read(&database.pool, serve.pid(), postmaster).await?;
    serve.stop().await?;
    database.print_statements().await?;
    let (rate, batch, applied) = rate(database).await?;
    if usize::try_from(applied)? != events {
        return Err(format!("{applied} of {events} events were applied").into());
    }
    Ok(Applied {
        rate,
        batch,
        usage: after.since(before, events as f64),
    })
}

/// Has the workers apply at least so many of the events that wait, and returns the events per second.
pub async fn run_some(database: &Database, events: usize) -> Result<f64> {
    let serve = Serve::start(&database.url(), "work", WORKERS).await?;
    let applied = async {
        while sqlx::query_scalar::<_, i64>("SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'full_event'")
            .fetch_one(&database.pool)
            .await?
            < i64::try_from(events)?
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Result::Ok(())
    };
    tokio::time::timeout(LIMIT, applied).await??;
    serve.stop().await?;
    Ok(rate(database).await?.0)
}

/// Returns the rate, the mean size of a transaction, and the number of events, by the outcomes.
pub async fn rate(database: &Database) -> Result<(f64, f64, i64)> {
    Ok(sqlx::query_as(
        "WITH batch AS (
             SELECT xmin::text AS transaction, count(*) AS size, max(finished_at) AS finished_at
             FROM avinode_ingest.outcomes WHERE kind = 'full_event' AND outcome = 'applied' GROUP BY 1
         ), first AS (
             SELECT size, finished_at FROM batch ORDER BY finished_at LIMIT 1
         )
         -- The first transaction is the start of the clock, so its events do not count.
         SELECT ((sum(batch.size) - max(first.size)) / nullif(extract(epoch FROM max(batch.finished_at) - max(first.finished_at)), 0))::float8,
             avg(batch.size)::float8, sum(batch.size)::bigint
         FROM batch, first",
    )
    .fetch_one(&database.pool)
    .await?)
}
