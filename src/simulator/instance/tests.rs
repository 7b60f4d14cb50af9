//! The whole simulator over HTTP, asked by a plain client.

use axum::Router;
use axum::routing::post;
use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::*;
use crate::simulator::log::CallResult;

/// A running simulator and a client with its credentials.
struct Stage {
    simulator: Simulator,
    client: Client,
    shutdown: CancellationToken,
}

impl Stage {
    async fn set(options: SimulatorOptions) -> Self {
        let story = Scenario::read(include_bytes!("../../../scenarios/story.json"), None).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shutdown = CancellationToken::new();
        let simulator = Simulator::start(listener, story, options, shutdown.clone()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self {
            simulator,
            client,
            shutdown,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let known = ApiCredentials::default();
        let request = self.client.request(method, format!("{}/{path}", self.simulator.base()));
        let request = request
            .bearer_auth(known.bearer)
            .header("x-avinode-apitoken", known.api_token)
            .header("x-avinode-senttimestamp", Clock::System.now().to_rfc3339())
            .header("x-avinode-apiversion", "v1.0")
            .header("x-avinode-product", "test/1");
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => request,
        };
        request.send().await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.call(Method::GET, path, None).await.unwrap()).await
    }

    /// What the first calls of a resource got, in order.
    fn outcomes(&self) -> Vec<CallResult> {
        self.simulator
            .log()
            .calls()
            .into_iter()
            .map(|call| call.outcome)
            .collect()
    }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
    )
}

/// Very fast, and no limit that a test meets.
fn quick() -> SimulatorOptions {
    SimulatorOptions {
        speed: 1e6,
        allowance: RateLimit {
            rate: 1000.0,
            burst: 1000,
        },
        ..SimulatorOptions::default()
    }
}

#[tokio::test]
async fn what_has_happened_is_answered_in_the_envelope_and_what_has_not_is_404() {
    let stage = Stage::set(quick()).await;
    let (status, none) = stage.get("tripmsgs/asellermsg-1000011001").await;
    assert_eq!((status, &none["data"]), (404, &Value::Null));
    stage.simulator.play().await.unwrap();
    let (status, message) = stage.get("tripmsgs/asellermsg-1000011001").await;
    assert_eq!((status, &message["meta"]["errors"]), (200, &serde_json::json!([])));
    assert_eq!(
        message["data"]["sellerQuote"]["sellerPrice"]["price"].to_string(),
        "16950.00"
    );
    let href = message["data"]["links"]["rfqs"][0]["href"].as_str().unwrap();
    assert_eq!(href, format!("{}/rfqs/arfq-20011001", stage.simulator.base()));
    assert_eq!(stage.outcomes(), [CallResult::NotThere, CallResult::Served]);
    // Nobody has subscribed.
    let deliveries = stage.simulator.log().deliveries();
    assert_eq!((deliveries.unsubscribed, deliveries.planned), (20, 20));
}

#[tokio::test]
async fn every_notification_reaches_whoever_has_subscribed() {
    let stage = Stage::set(SimulatorOptions {
        disorder: DeliveryFaults {
            duplicates: 1.0,
            shuffle: true,
        },
        ..quick()
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/hook", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::<Value>::new()));
    let record = seen.clone();
    let handler = async move |body: String| lock(&record).push(serde_json::from_str(&body).unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(handler))).into_future());
    stage.simulator.subscribe(&uri, "a", "b", AuthMode::Nothing).unwrap();
    stage.simulator.play().await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 40);
    let named = seen.iter().filter(|told| told["tripId"] == "R4KT7Q").count();
    assert_eq!(
        (named, seen.iter().filter(|told| told["tripId"] == "M8XW2B").count()),
        (16, 0)
    );
    assert!(
        seen.iter()
            .all(|told| told["href"].as_str().unwrap().starts_with(stage.simulator.base()))
    );
}

#[tokio::test]
async fn beyond_the_limit_it_is_429_and_the_log_tells() {
    let stage = Stage::set(SimulatorOptions {
        allowance: RateLimit { rate: 0.01, burst: 2 },
        ..quick()
    })
    .await;
    let mut left = Vec::new();
    for _ in 0..3 {
        let answer = stage.call(Method::GET, "rfqs/arfq-1", None).await.unwrap();
        left.push((
            answer.status().as_u16(),
            answer.headers()["x-rate-limit-remaining"].to_str().unwrap().to_owned(),
        ));
    }
    assert_eq!(
        left,
        [(404, "1".to_owned()), (404, "0".to_owned()), (429, "0".to_owned())]
    );
    assert_eq!(
        (stage.simulator.log().over_limit(), stage.simulator.log().calls().len()),
        (1, 3)
    );
    assert!(stage.simulator.log().excess(0.01, 2) > 0.9);
    assert!(stage.simulator.log().excess(0.01, 3) <= 0.0);
}

#[tokio::test]
async fn without_credentials_nothing_is_told() {
    let stage = Stage::set(quick()).await;
    stage.simulator.play().await.unwrap();
    let answer = stage
        .client
        .get(format!("{}/rfqs/arfq-20011001", stage.simulator.base()))
        .send()
        .await
        .unwrap();
    let (status, told) = read(answer).await;
    assert_eq!((status, &told["data"]), (401, &Value::Null));
}

#[tokio::test]
async fn every_fault_ends_and_none_is_an_answer() {
    let stage = Stage::set(SimulatorOptions {
        trouble: ApiFaults {
            faults: 1.0,
            in_a_row: 12,
            silence: Duration::from_millis(1),
            ..ApiFaults::default()
        },
        ..quick()
    })
    .await;
    stage.simulator.play().await.unwrap();
    for number in 0..13 {
        let Ok(answer) = stage.call(Method::GET, "rfqs/arfq-20011001", None).await else {
            continue;
        };
        let status = answer.status().as_u16();
        let told: Value = serde_json::from_slice(&answer.bytes().await.unwrap_or_default()).unwrap_or_default();
        let good = status == 200 && told["data"].is_object() && told["meta"]["errors"] == serde_json::json!([]);
        assert_eq!(good, number == 12, "{number}: {status} {told}");
    }
    let outcomes = stage.outcomes();
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| matches!(outcome, CallResult::Faulty(_)))
            .count(),
        12
    );
}

#[tokio::test]
async fn a_change_that_is_shown_late_is_shown_in_the_end() {
    let stage = Stage::set(SimulatorOptions {
        trouble: ApiFaults {
            late: 1.0,
            lateness: Duration::from_millis(300),
            ..ApiFaults::default()
        },
        ..quick()
    })
    .await;
    stage.simulator.play().await.unwrap();
    assert_eq!(stage.get("tripmsgs/asellermsg-1000011003").await.0, 404);
    let (_, stale) = stage.get("tripmsgs/asellermsg-1000011001").await;
    assert_eq!(
        stale["data"]["sellerQuote"]["sellerPrice"]["price"].to_string(),
        "18400.00"
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.get("tripmsgs/asellermsg-1000011003").await.0, 200);
    assert_eq!(
        stage.outcomes(),
        [CallResult::NotThere, CallResult::Stale, CallResult::Served]
    );
}

#[tokio::test]
async fn settings_are_made_listed_and_changed_by_the_api_and_never_deleted() {
    let stage = Stage::set(quick()).await;
    let setting = serde_json::json!({
        "targetURI": "http://127.0.0.1:1/hook", "displayName": "x", "active": true, "clientIdentifier": "a",
        "clientSecret": "b", "clientAuthenticationType": "BASIC", "eventTypes": ["TripRequestMine"],
    });
    let made = stage
        .call(Method::POST, "webhooks/settings", Some(setting))
        .await
        .unwrap();
    let (status, made) = read(made).await;
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!((status, id.as_str()), (200, "whs-1501"));
    let off = serde_json::json!({"active": false});
    let changed = stage
        .call(Method::PUT, &format!("webhooks/settings/{id}"), Some(off))
        .await
        .unwrap();
    assert_eq!(read(changed).await.1["data"]["active"], false);
    let (_, all) = stage.get("webhooks/settings").await;
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        stage
            .call(Method::DELETE, &format!("webhooks/settings/{id}"), None)
            .await
            .unwrap()
            .status(),
        405
    );
    stage.shutdown.cancel();
    stage.simulator.ended().await;
}
