//! Logs what a call changed about the rate limit.

use std::time::Duration;

use crate::queue::rate_limit::state::LimiterEvent;

pub(super) fn log(event: Option<LimiterEvent>) {
    let pause_ms = |pause: Duration| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    match event {
        Some(LimiterEvent::Suspended { reason, pause }) => tracing::error!(
            reason,
            pause_ms = pause_ms(pause),
            "Avinode rejects our credentials, fetching is suspended and tried again in {} s, or with other credentials: \
             {reason}",
            pause.as_secs()
        ),
        Some(LimiterEvent::Resumed) => tracing::info!("Avinode accepts our credentials again, fetching goes on"),
        Some(LimiterEvent::BreakerOpened(pause)) => tracing::warn!(
            pause_ms = pause_ms(pause),
            "Avinode is failing, fetching pauses for {} s and then probes it",
            pause.as_secs()
        ),
        Some(LimiterEvent::BreakerClosed) => tracing::info!("Avinode answers again, fetching goes on"),
        Some(LimiterEvent::Paused(pause)) => tracing::warn!(
            pause_ms = pause_ms(pause),
            "Avinode limits our calls, fetching pauses for {} s",
            pause.as_secs()
        ),
        None => {}
    }
}
