//! Overrides defaults of the database and of the role that change what our statements mean: our statements are written for
//! READ COMMITTED, and have time limits of their own ([`super::limits`]).
//!
//! A default such as `ALTER DATABASE … SET default_transaction_isolation = 'serializable'` suits the application that set it. Ours
//! would fail with it under load, because its statements rely on seeing what was committed while they waited for a lock.
//!
//! A transaction overrides them in BEGIN, which works behind a transaction pooler as well. A statement without BEGIN
//! ([`super::autocommit`]) is sent on direct connections only; there, the session overrides them once, when it connects.
//!
//! JIT, which is on by default, is turned off for all statements: it would compile a statement for longer than the statement runs. Among a
//! million sessions, the look-ups of one batch took 88 ms with it instead of 3.5 ms; of the 2.3 s of a list of deliveries, which reads 13
//! partitions, it took 2.1 s.
//!
//! Other defaults are kept, for these reasons:
//!
//! - `DateStyle`, `TimeZone` and `client_encoding` are set by sqlx when it connects; a transaction pooler keeps them.
//! - `search_path`: the application's triggers run in our transactions and may rely on it. Our own names have their schema.
//! - `default_transaction_read_only`: set on purpose, to stop all writes. A managed Postgres sets it while its disk is full.
//! - `idle_in_transaction_session_timeout`, if it is set, and `lock_timeout`: they end a transaction that blocks others. Its work is
//!   repeated.

use std::time::Duration;

/// Returns the message that begins a transaction whose statements have this limit. SET LOCAL may follow in the same message.
pub(super) fn begin(statement_limit: Duration, settings: &str) -> String {
    let limit = statement_limit.as_millis();
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}; SET LOCAL jit = off; {settings}"
    )
}

/// The same for a session and the statements in it that are transactions of their own, and limits for a client that is gone: the
/// server finds out by TCP keepalive, and ends a transaction that is idle for a minute, unless a default ends it sooner.
macro_rules! session {
    ($more:literal) => {
        concat!(
            "SET default_transaction_isolation = 'read committed'; SET statement_timeout = '5s'; SET jit = off; ",
            "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; ",
            $more,
            "SELECT pid, backend_start::text AS started_at, CASE current_setting('idle_in_transaction_session_timeout') ",
            "WHEN '0' THEN set_config('idle_in_transaction_session_timeout', '60s', false) END ",
            "FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
    };
}

/// The settings of new sessions: one message per connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionSetup {
    Direct,
    /// For statements that find all rows by key. A plan that was made while a table was small would read all of it later, until the
    /// next ANALYZE.
    ByIndex,
    /// For the receiver: a locked table is named as the cause, before the statement's own limit.
    Receiving,
    /// Behind a transaction pooler, the settings of a session reach other clients.
    Pooler,
}

impl SessionSetup {
    /// Returns the statements; the last one returns the server process.
    pub(super) fn statements(self) -> Option<&'static str> {
        match self {
            Self::Direct => Some(session!("")),
            Self::ByIndex => Some(session!(
                "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; "
            )),
            Self::Receiving => Some(session!("SET lock_timeout = '4s'; ")),
            Self::Pooler => None,
        }
    }
}
