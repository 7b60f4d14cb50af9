//! The table `audit`: what admins did to stored data. Append-only: a run has a row when it begins and one when it ends.

use std::time::Duration;

use serde_json::Value;
use strum::IntoStaticStr;
use uuid::Uuid;

use crate::postgres::interval::interval;
use crate::postgres::transaction::Pool;

#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AuditState {
    Begun,
    Finished,
    /// Work is left; the same command finishes it.
    Interrupted,
    Failed,
}

/// An action of an admin.
#[derive(Debug, Clone)]
pub struct AuditedRun {
    /// The rows of one run have the same id.
    pub run: Uuid,
    /// The user of the operating system and the host, or the name of a token.
    pub actor: String,
    /// For example `purge`.
    pub action: &'static str,
    pub dry_run: bool,
    /// The filter. Personal text is in it as a digest only.
    pub details: Value,
}

/// Appends a row. `counts`: changed rows by table.
pub async fn append(pool: &Pool, run: &AuditedRun, state: AuditState, counts: &Value) -> Result<(), sqlx::Error> {
    let state: &'static str = state.into();
    let statement = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.audit (run, actor, action, dry_run, state, details, counts)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        "#,
        run.run,
        run.actor,
        run.action,
        run.dry_run,
        state,
        run.details,
        counts,
    );
    pool.execute(statement).await.map(drop)
}

/// Deletes the oldest rows that are older than `retention`, at most `max_rows`, and returns how many.
pub async fn prune(pool: &Pool, retention: Duration, max_rows: i32) -> Result<u64, sqlx::Error> {
    let statement = sqlx::query!(
        r#"SELECT avinode_ingest.prune_audit($1, $2) AS "deleted!""#,
        interval(retention),
        max_rows
    );
    let deleted = pool.fetch_one(statement).await?.deleted;
    Ok(deleted.unsigned_abs())
}
