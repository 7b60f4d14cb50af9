//! The way in which a batch writes rows of the application's tables, which may refuse a row by a constraint or a trigger.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Without savepoints, each of which takes two round trips and a transaction id: a refusal ends the transaction.
    Together,
    /// In savepoints, so that a refused row does not prevent the others.
    Separately,
}

/// The error of a write.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The table refused a row, in [`WriteMode::Together`].
    #[error("the table refused a row: {0}")]
    Refused(#[source] sqlx::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
