//! Overrides defaults of the database and of the role that change what our statements mean: our statements are written for
//! READ COMMITTED, and have time limits of their own.
//!
//! A default such as `ALTER DATABASE … SET default_transaction_isolation = 'serializable'` suits the application that set it. Ours
//! would fail with it under load, because its statements rely on seeing what was committed while they waited for a lock.
//!
//! A transaction overrides them in BEGIN, which works behind a transaction pooler as well. A statement without BEGIN
//! ([`super::autocommit`]) is sent on direct connections only; there, the session overrides them once, when it connects.
//!
//! Other defaults are kept, for these reasons:
//!
//! - `DateStyle`, `TimeZone` and `client_encoding` are set by sqlx when it connects; a transaction pooler keeps them.
//! - `search_path`: the application's triggers run in our transactions and may rely on it. Our own names have their schema.
//! - `default_transaction_read_only`: set on purpose, to stop all writes. A managed Postgres sets it while its disk is full.
//! - `idle_in_transaction_session_timeout` and `lock_timeout`: they end a transaction that blocks others. Its work is repeated.

use sqlx::Executor as _;
use sqlx::postgres::PgPoolOptions;

/// Begins a transaction. SET LOCAL may follow in the same message.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; ";

/// The same for a session and the statements in it that are transactions of their own.
pub(super) const SESSION: &str = "SET default_transaction_isolation = 'read committed'; SET statement_timeout = 0";

/// For statements that find all rows by key. A plan that was made while a table was small would read all of it later, until the next
/// ANALYZE.
const BY_INDEX: &str = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; SET jit = off";

/// Lets new connections override the defaults: one round trip per connection.
pub(super) fn override_at_connect(options: PgPoolOptions) -> PgPoolOptions {
    options.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(SESSION).await?;
            Ok(())
        })
    })
}

/// The same, and lets them plan their statements once, by index.
pub(super) fn plan_by_index_at_connect(options: PgPoolOptions) -> PgPoolOptions {
    options.after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(SESSION).await?;
            connection.execute(BY_INDEX).await?;
            Ok(())
        })
    })
}

/// Lets new connections keep the defaults: behind a transaction pooler, the settings of a session reach other clients.
pub(super) fn keep_at_connect(options: PgPoolOptions) -> PgPoolOptions {
    options.after_connect(|_, _| Box::pin(async { Ok(()) }))
}
