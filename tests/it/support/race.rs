//! Shifts the two sides of a race against each other.

use std::time::Duration;

/// Delays one side of a race, so that the sides meet at another point in each round. Not for waiting: see
/// [`super::eventually::eventually`].
pub async fn delay_one_side(time: Duration) {
    // The point at which the sides meet is the input of the test: there is no condition to wait for.
    tokio::time::sleep(time).await;
}
