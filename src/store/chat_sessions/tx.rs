//! How a transaction of the sessions API begins, in one message to the server.
//!
//! Its patience for a lock (`lock_timeout`) is below Postgres's default `deadlock_timeout`, as the workers' is: where the
//! API and the application wait for each other, the API gives way and tries again. A statement has a time as well: a
//! broker waits for it. A commit waits for the disk: what was answered stays.

use crate::postgres::transaction::{Pool, Transaction};

const WRITING: &str = "BEGIN; SET LOCAL lock_timeout = '300ms'; SET LOCAL statement_timeout = '5s'; \
     SET LOCAL synchronous_commit = on";
const MANY: &str = "BEGIN; SET LOCAL lock_timeout = '300ms'; SET LOCAL statement_timeout = '60s'; \
     SET LOCAL synchronous_commit = on";
const READING: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '5s'";

/// A transaction that writes one session.
pub async fn writing(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.begin_with(WRITING).await
}

/// A transaction that may write many.
pub async fn writing_many(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.begin_with(MANY).await
}

/// A transaction that cannot write, whatever is asked of it.
pub async fn reading(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.begin_with(READING).await
}
