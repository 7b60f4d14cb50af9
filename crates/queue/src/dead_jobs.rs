//! The retention of dead jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};

use ingest_postgres::prune_step;
use ingest_postgres::prune_step::PruneStep;
use ingest_postgres::transaction::Pool;

/// Deletes jobs that have been dead for longer than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.dead_jobs", "died_at", "true", retention, from).await
}
