//! The command `webhooks`, against a fake of Avinode's webhook settings.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::setup::{API_TOKEN, BEARER};
use crate::support::program::{ProgramRun, run};
use crate::support::recorder::{Recorder, answer};

/// Runs the program with credentials for this base URL, and no other variables than these.
pub async fn program(base: &str, arguments: &[&str], variables: &[(&str, &str)]) -> ProgramRun {
    let credentials = [
        ("AVINODE_BASE_URL", base),
        ("AVINODE_API_TOKEN", API_TOKEN),
        ("AVINODE_BEARER", BEARER),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
    ];
    run(arguments, &[&credentials, variables].concat()).await
}

/// Runs `webhooks`, and fails if it prints a secret.
pub async fn webhooks(base: &str, arguments: &[&str], variables: &[(&str, &str)]) -> ProgramRun {
    let run = program(base, &[&["webhooks"], arguments].concat(), variables).await;
    assert!(!run.all().contains("hush"), "{}", run.all());
    run
}

/// A fake of Avinode with webhook settings; records every body that was written.
#[derive(Clone, Default)]
pub struct FakeAvinode {
    pub settings: Arc<Mutex<Vec<Value>>>,
    written: Arc<Mutex<Vec<Value>>>,
    /// It answers 200 to a new name, but keeps the old one.
    keeps_names: bool,
}

impl FakeAvinode {
    pub async fn start(settings: Vec<Value>) -> (Self, String) {
        Self::default().start_with(settings).await
    }

    async fn start_with(self, settings: Vec<Value>) -> (Self, String) {
        let avinode = self;
        *avinode.settings.lock().unwrap() = settings;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/api/webhooks/settings", get(Self::list).post(Self::create))
            .route("/api/webhooks/settings/{id}", put(Self::change))
            .with_state(avinode.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (avinode, base)
    }

    async fn list(State(avinode): State<Self>) -> Json<Value> {
        Json(json!({"data": *avinode.settings.lock().unwrap(), "meta": {"errors": []}}))
    }

    async fn create(State(avinode): State<Self>, Json(body): Json<Value>) -> (axum::http::StatusCode, Json<Value>) {
        avinode.written.lock().unwrap().push(body.clone());
        let mut setting = body;
        setting["id"] = json!("whs-2");
        avinode.settings.lock().unwrap().push(setting.clone());
        (axum::http::StatusCode::CREATED, Json(json!({"data": setting})))
    }

    async fn change(State(avinode): State<Self>, Path(id): Path<String>, Json(body): Json<Value>) {
        avinode.written.lock().unwrap().push(body.clone());
        let mut settings = avinode.settings.lock().unwrap();
        let setting = settings.iter_mut().find(|setting| setting["id"] == id).unwrap();
        let name = setting["displayName"].take();
        *setting = body;
        if avinode.keeps_names {
            setting["displayName"] = name;
        }
    }

    fn last(&self) -> Value {
        self.written.lock().unwrap().last().unwrap().clone()
    }
}

fn setting() -> Value {
    json!({
        "id": "whs-1583", "href": "https://sandbox.avinode.com/api/webhooks/settings/whs-1583", "displayName": "ours",
        "targetURI": "https://a.example/webhooks/avinode", "active": true, "clientIdentifier": "avinode",
        "clientSecret": "******hush", "clientAuthenticationType": "BASIC",
        "eventTypes": ["TripChatFromSeller", "EmptyLegs"], "somethingNew": {"kept": [1]},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_the_subscribed_and_the_missing_event_types() {
    let (_, base) = FakeAvinode::start(vec![setting()]).await;
    let run = webhooks(&base, &["list"], &[]).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    for text in [
        "whs-1583",
        "yes",
        "ours",
        "TripChatFromSeller",
        "TripRequestMine (requests sent",
        "TripRequestSellerResponse (",
    ] {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("TripChatFromSeller (messages"), "{}", run.stdout);

    let run = webhooks(&base, &["list", "--json", "--target", "https://b.example/"], &[]).await;
    let output = run.json();
    assert_eq!(output["data"][0]["id"], "whs-1583");
    let missing = output["needed"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|needed| needed["missing"] == true);
    assert_eq!(missing.count(), 3, "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_created_with_the_event_types_and_credentials_of_the_service() {
    let (avinode, base) = FakeAvinode::start(Vec::new()).await;
    let create = [
        "create",
        "--skip-target-check",
        "--target",
        "https://a.example/webhooks/avinode",
    ];
    let run = webhooks(
        &base,
        &create,
        &[("AVINODE_WEBHOOK_BASIC", "avinode:se:cret-hush,other:hush")],
    )
    .await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    let expected = json!({
        "targetURI": "https://a.example/webhooks/avinode", "displayName": "avinode-ingest", "active": true,
        "eventTypes": ["TripRequestSellerResponse", "TripChatFromSeller", "TripRequestMine"],
        "clientIdentifier": "avinode", "clientSecret": "se:cret-hush", "clientAuthenticationType": "BASIC",
    });
    assert_eq!(avinode.last(), expected);
    let run = webhooks(&base, &["list", "--target", "https://a.example/webhooks/avinode"], &[]).await;
    assert!(
        run.stdout.contains("Active settings send all needed event types"),
        "{}",
        run.stdout
    );

    let run = webhooks(&base, &create, &[]).await;
    assert_eq!(run.code, Some(64), "{}", run.all());
    assert!(run.all().contains("AVINODE_WEBHOOK_BASIC"), "{}", run.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_all_other_fields() {
    let (avinode, base) = FakeAvinode::start(vec![setting()]).await;
    let run = webhooks(&base, &["update", "whs-1583", "--events", "needed,EmptyLegs"], &[]).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    let mut expected = setting();
    expected.as_object_mut().unwrap().remove("clientSecret");
    expected["eventTypes"] = json!([
        "TripRequestSellerResponse",
        "TripChatFromSeller",
        "TripRequestMine",
        "EmptyLegs"
    ]);
    assert_eq!(avinode.last(), expected, "the masked secret must not be written back");
    assert!(run.stdout.contains("secret was not sent"), "{}", run.stdout);

    let known = [("AVINODE_WEBHOOK_BASIC", "first:hush-1 avinode:hush-2")];
    let run = webhooks(&base, &["disable", "whs-1583", "--json"], &known).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    expected["active"] = json!(false);
    expected["clientSecret"] = json!("hush-2");
    assert_eq!(avinode.last(), expected);
    let output = run.json();
    assert_eq!(
        (&output["setting"]["active"], &output["secret_sent"]),
        (&json!(false), &json!(true))
    );

    let run = webhooks(&base, &["update", "whs-9", "--active", "yes"], &[]).await;
    assert_eq!(run.code, Some(1), "{}", run.all());
    assert!(
        run.all().contains("there is no webhook setting \"whs-9\""),
        "{}",
        run.all()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_reported_as_avinode_accepted_it() {
    let stubborn = FakeAvinode {
        keeps_names: true,
        ..FakeAvinode::default()
    };
    let (avinode, base) = stubborn.start_with(vec![setting()]).await;
    let run = webhooks(&base, &["update", "whs-1583", "--name", "another", "--json"], &[]).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    assert_eq!(avinode.last()["displayName"], "another");
    let output = run.json();
    assert_eq!(output["setting"]["name"], "ours", "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_setting_for_the_same_events_and_target_is_refused() {
    let (avinode, base) = FakeAvinode::start(vec![setting()]).await;
    let basic = [("AVINODE_WEBHOOK_BASIC", "avinode:hush")];
    let count = || avinode.settings.lock().unwrap().len();
    let target = "https://A.example:443/webhooks/avinode";
    let create = ["create", "--skip-target-check", "--target", target];
    let run = webhooks(&base, &create, &basic).await;
    assert_eq!((run.code, count()), (Some(1), 1), "{}", run.all());
    for text in ["whs-1583 sends TripChatFromSeller to this target already", "--again"] {
        assert!(run.all().contains(text), "{text}: {}", run.all());
    }
    let run = webhooks(&base, &[&create[..], &["--events", "TripRequestMine"]].concat(), &basic).await;
    assert_eq!((run.code, count()), (Some(0), 2), "no event type twice: {}", run.all());
    let run = webhooks(&base, &[&create[..], &["--again"]].concat(), &basic).await;
    assert_eq!((run.code, count()), (Some(0), 3), "{}", run.all());
    let run = webhooks(
        &base,
        &["create", "--skip-target-check", "--target", "https://b.example/"],
        &basic,
    )
    .await;
    assert_eq!((run.code, count()), (Some(0), 4), "another target: {}", run.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_distinguish_wrong_settings_refusals_and_an_unavailable_api() {
    for (status, code) in [
        ("401 Unauthorized", 1),
        ("500 Oh", 69),
        ("302 Found", 69),
        ("422 No", 1),
    ] {
        let server = Recorder::answering(answer(status, &[], b"")).await;
        let run = webhooks(&server.base(), &["list"], &[]).await;
        assert_eq!(run.code, Some(code), "{status}: {}", run.all());
        assert!(
            run.all()
                .contains("could not list the webhook settings: GET webhooks/settings"),
            "{}",
            run.all()
        );
    }
    let server = Recorder::answering(answer("200 OK", &[], b"{}")).await;
    let run = webhooks(&server.base(), &["list"], &[("AVINODE_INSECURE_LOOPBACK", "no")]).await;
    assert_eq!(run.code, Some(64), "{}", run.all());
    assert!(
        run.all()
            .starts_with("error: AVINODE_BASE_URL (--avinode-base-url): \"http://127.0.0.1:"),
        "{}",
        run.all()
    );
    let run = webhooks("", &["list"], &[("AVINODE_BEARER", ""), ("AVINODE_API_TOKEN", "")]).await;
    assert_eq!(run.code, Some(64), "{}", run.all());
    assert!(run.all().contains("AVINODE_BEARER (--avinode-bearer)"), "{}", run.all());
    assert!(server.connections().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_the_environment_is_not_used() {
    let (_, base) = FakeAvinode::start(Vec::new()).await;
    let proxy = Recorder::answering(answer("200 OK", &[], b"{}")).await;
    let url = format!("http://{}", proxy.address);
    let variables = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let run = webhooks(&base, &["list"], &variables.map(|name| (name, url.as_str()))).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    assert!(proxy.connections().is_empty(), "{}", proxy.everything());
}
