//! The sender against receivers that answer as they like.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;

use super::*;
use crate::simulator::log::CallLog;

/// The headers of each request, and its body.
type Seen = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A receiver that answers its n-th request, counted from 0, as told.
async fn receiver(answer: impl Fn(usize, &HeaderMap) -> Response + Clone + Send + Sync + 'static) -> (String, Seen) {
    let seen = Seen::default();
    let record = seen.clone();
    let handler = async move |headers: HeaderMap, body: String| {
        let mut seen = record.lock().unwrap();
        let answer = answer(seen.len(), &headers);
        seen.push((headers, body));
        answer
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(handler))).into_future());
    (uri, seen)
}

/// Sends one notification at this speed and returns what came of it.
async fn sent(uri: &str, proof: AuthMode, speed: f64) -> DeliveryLog {
    let target = WebhookTarget {
        setting: "whs-1".to_owned(),
        uri: uri.to_owned(),
        identifier: "avinode".to_owned(),
        secret: "hush:hush".to_owned(),
        proof,
    };
    let notice = SimulatedNotification {
        kind: "rfqs",
        id: "arfq-1".to_owned(),
        trip: Some("S1".to_owned()),
        event_type: "TripRequestMine",
    };
    let (log, shutdown) = (CallLog::begin(), CancellationToken::new());
    log.delivery(|deliveries| deliveries.planned = 1);
    let sender = Sender::new(2, ScaledClock::start(speed), shutdown).unwrap();
    sender.deliver(&target, &body(&notice, "http://a/api"), &log).await;
    let deliveries = log.deliveries();
    assert!(deliveries.is_done());
    deliveries
}

fn challenge() -> Response {
    (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=\"x\"")]).into_response()
}

#[tokio::test]
async fn the_body_is_avinodes_and_credentials_come_only_after_a_challenge() {
    let (uri, seen) = receiver(|_, headers| match headers.get("authorization") {
        Some(_) => StatusCode::OK.into_response(),
        None => challenge(),
    })
    .await;
    let deliveries = sent(&uri, AuthMode::Challenge, 1.0).await;
    assert_eq!(
        (deliveries.delivered, deliveries.requests, deliveries.challenged),
        (1, 2, 1)
    );
    assert!(deliveries.refusals.is_empty());
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].0.get("authorization"), None);
    assert_eq!(seen[1].0["authorization"], "Basic YXZpbm9kZTpodXNoOmh1c2g=");
    let told: serde_json::Value = serde_json::from_str(&seen[1].1).unwrap();
    let expected = r#"{"id":"arfq-1","href":"http://a/api/rfqs/arfq-1","type":"rfqs","tripId":"S1"}"#;
    assert_eq!(told, serde_json::from_str::<serde_json::Value>(expected).unwrap());
}

#[tokio::test]
async fn preemptive_credentials_come_at_once_and_no_challenge_is_answered_without_its_header() {
    let (uri, _) = receiver(|_, headers| match headers.get("authorization") {
        Some(_) => StatusCode::OK.into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    })
    .await;
    let deliveries = sent(&uri, AuthMode::Preemptive, 1.0).await;
    assert_eq!((deliveries.delivered, deliveries.requests), (1, 1));
    let deliveries = sent(&uri, AuthMode::Challenge, 1e6).await;
    assert_eq!((deliveries.given_up, deliveries.challenged), (1, 0));
}

#[tokio::test]
async fn only_200_is_success_and_everything_else_comes_again() {
    let statuses = [500, 202, 204, 302, 503, 200];
    let (uri, seen) = receiver(move |number, _| {
        (
            StatusCode::from_u16(statuses[number]).unwrap(),
            [("location", "/elsewhere")],
        )
            .into_response()
    })
    .await;
    let deliveries = sent(&uri, AuthMode::Nothing, 1e5).await;
    assert_eq!(
        (deliveries.delivered, deliveries.requests, deliveries.given_up),
        (1, 6, 0)
    );
    assert_eq!(
        deliveries.refusals.keys().copied().collect::<Vec<_>>(),
        [202, 204, 302, 500, 503]
    );
    assert_eq!(seen.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn what_is_not_accepted_within_48_hours_is_given_up() {
    let (uri, seen) = receiver(|_, _| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    // 48 hours in half a second.
    let begun = Instant::now();
    let deliveries = sent(&uri, AuthMode::Nothing, 48.0 * 3600.0 * 2.0).await;
    assert_eq!((deliveries.given_up, deliveries.delivered), (1, 0));
    // Half a minute, then twice as long each time until it is an hour: not more than this fits in.
    assert!((2..=55).contains(&seen.lock().unwrap().len()), "{deliveries:?}");
    assert!(begun.elapsed() >= Duration::from_millis(450), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nobody_there_is_no_answer_and_comes_again() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let deliveries = sent(&format!("http://{closed}/hook"), AuthMode::Challenge, 1e6).await;
    assert_eq!(deliveries.given_up, 1);
    assert!(deliveries.refusals[&0] >= 2, "{deliveries:?}");
}
