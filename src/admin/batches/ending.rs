//! The end of a batch before it is finished.

use serde_json::{Value, json};
use uuid::Uuid;

use super::error::BatchError;
use super::{audited, counts, get};
use crate::postgres::transaction::Pool;
use crate::store::audit::{self, AuditState};
use crate::store::batches::{self, BatchState};

/// Records that a running batch makes no further steps, because its job was discarded.
pub async fn stop(pool: &Pool, id: Uuid) -> Result<(), BatchError> {
    match get(pool, id).await {
        Ok(row) if row.state == BatchState::Running.as_str() => interrupt(pool, id).await,
        Ok(_) | Err(BatchError::Unknown(_)) => Ok(()),
        Err(error) => Err(error),
    }
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
    let Some(row) = batches::set_state(&mut tx, id, state, None, result.as_ref()).await? else {
        return Ok(());
    };
    // A batch of another version may have an action that the audit log of this version cannot name. Its state is recorded without a row there.
    if let Ok(mut run) = audited(&row) {
        if let Some(result) = result {
            run.details["error"] = result["error"].clone();
        }
        audit::append_in(&mut tx, &run, audit_state, &counts(&row)).await?;
    }
    tx.commit().await?;
    Ok(())
}
