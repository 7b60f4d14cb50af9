//! Retries of transactions that conflicted with a concurrent one.

use std::time::Duration;

use rand::RngExt;

use super::error::SessionError;

/// With the lock timeout of 300 ms, a caller waits a second and a half at most.
const ATTEMPTS: u32 = 4;
/// Upper bound of the pause before the second attempt; it doubles for each further one.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs `attempt` until it does not end in a conflict, at most `ATTEMPTS` times. Each attempt must be one transaction, so
/// that a conflict has changed nothing.
///
/// # Errors
/// Those of the last attempt; never [`SessionError::Contended`].
pub async fn with_retries<T, F: Future<Output = Result<T, SessionError>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, SessionError> {
    let mut max_pause = PAUSE;
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(SessionError::Contended(_)) => tokio::time::sleep(random_pause(max_pause)).await,
            result => return result,
        }
        max_pause *= 2;
    }
    attempt().await.map_err(SessionError::not_retried)
}

/// A function of its own, because the generator is not `Send` and must be dropped before the `await`.
fn random_pause(max: Duration) -> Duration {
    rand::rng().random_range(Duration::from_millis(1)..max)
}
