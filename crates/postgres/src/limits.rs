//! Time limits around everything that is sent to the server. The driver has none of its own, neither for a statement nor for its
//! housekeeping, and cannot set TCP keepalive: a connection whose other end is silent would be waited for until the kernel gives up.
//!
//! A statement may take long, such as one with a trigger of the application. After two seconds without an answer, another connection asks
//! the server whether it still works on it (`give_up::is_working`): a connection that only fell silent is given up then.
//!
//! The server ends a statement first (`statement_timeout`). Only where it is silent as well does the limit here end the wait, and
//! the connection is given up (`give_up`).

use std::io;
use std::time::Duration;

use sqlx::Error;
use tokio::time::timeout;

/// The limit of a statement of the service at the server.
pub const SERVICE_STATEMENT: Duration = Duration::from_secs(5);
/// The same for the work of jobs, which runs triggers of the application.
pub const WORK_STATEMENT: Duration = Duration::from_secs(60);
/// The same for admin commands and for maintenance, which read whole tables.
pub const LONG_STATEMENT: Duration = Duration::from_secs(600);
/// The answer to BEGIN, which waits for nothing.
pub(super) const BEGIN: Duration = Duration::from_secs(3);
/// The answer of an idle connection, before it is used.
pub(super) const PING: Duration = Duration::from_secs(1);
/// The end of what was still running when a connection was given back.
pub(super) const RELEASE: Duration = Duration::from_secs(2);
/// After this time without an answer, another connection finds out whether the server still works on the statement.
pub(super) const QUIET: Duration = Duration::from_secs(2);
/// How much longer than the server itself the answer to a statement is waited for.
const GRACE: Duration = Duration::from_secs(1);

/// Returns how long the answer to a statement is waited for that the server ends after this time.
pub(super) fn answer_limit(statement: Duration) -> Duration {
    statement + GRACE
}

/// Ends the wait for the server after this time, as an [`Error::Io`] of the kind [`io::ErrorKind::TimedOut`].
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(no_answer(limit)))
}

pub(super) fn no_answer(limit: Duration) -> Error {
    Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        format!("the database did not answer within {limit:?}"),
    ))
}

/// Returns whether the server was silent for too long.
pub(super) fn is_no_answer(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}
