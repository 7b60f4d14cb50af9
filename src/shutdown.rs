//! Shutdown as one token: the first SIGTERM or SIGINT cancels it, the second ends the process immediately.
//!
//! The signals come in as a stream, so that a test can send them without ending the test run.

use std::io;
use std::pin::pin;

use futures_util::{Stream, StreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::stderr;

/// Exit code after a second signal: 128 + SIGINT.
const EXIT_INTERRUPTED: i32 = 130;

/// Returns a token that the first SIGTERM or SIGINT cancels. The second exits with code 130.
///
/// Must be called within a tokio runtime.
pub fn on_signals() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let signals = stream::select(every(SignalKind::terminate())?, every(SignalKind::interrupt())?);
    tokio::spawn(async move {
        watch(signals, &cancelled).await;
        stderr::flush(stderr::FLUSH_LIMIT);
        std::process::exit(EXIT_INTERRUPTED);
    });
    Ok(token)
}

fn every(kind: SignalKind) -> io::Result<impl Stream<Item = ()> + Unpin> {
    let signal = signal(kind)?;
    Ok(Box::pin(stream::unfold(signal, |mut signal| async {
        signal.recv().await.map(|()| ((), signal))
    })))
}

/// Cancels the token at the first signal and returns at the second.
async fn watch(signals: impl Stream<Item = ()>, token: &CancellationToken) {
    let mut signals = pin!(signals);
    signals.next().await;
    tracing::info!("shutting down: finishing work in progress; a second signal stops immediately");
    token.cancel();
    signals.next().await;
}

#[cfg(test)]
mod tests;
