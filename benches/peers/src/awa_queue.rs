//! awa, with the settings of its own benchmark of throughput: the storage for queues, no deadline, 100 handlers at a time.

use std::time::{Duration, Instant};

use awa::{Client, InsertOpts, JobArgs, JobResult, QueueConfig, QueueStorage, QueueStorageConfig};
use serde::{Deserialize, Serialize};
use sqlx_of_awa::postgres::PgPoolOptions;

use crate::{Measurement, Result, until};

const QUEUE: &str = "measured";

#[derive(Serialize, Deserialize, JobArgs)]
struct Nothing {}

pub async fn run(measurement: &Measurement) -> Result<Duration> {
    let options = PgPoolOptions::new().max_connections(measurement.connections);
    let pool = options.connect(&measurement.database_url).await?;
    awa::migrations::run(&pool).await?;
    let config = QueueStorageConfig::default();
    let store = QueueStorage::new(config.clone())?;
    store.install(&pool).await?;
    let options = InsertOpts {
        queue: QUEUE.to_owned(),
        ..InsertOpts::default()
    };
    for chunk in Vec::from_iter(0..measurement.jobs).chunks(10_000) {
        let jobs: std::result::Result<Vec<_>, _> = chunk
            .iter()
            .map(|_| awa::model::insert::params_with(&Nothing {}, options.clone()))
            .collect();
        store.enqueue_params_copy(&pool, &jobs?).await?;
    }
    sqlx_of_awa::query("ANALYZE").execute(&pool).await?;
    sqlx_of_awa::query("CHECKPOINT").execute(&pool).await?;
    let client = Client::builder(pool.clone())
        .queue(
            QUEUE,
            QueueConfig {
                max_workers: 100,
                poll_interval: Duration::from_millis(50),
                deadline_duration: Duration::ZERO,
                ..QueueConfig::default()
            },
        )
        .queue_storage(config, Duration::from_secs(1), Duration::from_millis(50))
        .register::<Nothing, _, _>(|_, _| async { Ok(JobResult::Completed) })
        .build()?;
    let observer = PgPoolOptions::new()
        .max_connections(1)
        .connect(&measurement.database_url)
        .await?;
    let jobs = i64::try_from(measurement.jobs)?;
    let began = Instant::now();
    client.start().await?;
    let elapsed = until(began, async || {
        // The exact count reads much: it is asked for once nothing seems to be left.
        let counts = store.queue_counts_fast(&observer, QUEUE).await?;
        Ok(counts.available == 0 && store.queue_counts(&observer, QUEUE).await?.terminal == jobs)
    })
    .await?;
    client.shutdown(Duration::from_secs(5)).await;
    Ok(elapsed)
}
