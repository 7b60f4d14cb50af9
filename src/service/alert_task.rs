//! The task of alerts.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio_util::sync::CancellationToken;

use super::AbortOnDrop;
use crate::alerts::monitor::AlertMonitor;
use crate::alerts::settings::AlertSettings;
use crate::clock::Clock;
use crate::postgres::transaction::Pool;

/// Starts the task of alerts. It is no part of the work: nothing waits for it, and its end stops nothing.
pub(super) fn spawn(
    pool: &Pool,
    process: &str,
    settings: AlertSettings,
    refused: Arc<AtomicU64>,
    clock: Clock,
    shutdown: &CancellationToken,
) -> Option<AbortOnDrop<()>> {
    match AlertMonitor::new(pool, process, settings, refused, clock) {
        Ok(monitor) => Some(AbortOnDrop(tokio::spawn(monitor.run(shutdown.clone())))),
        Err(error) => {
            tracing::error!("failed to start alerts, none are sent: {error}");
            None
        }
    }
}
