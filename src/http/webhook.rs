//! `POST /webhooks/avinode`: reads the body under limits, proves the sender over its exact bytes, and only then looks
//! at what it says; 200 once it is durable. Not an extractor a step, because the order of the steps is the point.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_ENCODING, EXPECT, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};
use uuid::{NoContext, Timestamp, Uuid};

use super::body::{self, BodyReadError, BodyReadErrorKind, BufferedBody};
use super::memory_budget::MemoryPermit;
use super::openapi::responses::WebhookErrors;
use super::openapi::webhook_schema::{DeliveryReceipt, DeliverySchema};
use super::problem::Problem;
use super::rejection_log::{Rejection, Weight};
use super::state::AppState;
use super::stored_headers;
use crate::avinode::{json, notification};
use crate::ingest::group_commit::{NewDelivery, ReceiveError};

/// A refusal on its way to the answer and to the log.
struct WebhookRefusal {
    problem: Problem,
    /// What the log calls it.
    reason: &'static str,
    /// `None`: expected of an honest client, no line in the log.
    weight: Option<Weight>,
    length: usize,
    /// The whole body, or `None` where it was not read to its end.
    body: Option<Bytes>,
}

/// Something happened at Avinode
///
/// Verified over the exact bytes by any scheme for which a secret is configured, and kept durably before it is answered.
#[utoipa::path(
    post,
    path = "/webhooks/avinode",
    operation_id = "deliver",
    tag = "webhook",
    request_body = DeliverySchema,
    responses(
        (status = 200, body = DeliveryReceipt, description = "It is durable; a duplicate too, and one that turns out not to be understood."),
        WebhookErrors
    ),
    security(("hmac" = []), ("standardWebhooks" = []), ("basic" = [])),
)]
pub async fn deliver(State(state): State<AppState>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let refusal = match admit(&state, &head, body).await {
        Ok(kept) => return (StatusCode::OK, Json(kept)).into_response(),
        Err(refusal) => refusal,
    };
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    match refusal.weight {
        Some(weight) => state.refusals.write(weight, refusal.log(peer)),
        None => tracing::debug!(reason = refusal.reason, "asked a delivery for credentials"),
    }
    let mut response = refusal.problem.into_response();
    if refusal.body.is_none() {
        // What is left of the body would be taken for the next request: the connection cannot be used again.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn admit(state: &AppState, head: &Parts, body: axum::body::Body) -> Result<DeliveryReceipt, WebhookRefusal> {
    expected(&head.headers).map_err(|problem| WebhookRefusal::unread(problem, 0))?;
    let limits = &state.limits;
    let BufferedBody { bytes, reserved } = body::read(body, limits.body, limits.body_time, &state.memory)
        .await
        .map_err(|stopped| WebhookRefusal::stopped(&stopped, limits.body))?;
    // Taken once the body is whole: a fetch that begins after this moment sees what the sender meant.
    let received_at = state.clock.now();
    let verified_by = state
        .verifier
        .verify(&head.headers, &bytes, received_at)
        .map_err(|unverified| WebhookRefusal {
            problem: Problem::NotVerified {
                challenge: state.verifier.offers_basic(),
            },
            reason: unverified.as_str(),
            // A Basic client that asks first is no attack.
            weight: (!state.verifier.offers_basic() || has_proof(&head.headers)).then_some(Weight::Warn),
            length: bytes.len(),
            body: Some(bytes.clone()),
        })?;
    json::check(&bytes).map_err(|_| WebhookRefusal::whole(Problem::NotJson, Weight::Info, &bytes))?;
    let arrival = NewDelivery {
        id: id_at(received_at),
        received_at,
        body: bytes.clone(),
        headers: stored_headers::kept(&head.headers),
        verified_by: verified_by.to_string(),
        route: notification::classify(&bytes),
    };
    let delivery = arrival.id;
    keep(state, arrival, reserved)
        .await
        .map_err(|problem| WebhookRefusal::whole(problem, Weight::Warn, &bytes))?;
    Ok(DeliveryReceipt { delivery })
}

/// Refuses what we could not honour, before anything is read.
fn expected(headers: &HeaderMap) -> Result<(), Problem> {
    let only = |name, word: &str| {
        headers
            .get_all(name)
            .iter()
            .all(|value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    };
    if !only(CONTENT_ENCODING, "identity") {
        return Err(Problem::UnsupportedEncoding);
    }
    if !only(EXPECT, "100-continue") {
        return Err(Problem::ExpectationFailed);
    }
    Ok(())
}

/// Whether the request tries to prove its sender at all.
fn has_proof(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name == AUTHORIZATION || name.as_str().ends_with("signature"))
}

/// Hands the delivery on, in a task of its own: when the sender goes away this request is dropped, but a delivery
/// that already waits for a commit with others is not pulled out of it. The task holds the memory until the end, so
/// such tasks are bounded as the bodies are.
async fn keep(state: &AppState, arrival: NewDelivery, reserved: MemoryPermit) -> Result<(), Problem> {
    let receiver = Arc::clone(&state.receiver);
    let task = tokio::spawn(async move {
        let kept = receiver.receive(arrival).await;
        drop(reserved);
        kept
    });
    let retry_after = match task.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(ReceiveError::Overloaded | ReceiveError::Draining)) => 1,
        Ok(Err(ReceiveError::Unavailable)) => 5,
        Err(ended) if ended.is_panic() => return Err(Problem::Internal),
        // The runtime is going down.
        Err(_) => 1,
    };
    Err(Problem::Unavailable { retry_after })
}

/// A UUIDv7 of that moment; its other bits are random.
fn id_at(moment: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(moment.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        seconds,
        moment.timestamp_subsec_nanos(),
    ))
}

impl WebhookRefusal {
    fn unread(problem: Problem, length: usize) -> Self {
        let weight = match problem {
            Problem::Unavailable { .. } => Weight::Warn,
            _ => Weight::Info,
        };
        Self {
            problem,
            reason: problem.name(),
            weight: Some(weight),
            length,
            body: None,
        }
    }

    fn stopped(stopped: &BodyReadError, limit: usize) -> Self {
        let problem = match stopped.why {
            BodyReadErrorKind::TooLarge => Problem::TooLarge { limit },
            BodyReadErrorKind::TooSlow => Problem::Timeout,
            BodyReadErrorKind::Broken => Problem::BrokenBody,
            BodyReadErrorKind::NoMemory => Problem::Unavailable { retry_after: 1 },
        };
        Self::unread(problem, stopped.read)
    }

    fn whole(problem: Problem, weight: Weight, body: &Bytes) -> Self {
        Self {
            problem,
            reason: problem.name(),
            weight: Some(weight),
            length: body.len(),
            body: Some(body.clone()),
        }
    }

    fn log(&self, peer: Option<SocketAddr>) -> Rejection<'_> {
        Rejection {
            reason: self.reason,
            length: self.length,
            body: self.body.as_deref(),
            peer,
        }
    }
}
