//! The end of a batch before it is finished.

use serde_json::{Value, json};
use uuid::Uuid;

use super::error::BatchError;
use super::record::{audited, counts};
use crate::postgres::transaction::Pool;
use crate::store::audit::{self, AuditState};
use crate::store::batches::{self, BatchState};

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
    let Some(row) = batches::end(&mut tx, id, state, None, result.as_ref()).await? else {
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
