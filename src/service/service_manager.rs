//! Messages to the service manager that started the process, by the protocol of systemd's `sd_notify`: ready, status, watchdog, stopping.
//!
//! The watchdog message depends on the heartbeats of the loops: a process whose loops hang is started again. A database that does not
//! answer stops no loop, so it only makes the process not ready.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::AbortOnDrop;
use super::settings::ServiceSettings;
use crate::heartbeat::HeartbeatRegistry;
use crate::http::readiness::{Readiness, ReadinessReport};

/// The pause between two reports while the process starts.
const STARTING: Duration = Duration::from_millis(500);
/// The same afterwards.
const STARTED: Duration = Duration::from_secs(5);
/// While the process starts and its loops make progress, the manager is asked to wait this much longer, in microseconds.
const EXTENSION: u32 = 30_000_000;
/// Watchdog messages within the limit of the manager, so that a late one is no failure.
const MESSAGES_PER_LIMIT: u32 = 3;

/// Starts the task, if the settings ask for it. It ends when it is dropped.
pub(super) fn spawn(
    settings: &ServiceSettings,
    readiness: &Readiness,
    heartbeats: &HeartbeatRegistry,
    shutdown: &CancellationToken,
) -> Option<AbortOnDrop<()>> {
    let (readiness, heartbeats, shutdown) = (readiness.clone(), heartbeats.clone(), shutdown.clone());
    let run = async move {
        let watchdog = async {
            if let Some(limit) = sd_notify::watchdog_enabled() {
                keep_alive(limit, &heartbeats, &shutdown, || send(NotifyState::Watchdog)).await;
            }
        };
        tokio::join!(report(&readiness, &heartbeats, &shutdown), watchdog);
    };
    settings.notifies_manager.then(|| AbortOnDrop(tokio::spawn(run)))
}

/// Says when the process is ready for the first time, what its status is, and that it stops.
async fn report(readiness: &Readiness, heartbeats: &HeartbeatRegistry, shutdown: &CancellationToken) {
    let mut is_started = false;
    let mut last_status = String::new();
    loop {
        let report = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            report = readiness.report() => report,
        };
        if !is_started && report.is_ready() {
            is_started = true;
            send(NotifyState::Ready);
        } else if !is_started && heartbeats.stale().is_empty() {
            send(NotifyState::ExtendTimeoutUsec(EXTENSION));
        }
        let status = status(&report);
        if status != last_status {
            send(NotifyState::Status(&status));
            last_status = status;
        }
        tokio::select! {
            () = sleep(if is_started { STARTED } else { STARTING }) => {}
            () = shutdown.cancelled() => {}
        }
    }
    send(NotifyState::Stopping);
    send(NotifyState::Status("shutting down: finishing work in progress"));
}

/// Sends the watchdog message while every loop makes progress. At shutdown the loops end, and the limit of the shutdown takes over.
async fn keep_alive(limit: Duration, heartbeats: &HeartbeatRegistry, shutdown: &CancellationToken, send: impl Fn()) {
    let mut ticks = interval((limit / MESSAGES_PER_LIMIT).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if shutdown.is_cancelled() || heartbeats.stale().is_empty() {
            send();
        }
    }
}

/// `ready`, or the failed checks with their reasons, which are fixed words.
fn status(report: &ReadinessReport) -> String {
    let failed = report.checks.iter().filter(|(_, result)| *result != "ok");
    let failed: Vec<String> = failed.map(|(name, reason)| format!("{name}: {reason}")).collect();
    match failed.is_empty() {
        true => report.status.to_owned(),
        false => format!("{}: {}", report.status, failed.join("; ")),
    }
}

fn send(message: NotifyState<'_>) {
    static HAS_FAILED: AtomicBool = AtomicBool::new(false);
    if let Err(error) = sd_notify::notify(&[message])
        && !HAS_FAILED.swap(true, Ordering::Relaxed)
    {
        tracing::warn!("failed to send a message to the service manager (NOTIFY_SOCKET): {error}");
    }
}

#[cfg(test)]
mod tests;
