//! The sender and receivers that answer in different ways.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;

use super::*;
use crate::log::CallLog;

/// The headers and the body of each request.
type Received = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Starts a receiver that answers its n-th request, counted from 0, by `answer`.
async fn receiver(
    answer: impl Fn(usize, &HeaderMap) -> Response + Clone + Send + Sync + 'static,
) -> (String, Received) {
    let received = Received::default();
    let record = received.clone();
    let handler = async move |headers: HeaderMap, body: String| {
        let mut received = record.lock().unwrap();
        let answer = answer(received.len(), &headers);
        received.push((headers, body));
        answer
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(handler))).into_future());
    (url, received)
}

/// Sends one notification at this speed.
async fn send(url: &str, auth_mode: AuthMode, speed: f64) -> DeliveryLog {
    let target = WebhookTarget {
        url: url.to_owned(),
        identifier: "avinode".to_owned(),
        secret: "hush:hush".to_owned(),
        auth_mode,
    };
    let notification = SimulatedNotification {
        kind: "rfqs",
        id: "arfq-1".to_owned(),
        trip: Some("S1".to_owned()),
        event_type: "TripRequestMine",
    };
    let (log, shutdown) = (CallLog::begin(), CancellationToken::new());
    log.record_delivery(|deliveries| deliveries.planned = 1);
    let sender = Sender::new(2, ScaledClock::start(speed), shutdown).unwrap();
    sender
        .deliver(&target, &body(&notification, "http://a/api"), &log)
        .await;
    let deliveries = log.deliveries();
    assert!(deliveries.is_done());
    deliveries
}

fn challenge() -> Response {
    (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=\"x\"")]).into_response()
}

#[tokio::test]
async fn the_body_is_avinodes_and_credentials_are_sent_only_after_a_challenge() {
    let (url, received) = receiver(|_, headers| match headers.get("authorization") {
        Some(_) => StatusCode::OK.into_response(),
        None => challenge(),
    })
    .await;
    let deliveries = send(&url, AuthMode::Challenge, 1.0).await;
    assert_eq!(
        (deliveries.delivered, deliveries.requests, deliveries.challenged),
        (1, 2, 1)
    );
    assert!(deliveries.refusals.is_empty());
    let received = received.lock().unwrap();
    assert_eq!(received[0].0.get("authorization"), None);
    assert_eq!(received[1].0["authorization"], "Basic YXZpbm9kZTpodXNoOmh1c2g=");
    let sent: serde_json::Value = serde_json::from_str(&received[1].1).unwrap();
    let expected = r#"{"id":"arfq-1","href":"http://a/api/rfqs/arfq-1","type":"rfqs","tripId":"S1"}"#;
    assert_eq!(sent, serde_json::from_str::<serde_json::Value>(expected).unwrap());
}

#[tokio::test]
async fn preemptive_credentials_are_sent_first_and_a_challenge_needs_its_header() {
    let (url, _) = receiver(|_, headers| match headers.get("authorization") {
        Some(_) => StatusCode::OK.into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    })
    .await;
    let deliveries = send(&url, AuthMode::Preemptive, 1.0).await;
    assert_eq!((deliveries.delivered, deliveries.requests), (1, 1));
    let deliveries = send(&url, AuthMode::Challenge, 1e6).await;
    assert_eq!((deliveries.given_up, deliveries.challenged), (1, 0));
}

#[tokio::test]
async fn only_200_is_success_and_any_other_answer_is_repeated() {
    let statuses = [500, 202, 204, 302, 503, 200];
    let (url, received) = receiver(move |number, _| {
        (
            StatusCode::from_u16(statuses[number]).unwrap(),
            [("location", "/elsewhere")],
        )
            .into_response()
    })
    .await;
    let deliveries = send(&url, AuthMode::Nothing, 1e5).await;
    assert_eq!(
        (deliveries.delivered, deliveries.requests, deliveries.given_up),
        (1, 6, 0)
    );
    assert_eq!(
        deliveries.refusals.keys().copied().collect::<Vec<_>>(),
        [202, 204, 302, 500, 503]
    );
    assert_eq!(received.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn a_notification_that_is_not_accepted_within_48_hours_is_given_up() {
    let (url, received) = receiver(|_, _| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    // 48 hours in half a second.
    let begun = Instant::now();
    let deliveries = send(&url, AuthMode::Nothing, 48.0 * 3600.0 * 2.0).await;
    assert_eq!((deliveries.given_up, deliveries.delivered), (1, 0));
    // Half a minute, then twice as long each time up to an hour: at most this many attempts fit.
    assert!((2..=55).contains(&received.lock().unwrap().len()), "{deliveries:?}");
    assert!(begun.elapsed() >= Duration::from_millis(450), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_refused_connection_counts_as_no_answer_and_is_repeated() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let deliveries = send(&format!("http://{closed}/hook"), AuthMode::Challenge, 1e6).await;
    assert_eq!(deliveries.given_up, 1);
    assert!(deliveries.refusals[&0] >= 2, "{deliveries:?}");
}
