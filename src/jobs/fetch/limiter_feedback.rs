//! Logs what a call changed about the rate limit.

use std::time::Duration;

use crate::queue::rate_limit::state::LimiterEvent;

pub(super) fn log(event: Option<LimiterEvent>) {
    let seconds = |pause: Duration| pause.as_secs();
    match event {
        Some(LimiterEvent::Suspended { reason, pause }) => tracing::error!(
            reason,
            seconds = seconds(pause),
            "Avinode rejects our credentials, fetching is suspended and tried again in {} s, or with other credentials: \
             {reason}",
            seconds(pause)
        ),
        Some(LimiterEvent::Resumed) => tracing::info!("Avinode accepts our credentials again, fetching goes on"),
        Some(LimiterEvent::BreakerOpened(pause)) => tracing::warn!(
            seconds = seconds(pause),
            "Avinode is failing, fetching pauses for {} s and then probes it",
            seconds(pause)
        ),
        Some(LimiterEvent::BreakerClosed) => tracing::info!("Avinode answers again, fetching goes on"),
        Some(LimiterEvent::Paused(pause)) => tracing::warn!(
            seconds = seconds(pause),
            "Avinode limits our calls, fetching pauses for {} s",
            seconds(pause)
        ),
        None => {}
    }
}
