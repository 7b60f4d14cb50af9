//! `POST /webhooks/avinode`, or other paths by INGEST_WEBHOOK_PATHS: reads the body within its limits, verifies the sender
//! over the exact bytes, then parses and stores the delivery, and responds 200 once it is durable. One function rather
//! than extractors, because the order of these steps is what makes the endpoint safe.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::header::{AUTHORIZATION, EXPECT};
use hyper::http::Extensions;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};
use tracing::field::display;
use tracing::{Level, Span};
use uuid::{NoContext, Timestamp, Uuid};

use super::body::{self, BufferedBody, has_only, is_plain};
use super::peer_bodies::UnfinishedBody;
use super::problem::Problem;
use super::rejection_log::Rejection;
use super::state::AppState;
use super::stored_headers::stored_headers;
use super::webhook_schema::{DeliveryReceipt, DeliverySchema, WebhookProblems, full_event, thin_notification};
use crate::avinode::notification::DeliveryKind;
use crate::avinode::signature::verification::VerificationError;
use crate::avinode::signature::verifier::Verifier;
use crate::avinode::{json, notification};
use crate::ingest::new_delivery::{NewDelivery, ReceiveError};

/// A rejected delivery, for its response and the log.
struct WebhookRejection {
    problem: Problem,
    /// `None` for a rejection that an honest client causes, which is not logged.
    level: Option<Level>,
    facts: Rejection,
}

/// Receive an Avinode webhook
///
/// Accepts a thin notification of Avinode or a full event of a relay. The sender is verified over the exact bytes of the
/// body: by HTTP Basic, as Avinode sends it, or by a signature of any scheme for which a secret is configured. The
/// delivery is durable before the response is sent.
#[utoipa::path(
    post,
    path = "/webhooks/avinode",
    operation_id = "receiveWebhook",
    tag = "webhook",
    request_body(
        content = DeliverySchema,
        examples(
            ("thin notification" = (summary = "A thin notification of Avinode", value = json!(thin_notification()))),
            ("full event" = (summary = "A full event of a relay", value = json!(full_event()))),
        ),
    ),
    responses(
        (
            status = 200,
            body = DeliveryReceipt,
            description = "The delivery is durable. Duplicates and deliveries of an unknown format are stored as well.",
        ),
        WebhookProblems,
    ),
    security(("basic" = []), ("hmac" = []), ("standardWebhooks" = [])),
)]
pub async fn receive(State(state): State<AppState>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let rejection = match accept(&state, &head, body).await {
        Ok(receipt) => {
            Span::current().record("delivery", display(receipt.delivery));
            return (StatusCode::OK, Json(receipt)).into_response();
        }
        Err(rejection) => rejection,
    };
    let WebhookRejection { problem, level, facts } = rejection;
    let reason = facts.reason;
    match level {
        Some(level) => {
            let peer = peer(&head.extensions);
            let client = || client_behind(&state, peer?, &head.headers);
            state.rejections.write(level, &facts, peer, client);
            // After a 503 Avinode sends the delivery again, and the cause is in the log.
            if !matches!(problem, Problem::Unavailable { .. }) {
                state.sample.offer(&facts, state.clock.now());
            }
        }
        None => tracing::debug!(reason, "asked for Basic credentials: {reason}"),
    }
    let details = problem.details();
    count_rejected(details.status, reason);
    if matches!(problem, Problem::Unavailable { .. }) {
        state.refused.fetch_add(1, Ordering::Relaxed);
    }
    match facts.body {
        Some(_) => details.into_response(),
        None => details.close().into_response(),
    }
}

/// Answers a path without a route. A POST may be a delivery to a wrong URL, which is lost: it is logged, without its path, which
/// may be anything.
pub async fn unknown_path(State(state): State<AppState>, request: Request) -> Response {
    if request.method() == Method::POST {
        let path = request.uri().path().trim_end_matches('/');
        let peer = peer(request.extensions());
        let client = || client_behind(&state, peer?, request.headers());
        let rejection = Rejection {
            reason: match state.paths.iter().any(|known| path.eq_ignore_ascii_case(known)) {
                true => "the path differs from the webhook's in case or in a slash at its end",
                false => "the path is not the webhook's",
            },
            length: 0,
            body: None,
        };
        state.rejections.write(Level::WARN, &rejection, peer, client);
        state.sample.offer(&rejection, state.clock.now());
    }
    Problem::NotFound.into_response()
}

/// The other end of the connection.
fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0)
}

/// The client behind `peer`, if that is a trusted proxy.
fn client_behind(state: &AppState, peer: SocketAddr, headers: &HeaderMap) -> Option<IpAddr> {
    let client = state.limits.proxies.client(peer.ip(), headers);
    (client != peer.ip().to_canonical()).then_some(client)
}

async fn accept(state: &AppState, head: &Parts, body: axum::body::Body) -> Result<DeliveryReceipt, WebhookRejection> {
    check_headers(&head.headers).map_err(|problem| WebhookRejection::in_body(problem, 0))?;
    let verifier = state.verifier.current();
    let share = admit_body(state, &verifier, head)?;
    let limits = &state.limits;
    let BufferedBody { bytes, reserved } = body::read(body, limits.body, limits.body_time, &state.memory, share)
        .await
        .map_err(|error| WebhookRejection::in_body(error.problem, error.read))?;
    // After the body is complete: a fetch that begins later sees what the sender announced.
    let received_at = state.clock.now();
    let verified_by = verifier
        .verify(&head.headers, &bytes, received_at)
        .map_err(|error| WebhookRejection::unverified(&verifier, &head.headers, error, Some(&bytes)))?;
    let route = notification::classify(&bytes);
    // Any other kind was read as JSON.
    if route == DeliveryKind::Unknown {
        json::check(&bytes).map_err(|_| WebhookRejection::after_body(Problem::InvalidJson, Level::INFO, &bytes))?;
    }
    let delivery = NewDelivery {
        id: uuid_v7(received_at),
        received_at,
        body: bytes.clone(),
        headers: stored_headers(&head.headers),
        verified_by: verified_by.to_string(),
        route,
    };
    let receipt = DeliveryReceipt { delivery: delivery.id };
    state.receiver.receive(delivery, reserved).await.map_err(|error| {
        let retry_after = match error {
            ReceiveError::Overloaded | ReceiveError::Draining => 1,
            ReceiveError::Unavailable => 5,
        };
        WebhookRejection::after_body(Problem::Unavailable { retry_after }, Level::WARN, &bytes)
    })?;
    Ok(receipt)
}

fn count_rejected(status: u16, reason: &'static str) {
    let status = status.to_string();
    metrics::counter!("avinode_ingest_deliveries_total", "status" => status, "scheme" => "", "reason" => reason)
        .increment(1);
}

/// Decides before the body is read. A sender that only Basic can verify is verified now, and one without a header of a configured
/// scheme is rejected; the bodies of all others are limited for each client, because only the complete body shows the sender.
fn admit_body(state: &AppState, verifier: &Verifier, head: &Parts) -> Result<UnfinishedBody, WebhookRejection> {
    if !verifier.needs_body(&head.headers) {
        let verified = verifier.verify(&head.headers, b"", state.clock.now());
        return match verified {
            Ok(_) => Ok(UnfinishedBody::uncounted()),
            Err(error) => Err(WebhookRejection::unverified(verifier, &head.headers, error, None)),
        };
    }
    let Some(peer) = peer(&head.extensions) else {
        return Ok(UnfinishedBody::uncounted());
    };
    let client = state.limits.proxies.client(peer.ip(), &head.headers);
    let share = state.unfinished.begin(client);
    share.ok_or_else(|| WebhookRejection::in_body(Problem::Unavailable { retry_after: 1 }, 0))
}

/// Rejects headers that cannot be honoured, before the body is read.
fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    match has_only(headers, &EXPECT, "100-continue") {
        _ if !is_plain(headers) => Err(Problem::UnsupportedEncoding),
        true => Ok(()),
        false => Err(Problem::ExpectationFailed),
    }
}

/// Returns `true` if the request carries credentials or a signature of any scheme.
fn has_credentials(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name == AUTHORIZATION || name.as_str().ends_with("signature"))
}

fn uuid_v7(time: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.timestamp_subsec_nanos()))
}

impl WebhookRejection {
    /// A rejection because the sender is not verified; `body` is the complete one, if it was read.
    fn unverified(verifier: &Verifier, headers: &HeaderMap, error: VerificationError, body: Option<&Bytes>) -> Self {
        let reason = error.as_str();
        let unread = Rejection {
            reason,
            length: 0,
            body: None,
        };
        Self {
            problem: Problem::InvalidSignature {
                challenge: verifier.offers_basic(),
            },
            // The first request of a challenge-response client has no credentials, and is no attack.
            level: (!verifier.offers_basic() || has_credentials(headers)).then_some(Level::WARN),
            facts: body.map_or(unread, |body| Rejection::of_body(reason, body)),
        }
    }

    /// A rejection before the whole body was read.
    fn in_body(problem: Problem, length: usize) -> Self {
        let level = match problem {
            Problem::Unavailable { .. } => Level::WARN,
            _ => Level::INFO,
        };
        Self {
            problem,
            level: Some(level),
            facts: Rejection {
                reason: problem.details().name,
                length,
                body: None,
            },
        }
    }

    fn after_body(problem: Problem, level: Level, body: &Bytes) -> Self {
        Self {
            problem,
            level: Some(level),
            facts: Rejection::of_body(problem.details().name, body),
        }
    }
}
