//! Ids of requests: taken from `X-Request-Id` or made, and returned in the response, in problems and in log lines.

use std::convert::Infallible;

use axum::response::Response;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};
use tower::{ServiceExt, service_fn};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestId, RequestId, SetRequestId};
use tracing::Instrument;
use tracing::field::Empty;

use crate::trace_context;

pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of an id that is taken from a request.
const MAX_LENGTH: usize = 128;

tokio::task_local! {
    /// The id of the request that this task handles.
    static CURRENT: String;
}

/// Returns the id of the request that is being handled.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Handles a request under its id. An id that is too long, has other characters than letters, digits, `-`, `_` and `.`, or is not
/// the only one, is replaced: it would be written to the log.
pub async fn with_id<B, F>(mut request: Request<B>, mut handle: impl FnMut(Request<B>) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let mut ids = request.headers().get_all(&HEADER).iter();
    let is_usable = ids.next().is_none_or(is_safe) && ids.next().is_none();
    if !is_usable {
        request.headers_mut().remove(&HEADER);
    }
    let handled = service_fn(|request: Request<B>| {
        let id = request.extensions().get::<RequestId>();
        let id = id
            .and_then(|id| id.header_value().to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let span = tracing::info_span!("request", request_id = id, delivery = Empty);
        let traceparent = request.headers().get("traceparent");
        if let Some(traceparent) = traceparent.and_then(|value| value.to_str().ok()) {
            trace_context::continue_trace(&span, traceparent);
        }
        let handling = CURRENT.scope(id, handle(request)).instrument(span);
        async move { Ok::<_, Infallible>(handling.await) }
    });
    let service = SetRequestId::new(PropagateRequestId::new(handled, HEADER), HEADER, MakeRequestUuid);
    match service.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn is_safe(id: &HeaderValue) -> bool {
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    !id.is_empty() && id.len() <= MAX_LENGTH && id.as_bytes().iter().all(is_safe)
}
