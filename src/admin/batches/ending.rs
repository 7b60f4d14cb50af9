//! The end of a batch before it is finished.

use serde_json::{Value, json};
use uuid::Uuid;

use super::error::BatchError;
use super::record::{audited, counts};
use crate::postgres::transaction::{Pool, Transaction};
use crate::queue::admin_actions;
use crate::queue::enqueue;
use crate::queue::job_kind::JobKind;
use crate::store::audit::{self, AuditState};
use crate::store::batches::{self, BatchState};

/// Interrupts the running batches whose steps were to be made by discarded jobs (among `jobs`), and by no other job: they make no further
/// ones. A command that runs such a batch itself ends with it.
pub async fn stop_discarded(tx: &mut Transaction<'_>, jobs: &[i64]) -> Result<(), sqlx::Error> {
    let keys = admin_actions::discarded_keys(tx, jobs, JobKind::RunBatch).await?;
    if keys.is_empty() {
        return Ok(());
    }
    let served = enqueue::keys_with_jobs(tx, &[JobKind::RunBatch], &keys).await?;
    let left = keys.iter().filter(|key| !served.contains(key));
    let ids: Vec<Uuid> = left.filter_map(|key| key.parse().ok()).collect();
    for id in batches::lock_running(tx, &ids).await? {
        end_in(tx, id, BatchState::Interrupted, AuditState::Interrupted, None).await?;
    }
    Ok(())
}

/// Stops a batch that is not finished, so that it can be resumed.
pub async fn interrupt(pool: &Pool, id: Uuid) -> Result<(), BatchError> {
    end(pool, id, BatchState::Interrupted, AuditState::Interrupted, None).await
}

/// Records that a step failed. The batch can be resumed.
pub async fn fail(pool: &Pool, id: Uuid, error: &BatchError) -> Result<(), BatchError> {
    let result = json!({"error": error.to_string()});
    end(pool, id, BatchState::Failed, AuditState::Failed, Some(result)).await
}

async fn end(
    pool: &Pool,
    id: Uuid,
    state: BatchState,
    audit_state: AuditState,
    result: Option<Value>,
) -> Result<(), BatchError> {
    let mut tx = pool.begin().await?;
    end_in(&mut tx, id, state, audit_state, result).await?;
    tx.commit().await?;
    Ok(())
}

async fn end_in(
    tx: &mut Transaction<'_>,
    id: Uuid,
    state: BatchState,
    audit_state: AuditState,
    result: Option<Value>,
) -> Result<(), sqlx::Error> {
    let Some(row) = batches::set_state(tx, id, state, None, result.as_ref()).await? else {
        return Ok(());
    };
    // A batch of another version may have an action that the audit log of this version cannot name. Its state is recorded without a row there.
    if let Ok(mut run) = audited(&row) {
        if let Some(result) = result {
            run.details["error"] = result["error"].clone();
        }
        audit::append_in(tx, &run, audit_state, &counts(&row)).await?;
    }
    Ok(())
}
