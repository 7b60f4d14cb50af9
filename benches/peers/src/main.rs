//! Measures one queue with jobs that do nothing: `peers QUEUE --database-url URL --jobs COUNT --connections COUNT`. Prints the jobs
//! per second.
//!
//! The clock runs from the start of the workers until the table shows that every job is done, not until the handlers ran. The
//! database must be empty. `benches/measure` runs each queue in a database of its own, on the same server.

mod awa_queue;
mod graphile;
mod ours;

use std::time::{Duration, Instant};

use ours::Completion;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The measurement of one queue.
#[derive(Debug, Clone)]
pub struct Measurement {
    pub database_url: String,
    pub jobs: usize,
    /// Connections that a queue may use.
    pub connections: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name);
        place
            .and_then(|place| arguments.get(place + 1))
            .ok_or_else(|| format!("{name} is missing"))
    };
    let measurement = Measurement {
        database_url: value("--database-url")?.clone(),
        jobs: value("--jobs")?.parse()?,
        connections: value("--connections")?.parse()?,
    };
    let elapsed = match arguments.get(1).map(String::as_str) {
        Some("ours-100") => ours::run(&measurement, 100, Completion::OneStatement).await?,
        Some("ours-500") => ours::run(&measurement, 500, Completion::OneStatement).await?,
        Some("ours-2000") => ours::run(&measurement, 2_000, Completion::OneStatement).await?,
        Some("ours-in-transaction") => ours::run(&measurement, 500, Completion::InTransaction).await?,
        Some("graphile-worker-rust") => graphile::run(&measurement).await?,
        Some("awa") => awa_queue::run(&measurement).await?,
        _ => {
            return Err(
                "name a queue: ours-100, ours-500, ours-2000, ours-in-transaction, graphile-worker-rust, awa".into(),
            );
        }
    };
    println!("{}", measurement.jobs as f64 / elapsed.as_secs_f64());
    Ok(())
}

/// Asks every few milliseconds until it is true. Returns the time since `began`.
pub async fn until(began: Instant, mut done: impl AsyncFnMut() -> Result<bool>) -> Result<Duration> {
    while !done().await? {
        if began.elapsed() > Duration::from_secs(300) {
            return Err("the jobs were not done within 300 s".into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(began.elapsed())
}
