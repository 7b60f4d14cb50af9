//! One connection from its first byte to its close. Driven by hand rather than by the library's helper, to get the
//! socket back at the end: an answer sent before the body was read is lost if the socket is closed at once.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::problem::Problem;
use super::server::ServerLimits;
use super::write_timeout::WriteTimeoutStream;

/// Bytes that a connection may buffer, beside its body.
const BUFFER: usize = 64 * 1024;
/// How long, and how much, is read after an answer that came before the end of its request.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// Serves the requests of one connection. After `shutdown` it ends when it is idle.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
    limits: Arc<ServerLimits>,
) {
    // Answers are small and whole: waiting to join them with others only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "setting TCP_NODELAY failed");
    }
    let io = TokioIo::new(WriteTimeoutStream::new(stream, limits.write_time));
    let service = service_fn(move |request| answer(router.clone(), peer, request));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_header_size(limits.header_bytes)
        .max_buf_size(BUFFER.max(limits.header_bytes))
        .serve_connection(io, service);
    let first = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => Some(ended),
        () = shutdown.cancelled() => None,
    };
    let ended = match first {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    match ended {
        Ok(()) => {
            let stream = connection.into_parts().io.into_inner();
            // Not while draining: each idle connection would wait for its peer.
            tokio::select! {
                () = linger(stream) => {}
                () = shutdown.cancelled() => {}
            }
        }
        // The peer's doing (it went away, was too slow or spoke no HTTP); hyper has answered where there is an answer.
        Err(error) => tracing::debug!(%peer, %error, "a connection ended early"),
    }
}

/// Closes our side and reads on for a little: closing a socket with unread bytes makes the system reset it, and the
/// reset overtakes the answer.
async fn linger(mut stream: WriteTimeoutStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    // On the heap: on the stack it would be part of every connection's task.
    let mut waste = vec![0; 4096];
    let mut left = LINGER_BYTES;
    let discard = async {
        while let Ok(read @ 1..) = stream.read(&mut waste).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    let _ = timeout(LINGER, discard).await;
}

/// Answers one request; a handler's panic becomes a 500 and is logged without its text, which may quote the request.
fn answer(
    router: Router,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> BoxFuture<'static, Result<Response, Infallible>> {
    request.extensions_mut().insert(ConnectInfo(peer));
    let handled = AssertUnwindSafe(router.oneshot(request)).catch_unwind();
    Box::pin(async {
        handled.await.unwrap_or_else(|_| {
            tracing::error!("handling a request panicked");
            Ok(Problem::Internal.into_response())
        })
    })
}
