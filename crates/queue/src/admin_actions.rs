//! Retries and discards jobs, for an admin, in the transaction of the record of who does it.

use super::admin::words;
use crate::job_kind::JobKind;
use ingest_postgres::transaction::Transaction;

/// The beginning of the history line that separates a retried job from its previous life.
pub const DIED: &str = "died: ";

/// Makes jobs due now: dead ones come back with their history, as if inserted now, without their attempts; scheduled and
/// retryable ones wait no longer. Running ones are left alone. The outcomes will name the action. Returns the ids that were changed.
pub async fn retry(tx: &mut Transaction<'_>, ids: &[i64], action: &str) -> Result<Vec<i64>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH dead AS (
            DELETE FROM avinode_ingest.dead_jobs WHERE id = ANY ($1) RETURNING *
        ), revived AS (
            INSERT INTO avinode_ingest.jobs (id, kind, key, delivery_id, admin_action, history)
            SELECT id, kind, key, delivery_id, $3,
                (history || ($2::text || reason))[greatest(1, cardinality(history) - 8):]
            FROM dead
            ORDER BY id
            RETURNING id
        ), hastened AS (
            UPDATE avinode_ingest.jobs SET due_at = clock_timestamp(), admin_action = $3
            WHERE id = ANY ($1) AND lease_token IS NULL AND due_at > clock_timestamp()
            RETURNING id
        )
        SELECT id AS "id!" FROM (SELECT id FROM revived UNION ALL SELECT id FROM hastened) AS retried ORDER BY id
        "#,
        ids,
        DIED,
        action,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Returns which of these jobs are timers in the queue. Dead ones are not: they wait for an admin.
pub async fn timers(tx: &mut Transaction<'_>, ids: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id FROM avinode_ingest.jobs WHERE id = ANY ($1) AND kind = ANY ($2) ORDER BY id",
        ids,
        &words(&JobKind::TIMERS) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Removes dead and unclaimed jobs from the queue; their outcome says so, with this detail. Running ones are left alone. Returns the
/// ids.
pub async fn discard(tx: &mut Transaction<'_>, ids: &[i64], detail: &str) -> Result<Vec<i64>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH dead AS (
            DELETE FROM avinode_ingest.dead_jobs WHERE id = ANY ($1)
            RETURNING id, kind, key, delivery_id, created_at, attempts, NULL::uuid[] AS runs
        ), live AS (
            DELETE FROM avinode_ingest.jobs WHERE id = ANY ($1) AND lease_token IS NULL
            RETURNING id, kind, key, delivery_id, created_at, attempts, runs
        )
        INSERT INTO avinode_ingest.outcomes
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs)
        SELECT id, kind, key, delivery_id, created_at, attempts, 'discarded', $2::text, runs
        FROM (SELECT * FROM dead UNION ALL SELECT * FROM live) AS job
        ORDER BY id
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), outcome = EXCLUDED.outcome, detail = EXCLUDED.detail
        RETURNING job_id
        "#,
        ids,
        detail,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| row.job_id).collect())
}
