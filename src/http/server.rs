//! Accepts connections and serves them until they end or are drained. Not `axum::serve`, which limits neither the time
//! for headers, nor the number of connections, nor the duration of a drain.

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
use super::connection_table::ConnectionTable;
use super::limits::ServerLimits;

/// The result of a drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Connections that were aborted with a request in flight, because the drain took too long.
    pub cut_off: usize,
}

/// Serves until `shutdown`. Then accepts no more connections, closes idle ones, lets requests in flight complete, and
/// returns.
pub async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    limits: ServerLimits,
) -> ShutdownReport {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let table = ConnectionTable::new(&limits);
    let limits = Arc::new(limits);
    let mut tasks = JoinSet::new();
    // A connection for which there is no slot yet; further ones stay in the backlog.
    let mut waiting: Option<(TcpStream, SocketAddr)> = None;
    let serve = |permit: OwnedSemaphorePermit, stream, peer: SocketAddr, tasks: &mut JoinSet<()>| {
        let Some(slot) = table.open(peer.ip()) else {
            tracing::debug!(%peer, "closed a connection of {peer}: its address has too many");
            return;
        };
        let (router, shutdown, limits) = (router.clone(), shutdown.clone(), Arc::clone(&limits));
        let serving = connection::serve(stream, peer, router, shutdown, limits, Arc::new(slot));
        tasks.spawn(async move {
            serving.await;
            drop(permit);
        });
    };
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Ok(permit) = Arc::clone(&permits).acquire_owned(), if waiting.is_some() => {
                table.slot_found();
                if let Some((stream, peer)) = waiting.take() {
                    serve(permit, stream, peer, &mut tasks);
                }
            }
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok((stream, peer)) => match Arc::clone(&permits).try_acquire_owned() {
                    Ok(permit) => serve(permit, stream, peer, &mut tasks),
                    Err(_) => {
                        table.free_slot();
                        waiting = Some((stream, peer));
                    }
                },
                Err(error) if is_per_connection(&error) => {}
                Err(error) => {
                    // For example, the process is out of file descriptors: an immediate retry would fail as well.
                    tracing::error!("failed to accept a connection, will retry in 1 s: {error}");
                    let _ = timeout(Duration::from_secs(1), shutdown.cancelled()).await;
                }
            },
            Some(ended) = tasks.join_next() => log_panic(ended),
        }
    }
    // Closed before the drain, so that a load balancer's next connection is refused and goes elsewhere.
    drop(listener);
    drain(tasks, limits.drain).await
}

/// The peer disconnected while it was in the backlog; other connections are not affected.
fn is_per_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn drain(mut tasks: JoinSet<()>, time: Duration) -> ShutdownReport {
    let deadline = sleep(time);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            biased;
            ended = tasks.join_next() => match ended {
                Some(ended) => log_panic(ended),
                None => return ShutdownReport { cut_off: 0 },
            },
            () = &mut deadline => break,
        }
    }
    let cut_off = tasks.len();
    tasks.shutdown().await;
    ShutdownReport { cut_off }
}

/// Panics of handlers are caught per request, so this one is in the connection's own code. Its message is not logged,
/// as it may quote received bytes.
fn log_panic(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("the task of a connection panicked; other connections are not affected");
    }
}
