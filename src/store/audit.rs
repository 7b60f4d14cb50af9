//! The table `audit`: what admins and callers of the API did to stored data. Append-only: a run in steps has a row when it begins and one
//! when it ends, a single change one row.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::postgres::interval::interval;
use crate::postgres::transaction::{Pool, Transaction};

/// An action, as the log names it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, EnumString, VariantArray, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AuditAction {
    Purge,
    RetryJobs,
    DiscardJobs,
    ReplayDeliveries,
    ExportDeliveries,
    CreateOrUpdateSession,
    RecordActivity,
    PauseSession,
    ResumeSession,
    UpdateTrip,
    SetConversationType,
    RecordQuote,
    UnpinPrimaryQuote,
    AttachProposal,
    CompleteSession,
    ArchiveSessions,
}

impl AuditAction {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

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
    pub actor: Actor,
    pub action: AuditAction,
    pub dry_run: bool,
    /// The filter. Personal text is in it as a digest only.
    pub details: Value,
}

/// Appends a row in a transaction of its own. `counts`: changed rows by table.
pub async fn append(pool: &Pool, run: &AuditedRun, state: AuditState, counts: &Value) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    append_in(&mut tx, run, state, counts).await?;
    tx.commit().await
}

/// Appends a row in the transaction of the change.
pub async fn append_in(
    tx: &mut Transaction<'_>,
    run: &AuditedRun,
    state: AuditState,
    counts: &Value,
) -> Result<(), sqlx::Error> {
    let state: &'static str = state.into();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.audit (run, actor, action, dry_run, state, details, counts)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        "#,
        run.run,
        run.actor.as_str(),
        run.action.as_str(),
        run.dry_run,
        state,
        run.details,
        counts,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    pub id: i64,
    pub at: DateTime<Utc>,
    /// The rows of one run have the same id; of a batch it is the id of the batch.
    pub run: Uuid,
    pub actor: String,
    pub action: String,
    pub dry_run: bool,
    /// `begun`, `finished`, `interrupted` or `failed`.
    pub state: String,
    /// The filter or the ids. Personal text is in it as a digest only.
    #[schema(value_type = Object)]
    pub details: Value,
    /// Changed rows by table.
    #[schema(value_type = Object)]
    pub counts: Value,
}

/// Selects rows to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Exactly this actor.
    pub actor: Option<String>,
    pub action: Option<AuditAction>,
    pub since: Option<DateTime<Utc>>,
    /// Only rows before this one.
    pub before: Option<i64>,
    pub limit: i64,
}

/// Lists rows, the newest first.
pub async fn list(pool: &Pool, filter: &AuditFilter) -> Result<Vec<AuditEntry>, sqlx::Error> {
    let query = sqlx::query_as!(
        AuditEntry,
        r#"
        SELECT id, at, run, actor, action, dry_run, state, details, counts
        FROM avinode_ingest.audit
        WHERE ($1::text IS NULL OR actor = $1)
            AND ($2::text IS NULL OR action = $2)
            AND ($3::timestamptz IS NULL OR at >= $3)
            AND ($4::bigint IS NULL OR id < $4)
        ORDER BY id DESC
        LIMIT $5
        "#,
        filter.actor,
        filter.action.map(AuditAction::as_str),
        filter.since,
        filter.before,
        filter.limit,
    );
    pool.fetch_all(query).await
}

/// Appends the row of a change that takes one transaction.
pub async fn append_change(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    action: AuditAction,
    details: Value,
    counts: &Value,
) -> Result<(), sqlx::Error> {
    let run = AuditedRun {
        run: Uuid::now_v7(),
        actor: actor.clone(),
        action,
        dry_run: false,
        details,
    };
    append_in(tx, &run, AuditState::Finished, counts).await
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
