//! SIGHUP: a command reads its settings again.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::CliError;

/// Catches SIGHUP from now on. Without a handler it ends the process.
pub fn hangups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Calls `reload` after each signal, and logs its result. A failure must leave the former settings in force.
pub async fn run(mut hangups: Signal, reload: impl Fn() -> Result<(), CliError>) {
    while hangups.recv().await.is_some() {
        match reload() {
            Ok(()) => tracing::info!("reloaded the secrets of webhooks and the tokens of the API"),
            Err(error) => {
                tracing::error!("failed to reload secrets and tokens, the former ones stay: {error}");
            }
        }
    }
}
