//! Trying again where another transaction was in the way, a few times, for a moment each.

use std::time::Duration;

use rand::RngExt;

use super::error::{ConflictCause, SessionError};

/// Tries in all. With the patience for one lock (300 ms) a caller waits for a second and a half at the worst.
const TRIES: u32 = 4;
/// The pause before the second try stays below this, and doubles.
const PAUSE: Duration = Duration::from_millis(20);

/// Does `attempt` until it ends in anything but contention, or has been tried often enough. Each attempt is one whole
/// transaction: what was contended has changed nothing.
///
/// # Errors
/// Those of the last attempt; never [`SessionError::Contended`].
pub async fn retried<T, F: Future<Output = Result<T, SessionError>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, SessionError> {
    let mut longest = PAUSE;
    for _ in 1..TRIES {
        match attempt().await {
            Err(SessionError::Contended { .. }) => tokio::time::sleep(pause_below(longest)).await,
            done => return done,
        }
        longest *= 2;
    }
    attempt().await.map_err(|error| match error {
        SessionError::Contended {
            last: ConflictCause::Busy,
        } => SessionError::Busy,
        SessionError::Contended {
            last: ConflictCause::NotTaken,
        } => SessionError::ConstraintViolation,
        error => error,
    })
}

/// A function of its own, because the generator may not be held while waiting.
fn pause_below(longest: Duration) -> Duration {
    rand::rng().random_range(Duration::from_millis(1)..longest)
}
