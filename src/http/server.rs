//! Accepts connections and drives them until they end or are drained. Not the framework's own `serve`: that one limits
//! neither how long headers may take, nor how many connections there are, nor how long a drain lasts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::connection;

/// What a server takes at most.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections at once; further ones wait in the system's backlog.
    pub connections: usize,
    /// Time for a request's headers to come, and so also for a kept-alive connection to be idle: a proxy in front
    /// should let go of idle connections earlier than this.
    pub header_time: Duration,
    /// Bytes of a request's line and headers.
    pub header_bytes: usize,
    /// Time for a peer to take any of an answer's bytes.
    pub write_time: Duration,
    /// Time for requests in flight to end after the shutdown.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_time: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            write_time: Duration::from_secs(10),
            drain: Duration::from_secs(10),
        }
    }
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Connections that were dropped with a request in flight, because the drain's time was over.
    pub cut_off: usize,
}

/// Serves until `shutdown`; then accepts no more, closes idle connections, lets requests in flight end, and returns.
pub async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    limits: ServerLimits,
) -> ShutdownReport {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let limits = Arc::new(limits);
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = tasks.join_next() => report(ended),
            accepted = accept(&listener, &slots) => match accepted {
                Ok((slot, stream, peer)) => {
                    let serving = connection::serve(stream, peer, router.clone(), shutdown.clone(), Arc::clone(&limits));
                    tasks.spawn(async move {
                        serving.await;
                        drop(slot);
                    });
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // For example no file descriptor is left. They come back when connections end, not by asking at once.
                    tracing::error!(%error, "accepting a connection failed; trying again in a second");
                    let _ = timeout(Duration::from_secs(1), shutdown.cancelled()).await;
                }
            },
        }
    }
    // Closed first, so that a balancer's next connection is refused and goes elsewhere.
    drop(listener);
    drain(tasks, limits.drain).await
}

/// Waits for a slot before a connection, so what cannot be served is not accepted. Cancel-safe: a slot goes back, and
/// a connection is either returned or still in the backlog.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((slot, stream, peer))
}

/// The peer gave up while it waited: nobody else's trouble.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn drain(mut tasks: JoinSet<()>, time: Duration) -> ShutdownReport {
    let over = sleep(time);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            ended = tasks.join_next() => match ended {
                Some(ended) => report(ended),
                None => return ShutdownReport { cut_off: 0 },
            },
            () = &mut over => break,
        }
    }
    let cut_off = tasks.len();
    tasks.shutdown().await;
    ShutdownReport { cut_off }
}

/// Handlers' panics are caught at the request; one here is the connection's own. Its text is not logged, for it may
/// quote what was sent.
fn report(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("serving a connection panicked; the others go on");
    }
}
