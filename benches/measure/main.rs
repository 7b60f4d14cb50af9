//! Measures the published figures: `cargo bench --bench measure` (about two minutes, loopback only).
//!
//! Not a micro-benchmark harness: the figures are about processes, so real ones are measured from outside. The release binary
//! serves from a private, durable cluster; the load comes over sockets from this process, on the same cores. `-- --short` runs
//! everything once and small, to check that it still works.

mod database;
mod load;
mod numbers;
mod pgbench;
mod serve;

use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use avinode_ingest::postgres::migrator;
use avinode_ingest::postgres::transaction::Pool;
use sqlx::PgPool;

use database::{drain, durable, truncate};
use load::{flood, latency};
use numbers::{percentile, spread};
use pgbench::pgbench;
use serve::Serve;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SECRET: &str = "a-secret-for-measuring-only";
const CONNECTIONS: usize = 64;

fn main() -> Result<()> {
    let short = std::env::args().any(|argument| argument == "--short");
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(short))
}

async fn measure(short: bool) -> Result<()> {
    let (rounds, seconds, light) = if short { (1, 1, 20) } else { (5, 5, 500) };
    let cluster = EmbeddedPostgres::start(EmbeddedOptions::default()).await?;
    cluster.create_database("measured").await?;
    migrator::migrate(&cluster.options("measured")).await?;
    let pool = PgPool::connect_with(cluster.options("measured")).await?;
    let url = cluster.url("measured");

    println!("settings: {}", durable(&pool).await?);
    let mut starts = Vec::new();
    for _ in 0..rounds {
        let serve = Serve::start(&url, "both", 18091).await?;
        starts.push(serve.ready_after.as_secs_f64() * 1000.0);
        serve.stop().await?;
    }
    println!("start-up to ready, existing database: {} ms", spread(&mut starts));

    let serve = Serve::start(&url, "both", 18091).await?;
    println!("resident at rest: {:.1} MiB", serve.resident_mib()?);
    let mut latencies = latency(&Pool::from(pool.clone()), 18091, light).await?;
    println!(
        "request to visible session change, one at a time, {light} quotes: median {:.2} ms, p99 {:.2} ms",
        percentile(&mut latencies, 50),
        percentile(&mut latencies, 99)
    );
    let (rate, p50, p99) = flood(18091, seconds, 0).await?;
    println!(
        "receiving with workers, {CONNECTIONS} connections: {rate:.0}/s (p50 {p50:.1} ms, p99 {p99:.1} ms), resident {:.1} MiB",
        serve.resident_mib()?
    );
    let drained = drain(&pool).await?;
    println!(
        "job throughput: {drained:.0} jobs/s with 2 workers, resident {:.1} MiB",
        serve.resident_mib()?
    );
    serve.stop().await?;

    let (mut received, mut inserted, mut ratios, mut p99s) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        truncate(&pool).await?;
        let serve = Serve::start(&url, "receive", 18091).await?;
        let (rate, _, p99) = flood(18091, seconds, round).await?;
        let resident = serve.resident_mib()?;
        serve.stop().await?;
        truncate(&pool).await?;
        let inserts = pgbench(&cluster, seconds)?;
        println!(
            "round {round}: {rate:.0} deliveries/s (p99 {p99:.1} ms, {resident:.1} MiB), pgbench {inserts:.0} rows/s"
        );
        received.push(rate);
        inserted.push(inserts);
        ratios.push(rate / inserts);
        p99s.push(p99);
    }
    println!(
        "receiving only: {} deliveries/s, p99 {} ms",
        spread(&mut received),
        spread(&mut p99s)
    );
    println!(
        "pgbench, one row per table and transaction, prepared: {} rows/s",
        spread(&mut inserted)
    );
    println!("ratio per round: {}", spread(&mut ratios));
    pool.close().await;
    cluster.stop().await?;
    Ok(())
}
