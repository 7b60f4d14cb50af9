//! Due jobs that no worker works on.

use std::time::Duration;

use super::job_kind::JobKind;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Pool;

/// Returns `true` if jobs that need only the database have been due for this long while none of them runs and none was finished.
pub async fn is_work_standing_still(pool: &Pool, bound: Duration) -> Result<bool, sqlx::Error> {
    let kinds = [
        JobKind::FullEvent,
        JobKind::EventReplay,
        JobKind::Rematch,
        JobKind::QuoteExpiry,
    ];
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let still = sqlx::query!(
        r#"
        SELECT EXISTS (
            SELECT FROM avinode_ingest.jobs
            WHERE kind = ANY ($1) AND lease_token IS NULL AND due_at < clock_timestamp() - $2::interval
        ) AND NOT EXISTS (
            SELECT FROM avinode_ingest.jobs
            WHERE kind = ANY ($1) AND lease_token IS NOT NULL AND due_at > clock_timestamp()
        ) AND NOT EXISTS (
            SELECT FROM avinode_ingest.outcomes WHERE finished_at > clock_timestamp() - $2::interval
        ) AS "still!"
        "#,
        &kinds as &[&str],
        interval(bound),
    );
    Ok(pool.fetch_one(still).await?.still)
}
