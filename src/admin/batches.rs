//! Batches: an action on many rows that a filter selects, in steps. A step commits its changes together with the position and the counts:
//! a process that is killed between two steps has lost nothing, and the next step repeats nothing. Of two processes that run a batch,
//! one makes a step at a time.

pub mod dry_run;
pub mod ending;
pub mod error;
pub mod handler;
pub mod observer;
pub mod pace;
pub mod record;
pub mod runner;
pub mod work;

use serde_json::{Value, json};
use uuid::Uuid;

use self::error::{BatchError, unreadable};
use self::record::{acting_of, audited, counts, details, get};
use self::work::BatchWork;
use super::selection::Position;
use crate::domain::actor::{Acting, ActionNote};
use crate::postgres::transaction::{Pool, Transaction};
use crate::queue::enqueue::{self, InsertOptions, NewJob, UniqueOptions};
use crate::queue::job_kind::JobKind;
use crate::queue::listener;
use crate::store::audit::{self, AuditState, AuditedRun};
use crate::store::batches::{self, BatchRow, BatchState, NewBatchRow};

/// Rows of one step.
pub const ROWS_PER_STEP: i64 = 500;
/// The rows that a batch selects at most unless another limit is given.
pub const DEFAULT_LIMIT: i64 = 10_000;
pub const MAX_LIMIT: i64 = 1_000_000;

/// A batch to begin.
#[derive(Debug, Clone)]
pub struct NewBatch {
    pub work: BatchWork,
    /// Counts, and changes nothing but the record of the batch and the audit log.
    pub dry_run: bool,
    /// The most rows that are selected.
    pub limit: i64,
    pub acting: Acting,
}

/// Who makes the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepsBy {
    /// The caller, by [`runner::run`].
    Caller,
    /// A worker of the service: a job of the kind `run_batch`.
    Worker,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchStep {
    /// Another process may have made it.
    Done,
    /// Too many jobs wait. Nothing was changed.
    Waits,
    Finished,
    /// The batch was interrupted or failed.
    Stopped,
}

/// Records a batch. Rows that are inserted from now on are not selected.
///
/// # Errors
/// It has no filter.
pub async fn begin(pool: &Pool, new: &NewBatch, steps_by: StepsBy) -> Result<Uuid, BatchError> {
    if new.work.is_unfiltered() {
        return Err(BatchError::NoFilter);
    }
    let mut tx = pool.begin().await?;
    let id = begin_in(&mut tx, new, steps_by).await?;
    tx.commit().await?;
    Ok(id)
}

async fn begin_in(tx: &mut Transaction<'_>, new: &NewBatch, steps_by: StepsBy) -> Result<Uuid, BatchError> {
    let begun_at = batches::now(tx).await?;
    let work = new.work.clone().bounded_by(begun_at);
    let (id, filter) = (Uuid::now_v7(), work.filter());
    let Acting { actor, note } = &new.acting;
    let row = NewBatchRow {
        id,
        actor: actor.as_str(),
        action: work.action(),
        filter: &filter,
        note: note.as_ref().map(ActionNote::as_str),
        dry_run: new.dry_run,
        row_limit: new.limit.clamp(1, MAX_LIMIT),
        by_worker: steps_by == StepsBy::Worker,
        begun_at,
    };
    batches::insert(tx, &row).await?;
    let run = AuditedRun {
        run: id,
        actor: actor.clone(),
        action: work.audit_action(),
        dry_run: new.dry_run,
        details: details(&filter, row.note),
    };
    audit::append_in(tx, &run, AuditState::Begun, &json!({})).await?;
    if steps_by == StepsBy::Worker {
        enqueue_steps(tx, id).await?;
    }
    Ok(id)
}

/// Begins the action that a finished dry run counted, on rows that were inserted before the dry run began. `text`: that of its filter.
///
/// # Errors
/// The batch is unknown, or no finished dry run, or its filter has another text, or the action was begun already.
pub async fn begin_counted(
    pool: &Pool,
    dry_run: Uuid,
    text: Option<&str>,
    acting: Acting,
    steps_by: StepsBy,
) -> Result<Uuid, BatchError> {
    let counted = get(pool, dry_run).await?;
    let new = NewBatch {
        work: BatchWork::of_dry_run(&counted, text)?,
        dry_run: false,
        limit: counted.row_limit,
        acting,
    };
    let mut tx = pool.begin().await?;
    let id = begin_in(&mut tx, &new, steps_by).await?;
    if !batches::record_begun(&mut tx, dry_run, id).await? {
        return Err(BatchError::Begun(dry_run));
    }
    tx.commit().await?;
    Ok(id)
}

/// Continues an interrupted or failed batch, or one of a process that was killed.
///
/// # Errors
/// The batch is unknown, or finished.
pub async fn resume(pool: &Pool, id: Uuid, acting: &Acting, steps_by: StepsBy) -> Result<(), BatchError> {
    let mut tx = pool.begin().await?;
    let Some(row) = batches::resume(&mut tx, id, steps_by == StepsBy::Worker).await? else {
        drop(tx);
        return Err(missing(pool, id).await?);
    };
    let mut details = details(&row.filter, acting.note.as_ref().map(ActionNote::as_str));
    details["resumed"] = json!(true);
    let run = AuditedRun {
        details,
        actor: acting.actor.clone(),
        ..audited(&row)?
    };
    audit::append_in(&mut tx, &run, AuditState::Begun, &json!({})).await?;
    if steps_by == StepsBy::Worker {
        enqueue_steps(&mut tx, id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Makes one step of a batch that is no dry run.
///
/// # Errors
/// Nothing was changed.
pub async fn step(pool: &Pool, id: Uuid, by: StepsBy) -> Result<BatchStep, BatchError> {
    let row = get(pool, id).await?;
    match row.state.parse() {
        Ok(BatchState::Running) => {}
        Ok(BatchState::Finished) => return Ok(BatchStep::Finished),
        _ => return Ok(BatchStep::Stopped),
    }
    let work = BatchWork::of_row(&row)?;
    if !pace::may_step(pool, &work).await? {
        return Ok(BatchStep::Waits);
    }
    let position: Option<Position> = row
        .position
        .clone()
        .map(serde_json::from_value)
        .transpose()
        .map_err(unreadable(id))?;
    let room = row.row_limit - row.selected;
    let page = work
        .selection()
        .page(pool, position, room.clamp(1, ROWS_PER_STEP))
        .await?;
    let mut tx = pool.begin().await?;
    if !batches::lock_at(&mut tx, id, row.position.as_ref()).await? {
        return Ok(BatchStep::Done);
    }
    let acting = acting_of(&row);
    let changed = work.change(&mut tx, &page.ids, &acting).await?;
    let next = page.next.filter(|_| changed.selected < room);
    let position = next.map(|next| json!(next));
    batches::advance(&mut tx, id, position.as_ref(), changed, by == StepsBy::Worker).await?;
    if next.is_none() {
        finish(&mut tx, &row, None).await?;
    }
    tx.commit().await?;
    Ok(match next {
        Some(_) => BatchStep::Done,
        None => BatchStep::Finished,
    })
}

/// Records the end of a batch, and deletes the text of its filter.
async fn finish(tx: &mut Transaction<'_>, row: &BatchRow, result: Option<&Value>) -> Result<(), BatchError> {
    let filter = work::without_text(&row.filter);
    let finished = batches::end(tx, row.id, BatchState::Finished, Some(&filter), result).await?;
    let finished = finished.ok_or(BatchError::Finished(row.id))?;
    audit::append_in(tx, &audited(&finished)?, AuditState::Finished, &counts(&finished)).await?;
    Ok(())
}

async fn missing(pool: &Pool, id: Uuid) -> Result<BatchError, BatchError> {
    Ok(match batches::get(pool, id).await? {
        Some(_) => BatchError::Finished(id),
        None => BatchError::Unknown(id),
    })
}

async fn enqueue_steps(tx: &mut Transaction<'_>, id: Uuid) -> Result<(), sqlx::Error> {
    let job = NewJob::new(JobKind::RunBatch, id.to_string());
    // A claimed one may be at its end.
    enqueue::insert(tx, &[job], InsertOptions::unique(UniqueOptions::default())).await?;
    listener::wake(tx).await
}
