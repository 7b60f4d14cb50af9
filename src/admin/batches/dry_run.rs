//! Dry runs of batches: they count, and change nothing but the record of the batch and the audit log. One that is resumed begins again.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::error::BatchError;
use super::observer::BatchObserver;
use super::record::get;
use super::work::BatchWork;
use super::{ROWS_PER_STEP, finish};
use crate::admin::preview::{self, Preview};
use crate::admin::selection::{RowSelection, SelectedIds};
use crate::jobs::apply::JobApplier;
use crate::postgres::transaction::Pool;
use crate::queue::admin::{self, JobFilter};
use crate::store::batches::{self, BatchCounts, BatchRow};

/// Sessions that the record of a batch names.
const MAX_SESSIONS: usize = 1_000;

/// Counts, and records the result. Returns false if it was stopped.
pub(super) async fn run(applier: &Arc<JobApplier>, id: Uuid, observer: &dyn BatchObserver) -> Result<bool, BatchError> {
    let pool = &applier.pool;
    let row = get(pool, id).await?;
    let work = BatchWork::of_row(&row)?;
    let (counts, result) = match work.selection() {
        RowSelection::Jobs(_) => {
            let Some(counts) = count_jobs(pool, &work, &row, observer).await? else {
                return Ok(false);
            };
            (counts, json!({}))
        }
        RowSelection::Deliveries(deliveries) => {
            let progress = |preview: &Preview| {
                let counts = preview_counts(preview);
                observer.stepped(&with_counts(&row, counts), false);
                !observer.stops()
            };
            let Some(preview) = preview::run(applier, deliveries, row.row_limit, &progress).await? else {
                return Ok(false);
            };
            (preview_counts(&preview), result(&preview))
        }
    };
    let mut tx = pool.begin().await?;
    if !batches::lock_at(&mut tx, id, None).await? {
        return Ok(true);
    }
    batches::advance(&mut tx, id, None, counts, false).await?;
    finish(&mut tx, &row, Some(&result)).await?;
    tx.commit().await?;
    Ok(true)
}

async fn count_jobs(
    pool: &Pool,
    work: &BatchWork,
    row: &BatchRow,
    observer: &dyn BatchObserver,
) -> Result<Option<BatchCounts>, BatchError> {
    let (mut selected, mut changed, mut position) = (0, 0, None);
    loop {
        if observer.stops() {
            return Ok(None);
        }
        let room = row.row_limit - i64::try_from(selected).unwrap_or(i64::MAX);
        let page = work
            .selection()
            .page(pool, position, room.clamp(1, ROWS_PER_STEP))
            .await?;
        let SelectedIds::Jobs(ids) = page.ids else { break };
        selected += ids.len();
        let filter = JobFilter {
            limit: ROWS_PER_STEP,
            ids: Some(ids),
            ..JobFilter::default()
        };
        let jobs = admin::list(pool, &filter).await?;
        changed += jobs.iter().filter(|job| work.would_change(job)).count();
        observer.stepped(&with_counts(row, BatchCounts::of(selected, changed, 0)), false);
        position = page.next;
        let is_full = i64::try_from(selected).is_ok_and(|selected| selected >= row.row_limit);
        if position.is_none() || is_full {
            break;
        }
    }
    Ok(Some(BatchCounts::of(selected, changed, 0)))
}

fn preview_counts(preview: &Preview) -> BatchCounts {
    BatchCounts::of(preview.selected, preview.selected - preview.unusable, preview.unusable)
}

fn result(preview: &Preview) -> serde_json::Value {
    let named: Vec<&Uuid> = preview.sessions.iter().take(MAX_SESSIONS).collect();
    json!({
        "sessions_changed": preview.sessions.len(),
        "sessions": named,
        "would_be_fetched": preview.fetched,
        "would_be_dead": preview.unreadable,
        "undecided": preview.undecided,
    })
}

fn with_counts(row: &BatchRow, counts: BatchCounts) -> BatchRow {
    let BatchCounts {
        selected,
        changed,
        skipped,
        failed,
    } = counts;
    BatchRow {
        selected,
        changed,
        skipped,
        failed,
        ..row.clone()
    }
}
