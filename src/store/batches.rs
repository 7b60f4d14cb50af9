//! The table `batches`: actions on many rows, with the position and the counts of their steps.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::postgres::prune_step;
use crate::postgres::prune_step::PruneStep;
use crate::postgres::transaction::{Pool, Transaction};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString, VariantArray, Serialize, Deserialize, ToSchema,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Steps are made, or the command that made them was killed.
    Running,
    /// Stopped before its end, or the job that made its steps died or was discarded.
    Interrupted,
    Finished,
    /// A step failed, and changed nothing.
    Failed,
}

impl BatchState {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Batch)]
pub struct BatchRow {
    pub id: Uuid,
    /// Who began it.
    pub actor: String,
    /// `retry`, `discard` or `replay`.
    pub action: String,
    /// Its text is replaced by its digest when the batch is finished.
    #[schema(value_type = Object)]
    pub filter: Value,
    pub note: Option<String>,
    pub dry_run: bool,
    /// The most rows that are selected.
    pub row_limit: i64,
    /// `running`, `interrupted`, `finished` or `failed`.
    pub state: String,
    /// The last selected row; `None` before the first step.
    #[schema(value_type = Option<Object>)]
    pub position: Option<Value>,
    pub selected: i64,
    /// Of a dry run: those that would be.
    pub changed: i64,
    /// Rows in a state that allows or needs no change.
    pub skipped: i64,
    /// Rows that cannot be changed: the delivery is redacted or deleted.
    pub failed: i64,
    /// The changes that a replay would make, of a dry run, and the batch that was `begun` from it; or the error of a failed batch.
    #[schema(value_type = Object)]
    pub result: Value,
    pub begun_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// The rows of a step, as [`BatchRow`] counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchCounts {
    pub selected: i64,
    pub changed: i64,
    pub skipped: i64,
    pub failed: i64,
}

impl BatchCounts {
    /// The counts of selected rows: those that were neither changed nor failed were skipped.
    pub fn of(selected: usize, changed: usize, failed: usize) -> Self {
        let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        Self {
            selected: count(selected),
            changed: count(changed),
            skipped: count(selected.saturating_sub(changed + failed)),
            failed: count(failed),
        }
    }
}

/// A batch to insert.
#[derive(Debug, Clone)]
pub struct NewBatchRow<'a> {
    pub id: Uuid,
    pub actor: &'a str,
    pub action: &'a str,
    pub filter: &'a Value,
    pub note: Option<&'a str>,
    pub dry_run: bool,
    pub row_limit: i64,
    /// Its steps are made by a job.
    pub by_worker: bool,
    pub begun_at: DateTime<Utc>,
}

/// The time by the database's clock, which is that of the rows to select.
pub async fn now(tx: &mut Transaction<'_>) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#)
        .fetch_one(tx)
        .await
}

/// Inserts a running batch.
pub async fn insert(tx: &mut Transaction<'_>, batch: &NewBatchRow<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.batches (id, actor, action, filter, note, dry_run, row_limit, by_worker, state, begun_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $9)
        "#,
        batch.id,
        batch.actor,
        batch.action,
        batch.filter,
        batch.note,
        batch.dry_run,
        batch.row_limit,
        batch.by_worker,
        batch.begun_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records the batch that a dry run led to. `false` if it led to one before.
pub async fn record_begun(tx: &mut Transaction<'_>, dry_run: Uuid, begun: Uuid) -> Result<bool, sqlx::Error> {
    let recorded = sqlx::query!(
        r#"
        UPDATE avinode_ingest.batches
        SET result = coalesce(result, '{}') || jsonb_build_object('begun', $2::uuid)
        WHERE id = $1 AND NOT coalesce(result, '{}') ? 'begun'
        "#,
        dry_run,
        begun,
    );
    Ok(recorded.execute(tx).await?.rows_affected() == 1)
}

/// Locks a running batch, if it still has this position: of two processes that read it, one makes the step.
pub async fn lock_at(tx: &mut Transaction<'_>, id: Uuid, position: Option<&Value>) -> Result<bool, sqlx::Error> {
    let locked = sqlx::query!(
        r#"
        SELECT id FROM avinode_ingest.batches
        WHERE id = $1 AND state = 'running' AND position IS NOT DISTINCT FROM $2
        FOR UPDATE
        "#,
        id,
        position,
    )
    .fetch_optional(tx)
    .await?;
    Ok(locked.is_some())
}

/// Adds the counts of a step to a locked batch, and moves its position. `by_worker`: a job made the step.
pub async fn advance(
    tx: &mut Transaction<'_>,
    id: Uuid,
    position: Option<&Value>,
    counts: BatchCounts,
    by_worker: bool,
) -> Result<(), sqlx::Error> {
    let updated = sqlx::query!(
        r#"
        UPDATE avinode_ingest.batches
        SET position = coalesce($2, position), selected = selected + $3, changed = changed + $4, skipped = skipped + $5,
            failed = failed + $6, by_worker = $7
        WHERE id = $1
        "#,
        id,
        position,
        counts.selected,
        counts.changed,
        counts.skipped,
        counts.failed,
        by_worker,
    )
    .execute(tx)
    .await?;
    match updated.rows_affected() {
        1 => Ok(()),
        _ => Err(sqlx::Error::RowNotFound),
    }
}

/// Makes an unfinished batch running again. Returns the row, unless the batch is finished or unknown.
pub async fn resume(tx: &mut Transaction<'_>, id: Uuid, by_worker: bool) -> Result<Option<BatchRow>, sqlx::Error> {
    sqlx::query_as!(
        BatchRow,
        r#"
        UPDATE avinode_ingest.batches
        SET state = 'running', by_worker = $2, result = '{}', finished_at = NULL
        WHERE id = $1 AND state <> 'finished'
        RETURNING id, actor, action, filter, note, dry_run, row_limit, state, position, selected, changed, skipped, failed,
            result, begun_at, finished_at
        "#,
        id,
        by_worker,
    )
    .fetch_optional(tx)
    .await
}

/// Ends an unfinished batch, with its filter and result. Returns the row, unless the batch is finished or unknown.
pub async fn end(
    tx: &mut Transaction<'_>,
    id: Uuid,
    state: BatchState,
    filter: Option<&Value>,
    result: Option<&Value>,
) -> Result<Option<BatchRow>, sqlx::Error> {
    sqlx::query_as!(
        BatchRow,
        r#"
        UPDATE avinode_ingest.batches
        SET state = $2::text, filter = coalesce($3, filter),
            result = coalesce($4, result),
            finished_at = CASE WHEN $2 IN ('finished', 'failed') THEN clock_timestamp() END
        WHERE id = $1 AND state <> 'finished'
        RETURNING id, actor, action, filter, note, dry_run, row_limit, state, position, selected, changed, skipped, failed,
            result, begun_at, finished_at
        "#,
        id,
        state.as_str(),
        filter,
        result,
    )
    .fetch_optional(tx)
    .await
}

/// Returns a batch.
pub async fn get(pool: &Pool, id: Uuid) -> Result<Option<BatchRow>, sqlx::Error> {
    let filter = BatchFilter {
        id: Some(id),
        limit: 1,
        ..BatchFilter::default()
    };
    Ok(list(pool, &filter).await?.pop())
}

/// Selects batches to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct BatchFilter {
    pub id: Option<Uuid>,
    pub state: Option<BatchState>,
    /// Only batches that began before this one.
    pub before: Option<Uuid>,
    pub limit: i64,
}

/// Lists batches, the newest first. A running one with steps made by a job is interrupted where that job is gone: it died, or was
/// discarded.
pub async fn list(pool: &Pool, filter: &BatchFilter) -> Result<Vec<BatchRow>, sqlx::Error> {
    let query = sqlx::query_as!(
        BatchRow,
        r#"
        SELECT id, actor, action, filter, note, dry_run, row_limit, current.state AS "state!", position, selected, changed,
            skipped, failed, result, begun_at, finished_at
        FROM avinode_ingest.batches AS batch
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN batch.state = 'running' AND batch.by_worker AND NOT EXISTS (
                    SELECT FROM avinode_ingest.jobs AS job WHERE job.kind = 'run_batch' AND job.key = batch.id::text
                ) THEN $5
                ELSE batch.state
            END AS state
        ) AS current
        WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR current.state = $2) AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC
        LIMIT $4
        "#,
        filter.id,
        filter.state.map(BatchState::as_str),
        filter.before,
        filter.limit,
        BatchState::Interrupted.as_str(),
    );
    pool.fetch_all(query).await
}

/// Deletes batches that began longer than `retention` ago, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.batches", "begun_at", "true", retention, from).await
}
