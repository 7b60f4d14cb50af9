//! Reports the changes that a migration made to rows of the application.

use super::AppliedMigration;
use crate::transaction::Pool;

/// Raises `quotes_received_count` of sessions that the application never counted.
const RAISES_COUNTS: i64 = 202_611_280_411;

/// Returns the number of sessions whose count of received quotes these migrations raised.
pub async fn raised_sessions(pool: &Pool, applied: &[AppliedMigration]) -> Result<i64, sqlx::Error> {
    if applied.iter().all(|migration| migration.version != RAISES_COUNTS) {
        return Ok(0);
    }
    let mut tx = pool.begin().await?;
    let raised = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.raised_counts")
        .persistent(false)
        .fetch_one(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(raised)
}
