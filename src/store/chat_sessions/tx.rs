//! Begins the transactions of the sessions API, with one message to the server.
//!
//! `lock_timeout` is shorter than Postgres's default `deadlock_timeout`, as for the workers: where the API and the
//! application wait for each other, the API gives up and retries. A statement's limit is short because a broker waits for
//! the response. The commit is synchronous: a successful response is durable.

use std::time::Duration;

use crate::postgres::limits::SERVICE_STATEMENT;
use crate::postgres::transaction::{Pool, Transaction};

const WRITE: &str = "SET LOCAL lock_timeout = '300ms'; \
     SET LOCAL synchronous_commit = on; ";
const BULK_STATEMENT: Duration = Duration::from_secs(60);
const BULK_WRITE: &str = "SET LOCAL lock_timeout = '300ms'; \
     SET LOCAL synchronous_commit = on; ";
const READ: &str = "SET TRANSACTION READ ONLY; ";

/// Begins a transaction that writes one session.
pub async fn writing(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.statement_limit(SERVICE_STATEMENT).begin_with(WRITE).await
}

/// Begins a transaction that may write many sessions.
pub async fn writing_many(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.statement_limit(BULK_STATEMENT).begin_with(BULK_WRITE).await
}

/// Begins a read-only transaction.
pub async fn reading(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.statement_limit(SERVICE_STATEMENT).begin_with(READ).await
}
