//! Serves one connection. hyper's connection is polled directly, not through `hyper-util`, to get the socket back at the
//! end: a response sent before the whole body was read is lost if the socket is closed immediately.

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
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::connection_state::WaitedTooLong;
use super::connection_table::ConnectionSlot;
use super::limits::ServerLimits;
use super::observed_stream::ObservedStream;
use super::problem::Problem;
use super::request_id;

/// Extension of a response with a body that has no end of its own: the connection is not idle while it lasts.
#[derive(Debug, Clone, Copy)]
pub struct OpenEnded;

/// Bytes that a connection may buffer in addition to its body.
const BUFFER: usize = 64 * 1024;
/// Time and bytes for which an unfinished request is still read after its response.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// Serves the requests of one connection. After `shutdown` the connection ends as soon as it is idle.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
    limits: Arc<ServerLimits>,
    slot: Arc<ConnectionSlot>,
) {
    // Each response is one small write: Nagle's algorithm would only delay it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, "failed to set TCP_NODELAY on the connection of {peer}: {error}");
    }
    // hyper limits the time for headers only: a peer that reads no response would occupy its connection for ever, and the
    // number of connections is fixed.
    let mut stream = Box::pin(TimeoutStream::new(ObservedStream::new(stream, Arc::clone(&slot.state))));
    stream.as_mut().set_write_timeout_pinned(Some(limits.write_time));
    let io = TokioIo::new(stream);
    let handled = Arc::clone(&slot);
    let service = service_fn(move |request| Box::pin(handle(router.clone(), peer, request, Arc::clone(&handled))));
    let mut connection = http1::Builder::new()
        // The state of the connection has both limits, for a head and for idle time; hyper's timer knows only one.
        .header_read_timeout(None)
        // A sender may end its side once its request is sent, and is answered. A response
        // without an end (`OpenEnded`) ends with the peer's side: `ObservedStream` sees to that.
        .half_close(true)
        .max_header_size(limits.header_bytes)
        .max_buf_size(BUFFER.max(limits.header_bytes))
        .serve_connection(io, service);
    let first = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => Some(ended),
        () = shutdown.cancelled() => None,
        () = slot.closing.cancelled() => None,
        reason = slot.state.waited_too_long(&limits) => match reason {
            WaitedTooLong::Idle => None,
            WaitedTooLong::Head => return log_slow_head(peer),
        },
    };
    let ended = match first {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                biased;
                ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
                _ = slot.state.waited_too_long(&limits) => return log_slow_head(peer),
            }
        }
    };
    match ended {
        Ok(()) => {
            let stream = connection.into_parts().io.into_inner();
            // Not during the drain: each idle connection would wait for its peer.
            tokio::select! {
                () = linger(stream) => {}
                () = shutdown.cancelled() => {}
                () = slot.closing.cancelled() => {}
            }
        }
        // The peer disconnected, was too slow or sent invalid HTTP; hyper has sent the response if there is one.
        Err(error) => tracing::debug!(%peer, "the connection of {peer} ended early: {error}"),
    }
}

fn log_slow_head(peer: SocketAddr) {
    tracing::debug!(%peer, "the connection of {peer} ended early: its request headers took too long");
}

/// Responds to one request, and closes the connection after it if another request must not follow.
async fn handle(
    router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
    slot: Arc<ConnectionSlot>,
) -> Result<Response, Infallible> {
    slot.state.request_began();
    let length = body_length(&request);
    let is_valid = has_valid_host(&request);
    let mut response = match is_valid {
        true => request_id::with_id(request, |request| respond(router.clone(), peer, request)).await,
        false => StatusCode::BAD_REQUEST.into_response(), // as hyper answers invalid framing
    };
    let is_open_ended = response.extensions().get::<OpenEnded>().is_some();
    if is_open_ended {
        slot.state.stream_began();
    }
    if is_open_ended || !slot.request_ended(length) || !is_valid {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// The length of the body; `None` if it is chunked, since the number of received bytes does not show its end.
fn body_length<B>(request: &Request<B>) -> Option<u64> {
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return None;
    }
    match request.headers().get(CONTENT_LENGTH) {
        Some(length) => length.to_str().ok()?.parse().ok(),
        None => Some(0),
    }
}

/// HTTP/1.1 requires one Host (RFC 9112, section 3.2): with several, two servers may choose different ones.
fn has_valid_host<B>(request: &Request<B>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        count => count == 1,
    }
}

/// Shuts down our side and discards what the peer still sends: closing a socket with unread bytes resets the
/// connection, and the reset can overtake the response.
async fn linger(mut stream: Pin<Box<TimeoutStream<ObservedStream>>>) {
    if stream.shutdown().await.is_err() {
        return;
    }
    // On the heap: on the stack it would enlarge the task of every connection.
    let mut discarded = vec![0; 4096];
    let mut left = LINGER_BYTES;
    let discard = async {
        while let Ok(read @ 1..) = stream.read(&mut discarded).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    let _ = timeout(LINGER, discard).await;
}

/// Responds to one request. A panic of the handler becomes a 500; its message is not logged here, as it may quote the
/// request.
fn respond(router: Router, peer: SocketAddr, mut request: Request<Incoming>) -> BoxFuture<'static, Response> {
    request.extensions_mut().insert(ConnectInfo(peer));
    let handled = AssertUnwindSafe(router.oneshot(request)).catch_unwind();
    Box::pin(async move {
        match handled.await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => {
                tracing::error!(%peer, "a request handler panicked, the client {peer} gets 500");
                Problem::Internal.into_response()
            }
        }
    })
}
