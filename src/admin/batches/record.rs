//! The record of a batch, and what the audit log says of it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::error::BatchError;
use super::work::{self, BatchWork};
use crate::domain::actor::{Acting, ActionNote, Actor};
use crate::postgres::transaction::Pool;
use crate::store::audit::AuditedRun;
use crate::store::batches::{self, BatchRow};

/// # Errors
/// The batch is unknown.
pub async fn get(pool: &Pool, id: Uuid) -> Result<BatchRow, BatchError> {
    batches::get(pool, id).await?.ok_or(BatchError::Unknown(id))
}

pub(super) fn audited(row: &BatchRow) -> Result<AuditedRun, BatchError> {
    Ok(AuditedRun {
        run: row.id,
        actor: Actor::stored(row.actor.clone()),
        action: BatchWork::of_row(row)?.audit_action(),
        dry_run: row.dry_run,
        details: details(&row.filter, row.note.as_deref()),
    })
}

pub(super) fn acting_of(row: &BatchRow) -> Acting {
    let note = row.note.as_deref().and_then(|note| ActionNote::parse(note).ok());
    Acting::new(Actor::stored(row.actor.clone()), note)
}

pub(super) fn details(filter: &Value, note: Option<&str>) -> Value {
    let mut details = json!({"filter": work::without_text(filter)});
    if let Some(note) = note {
        details["note"] = json!(note);
    }
    details
}

pub(super) fn counts(row: &BatchRow) -> Value {
    json!({"selected": row.selected, "changed": row.changed, "skipped": row.skipped, "failed": row.failed})
}
