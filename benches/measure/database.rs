//! The measured database: its durability settings, the throughput of its queue, and truncation between rounds.

use std::time::{Duration, Instant};

use sqlx::PgPool;

use crate::Result;

/// Waits until the queue is empty and returns the jobs per second.
pub async fn drain(pool: &PgPool) -> Result<f64> {
    let count = || async {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'full_event'")
            .fetch_one(pool)
            .await
    };
    let (first, began) = (count().await?, Instant::now());
    while count().await? > 0 {
        if began.elapsed() > Duration::from_secs(180) {
            return Err("the queue did not drain".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(first as f64 / began.elapsed().as_secs_f64())
}

pub async fn truncate(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql("TRUNCATE avinode_ingest.deliveries, avinode_ingest.jobs; CHECKPOINT")
        .execute(pool)
        .await?;
    Ok(())
}

pub async fn durable(pool: &PgPool) -> Result<String> {
    Ok(sqlx::query_scalar(
        "SELECT format('PostgreSQL %s, fsync %s, synchronous_commit %s, full_page_writes %s',
            current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
            current_setting('full_page_writes'))",
    )
    .fetch_one(pool)
    .await?)
}
