//! graphile_worker, with the settings of its own benchmark `perf_test`: a local queue of 5,000 jobs, completions in batches every
//! 5 ms, 500 handlers at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use graphile_worker::{
    Database, IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
    WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;

use crate::{Measurement, Result, until};

const SCHEMA: &str = "graphile_worker";

#[derive(Serialize, Deserialize)]
struct Nothing {}

impl TaskHandler for Nothing {
    const IDENTIFIER: &'static str = "nothing";

    async fn run(self, _context: WorkerContext) -> impl IntoTaskHandlerResult {
        Ok::<(), String>(())
    }
}

pub async fn run(measurement: &Measurement) -> Result<Duration> {
    let options = PgPoolOptions::new().max_connections(measurement.connections);
    let pool = options.connect(&measurement.database_url).await?;
    let observer = PgPoolOptions::new()
        .max_connections(1)
        .connect(&measurement.database_url)
        .await?;
    let database: Database = pool.into();
    let utils = WorkerUtils::new(database.clone(), SCHEMA);
    utils.migrate().await?;
    let job = || RawJobSpec {
        identifier: Nothing::IDENTIFIER.to_owned(),
        payload: serde_json::json!({}),
        spec: JobSpec::default(),
    };
    for chunk in Vec::from_iter(0..measurement.jobs).chunks(10_000) {
        utils
            .add_raw_jobs(&chunk.iter().map(|_| job()).collect::<Vec<_>>())
            .await?;
    }
    sqlx::query("VACUUM (ANALYZE) graphile_worker._private_jobs")
        .execute(&observer)
        .await?;
    sqlx::query("CHECKPOINT").execute(&observer).await?;
    let worker = WorkerOptions::default()
        .database(database)
        .schema(SCHEMA)
        .concurrency(500)
        .poll_interval(Duration::from_millis(5))
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(5_000))
        .define_job::<Nothing>()
        .init()
        .await?;
    let worker = Arc::new(worker);
    let began = Instant::now();
    let running = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run().await }
    });
    let elapsed = until(began, async || {
        // A failed job stays in the table.
        let left: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM graphile_worker._private_jobs)")
            .fetch_one(&observer)
            .await?;
        Ok(!left)
    })
    .await?;
    worker.request_shutdown();
    running.await??;
    Ok(elapsed)
}
