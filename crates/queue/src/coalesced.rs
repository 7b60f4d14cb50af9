//! Inserts jobs that cover every change until a worker claims them.

use crate::job_kind::JobKind;
use ingest_postgres::transaction::Transaction;

/// Inserts a job of a kind for each key that has no unclaimed one, and returns how many were inserted.
///
/// An unclaimed job is locked until this transaction ends: no worker claims it before it can see the change. A claimed one may
/// have read the state before, and does not count.
pub async fn insert(tx: &mut Transaction<'_>, kind: JobKind, keys: &[String]) -> Result<u64, sqlx::Error> {
    if keys.is_empty() {
        return Ok(0);
    }
    let inserted = sqlx::query!(
        r#"
        WITH waiting AS MATERIALIZED (
            SELECT key
            FROM avinode_ingest.jobs
            WHERE kind = $1 AND key = ANY ($2) AND lease_token IS NULL
            ORDER BY id
            -- A job that is locked is being claimed.
            FOR UPDATE SKIP LOCKED
        )
        INSERT INTO avinode_ingest.jobs (kind, key, due_at)
        SELECT $1, key, clock_timestamp()
        FROM unnest($2::text[]) AS new (key)
        WHERE key <> ALL (ARRAY(SELECT key FROM waiting))
        ORDER BY key
        "#,
        kind.as_str(),
        keys,
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected())
}
