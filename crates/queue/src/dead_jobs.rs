//! The retention of dead jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};

use ingest_postgres::interval::interval;
use ingest_postgres::prune_step::{PruneStep, ROWS_PER_STEP};
use ingest_postgres::transaction::Pool;

/// Deletes jobs that have been dead for longer than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    let statement = sqlx::query_as!(
        PruneStep,
        r#"
        WITH old AS MATERIALIZED (
            SELECT ctid, died_at FROM avinode_ingest.dead_jobs
            WHERE died_at >= coalesce($2::timestamptz, '-infinity') AND died_at < clock_timestamp() - $1::interval
            ORDER BY died_at
            LIMIT $3
        ), deleted AS (
            DELETE FROM avinode_ingest.dead_jobs
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) AND died_at < clock_timestamp() - $1::interval
        )
        SELECT count(*) AS "rows!", max(died_at) AS until FROM old
        "#,
        interval(retention),
        from,
        ROWS_PER_STEP,
    );
    pool.fetch_one(statement).await
}
