//! The errors of batches.

use uuid::Uuid;

use crate::queue::job::JobError;

#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("a batch needs a filter")]
    NoFilter,
    #[error("there is no batch {0}")]
    Unknown(Uuid),
    #[error("batch {0} is finished")]
    Finished(Uuid),
    #[error("batch {id} has an action or a filter that this version does not know: {reason}")]
    Unreadable { id: Uuid, reason: String },
    #[error("batch {0} is no dry run that is finished")]
    NotCounted(Uuid),
    #[error("a batch was begun from dry run {0} already")]
    Begun(Uuid),
    #[error("the text is not that of batch {0}")]
    OtherText(Uuid),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The error of a record that cannot be read.
pub(super) fn unreadable(id: Uuid) -> impl Fn(serde_json::Error) -> BatchError {
    move |error| BatchError::Unreadable {
        id,
        reason: error.to_string(),
    }
}
