//! Repeats a check for a time, where a test proves that something does not happen.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Runs `check`, which asserts, again and again for `time`.
pub async fn throughout(time: Duration, mut check: impl AsyncFnMut()) {
    let began = Instant::now();
    while began.elapsed() < time {
        check().await;
        // An absence has no condition to wait for.
        sleep(time / 60).await;
    }
}
