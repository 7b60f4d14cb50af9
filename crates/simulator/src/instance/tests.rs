//! The simulator, called over HTTP.

mod late;

use axum::Router;
use axum::routing::post;
use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::*;
use crate::credentials::ApiCredentials;
use crate::faults::ApiFaults;
use crate::log::CallResult;
use crate::rate_limit::CallQuota;
use crate::schedule::DeliveryFaults;
use ingest_domain::clock::Clock;

/// A running simulator and a client with its credentials.
struct TestSetup {
    simulator: Simulator,
    client: Client,
    shutdown: CancellationToken,
}

impl TestSetup {
    async fn start(options: SimulatorOptions) -> Self {
        Self::start_with_seed(options, 0).await
    }

    async fn start_with_seed(options: SimulatorOptions, seed: u64) -> Self {
        let mut scenario = Scenario::read(include_bytes!("../../../../scenarios/story.json"), None).unwrap();
        scenario.seed = scenario.seed.wrapping_add(seed);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shutdown = CancellationToken::new();
        let simulator = Simulator::start(listener, scenario, options, shutdown.clone()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self {
            simulator,
            client,
            shutdown,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let credentials = ApiCredentials::default();
        let request = self.client.request(method, format!("{}/{path}", self.simulator.base()));
        let request = request
            .bearer_auth(credentials.bearer)
            .header("x-avinode-apitoken", credentials.api_token)
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

    /// Returns the results of the calls, in order.
    fn results(&self) -> Vec<CallResult> {
        self.simulator
            .log()
            .calls()
            .into_iter()
            .map(|call| call.result)
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

/// Very fast, with a rate limit that no test reaches.
fn quick() -> SimulatorOptions {
    SimulatorOptions {
        speed: 1e6,
        rate_limit: CallQuota {
            rate: 1000.0,
            burst: 1000,
        },
        ..SimulatorOptions::default()
    }
}

#[tokio::test]
async fn a_resource_is_shown_in_the_envelope_after_its_action_and_is_404_before() {
    let setup = TestSetup::start(quick()).await;
    let (status, none) = setup.get("tripmsgs/asellermsg-1000011001").await;
    assert_eq!((status, &none["data"]), (404, &Value::Null));
    setup.simulator.play().await.unwrap();
    let (status, message) = setup.get("tripmsgs/asellermsg-1000011001").await;
    assert_eq!((status, &message["meta"]["errors"]), (200, &serde_json::json!([])));
    assert_eq!(
        message["data"]["sellerQuote"]["sellerPrice"]["price"].to_string(),
        "16950.00"
    );
    let href = message["data"]["links"]["rfqs"][0]["href"].as_str().unwrap();
    assert_eq!(href, format!("{}/rfqs/arfq-20011001", setup.simulator.base()));
    assert_eq!(setup.results(), [CallResult::NotFound, CallResult::Served]);
    // There is no webhook setting.
    let deliveries = setup.simulator.log().deliveries();
    assert_eq!((deliveries.unsubscribed, deliveries.planned), (20, 20));
}

#[tokio::test]
async fn every_notification_reaches_the_subscribed_target() {
    let setup = TestSetup::start(SimulatorOptions {
        delivery_faults: DeliveryFaults {
            duplicates: 1.0,
            shuffle: true,
        },
        ..quick()
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::<Value>::new()));
    let record = seen.clone();
    let handler = async move |body: String| lock(&record).push(serde_json::from_str(&body).unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(handler))).into_future());
    setup.simulator.subscribe(&url, "a", "b", AuthMode::Nothing).unwrap();
    setup.simulator.play().await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 40);
    let named = seen.iter().filter(|sent| sent["tripId"] == "R4KT7Q").count();
    assert_eq!(
        (named, seen.iter().filter(|sent| sent["tripId"] == "M8XW2B").count()),
        (16, 0)
    );
    assert!(
        seen.iter()
            .all(|sent| sent["href"].as_str().unwrap().starts_with(setup.simulator.base()))
    );
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_429_and_is_in_the_log() {
    let setup = TestSetup::start(SimulatorOptions {
        rate_limit: CallQuota { rate: 0.01, burst: 2 },
        ..quick()
    })
    .await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer = setup.call(Method::GET, "rfqs/arfq-1", None).await.unwrap();
        answers.push((
            answer.status().as_u16(),
            answer.headers()["x-rate-limit-remaining"].to_str().unwrap().to_owned(),
        ));
    }
    assert_eq!(
        answers,
        [(404, "1".to_owned()), (404, "0".to_owned()), (429, "0".to_owned())]
    );
    assert_eq!(
        (setup.simulator.log().over_limit(), setup.simulator.log().calls().len()),
        (1, 3)
    );
    assert!(setup.simulator.log().excess(0.01, 2) > 0.9);
    assert!(setup.simulator.log().excess(0.01, 3) <= 0.0);
}

#[tokio::test]
async fn a_call_without_credentials_is_401_without_data() {
    let setup = TestSetup::start(quick()).await;
    setup.simulator.play().await.unwrap();
    let answer = setup
        .client
        .get(format!("{}/rfqs/arfq-20011001", setup.simulator.base()))
        .send()
        .await
        .unwrap();
    let (status, body) = read(answer).await;
    assert_eq!((status, &body["data"]), (401, &Value::Null));
}

#[tokio::test]
async fn every_fault_ends_and_none_is_a_valid_answer() {
    let setup = TestSetup::start(SimulatorOptions {
        api_faults: ApiFaults {
            faults: 1.0,
            in_a_row: 12,
            silence: Duration::from_millis(1),
            ..ApiFaults::default()
        },
        ..quick()
    })
    .await;
    setup.simulator.play().await.unwrap();
    for number in 0..13 {
        let Ok(answer) = setup.call(Method::GET, "rfqs/arfq-20011001", None).await else {
            continue;
        };
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap_or_default()).unwrap_or_default();
        let valid = status == 200 && body["data"].is_object() && body["meta"]["errors"] == serde_json::json!([]);
        assert_eq!(valid, number == 12, "{number}: {status} {body}");
    }
    let results = setup.results();
    assert_eq!(
        results
            .iter()
            .filter(|result| matches!(result, CallResult::Fault(_)))
            .count(),
        12
    );
}

#[tokio::test]
async fn settings_are_created_listed_and_changed_over_the_api_and_never_deleted() {
    let setup = TestSetup::start(quick()).await;
    let setting = serde_json::json!({
        "targetURI": "http://127.0.0.1:1/hook", "displayName": "x", "active": true, "clientIdentifier": "a",
        "clientSecret": "b", "clientAuthenticationType": "BASIC", "eventTypes": ["TripRequestMine"],
    });
    let created = setup
        .call(Method::POST, "webhooks/settings", Some(setting))
        .await
        .unwrap();
    let (status, created) = read(created).await;
    let id = created["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!((status, id.as_str()), (200, "whs-1501"));
    let off = serde_json::json!({"active": false});
    let changed = setup
        .call(Method::PUT, &format!("webhooks/settings/{id}"), Some(off))
        .await
        .unwrap();
    assert_eq!(read(changed).await.1["data"]["active"], false);
    let (_, all) = setup.get("webhooks/settings").await;
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        setup
            .call(Method::DELETE, &format!("webhooks/settings/{id}"), None)
            .await
            .unwrap()
            .status(),
        405
    );
    setup.shutdown.cancel();
    setup.simulator.ended().await;
}
