//! `webhooks` as an operator meets it: the real program, and a stand-in for the settings at Avinode.

use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::setup::{API_TOKEN, BEARER};
use crate::support::recorder::{Recorder, answer};

/// What became of a run of the program.
pub struct Ran {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Both outputs.
    pub all: String,
}

/// Runs the program with credentials for this base and these variables only.
pub async fn program(base: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    command.args(arguments).env_clear();
    command.env("AVINODE_BASE_URL", base);
    command
        .env("AVINODE_API_TOKEN", API_TOKEN)
        .env("AVINODE_BEARER", BEARER);
    command.env("AVINODE_INSECURE_LOOPBACK", "true");
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    Ran {
        code: output.status.code(),
        all: format!("{out}{}", String::from_utf8(output.stderr).unwrap()),
        out,
    }
}

/// Runs `webhooks` and holds it to showing no secret.
pub async fn webhooks(base: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let ran = program(base, &[&["webhooks"], arguments].concat(), variables).await;
    assert!(!ran.all.contains("hush"), "{}", ran.all);
    ran
}

/// The settings at a stand-in for Avinode, and every body that was written.
#[derive(Clone, Default)]
struct Avinode {
    settings: Arc<Mutex<Vec<Value>>>,
    written: Arc<Mutex<Vec<Value>>>,
    /// It answers 200 to a new name, and does not take it.
    keeps_names: bool,
}

impl Avinode {
    async fn start(settings: Vec<Value>) -> (Self, String) {
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
async fn a_list_shows_what_is_sent_and_what_is_missing() {
    let (_, base) = Avinode::start(vec![setting()]).await;
    let ran = webhooks(&base, &["list"], &[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all);
    for some in [
        "whs-1583",
        "yes",
        "ours",
        "TripChatFromSeller",
        "TripRequestMine (requests sent",
        "TripRequestSellerResponse (",
    ] {
        assert!(ran.out.contains(some), "{some}: {}", ran.out);
    }
    assert!(!ran.out.contains("TripChatFromSeller (messages"), "{}", ran.out);

    let ran = webhooks(&base, &["list", "--json", "--target", "https://b.example/"], &[]).await;
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["settings"][0]["id"], "whs-1583");
    let missing = told["needed"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|needed| needed["missing"] == true);
    assert_eq!(missing.count(), 3, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_made_with_what_the_service_needs_and_its_own_credentials() {
    let (avinode, base) = Avinode::start(Vec::new()).await;
    let create = ["create", "--target", "https://a.example/webhooks/avinode"];
    let ran = webhooks(
        &base,
        &create,
        &[("AVINODE_WEBHOOK_BASIC", "avinode:se:cret-hush,other:hush")],
    )
    .await;
    assert_eq!(ran.code, Some(0), "{}", ran.all);
    let expected = json!({
        "targetURI": "https://a.example/webhooks/avinode", "displayName": "avinode-ingest", "active": true,
        "eventTypes": ["TripRequestSellerResponse", "TripChatFromSeller", "TripRequestMine"],
        "clientIdentifier": "avinode", "clientSecret": "se:cret-hush", "clientAuthenticationType": "BASIC",
    });
    assert_eq!(avinode.last(), expected);
    let ran = webhooks(&base, &["list", "--target", "https://a.example/webhooks/avinode"], &[]).await;
    assert!(
        ran.out.contains("Active settings send all needed event types"),
        "{}",
        ran.out
    );

    let ran = webhooks(&base, &create, &[]).await;
    assert_eq!(ran.code, Some(64), "{}", ran.all);
    assert!(ran.all.contains("AVINODE_WEBHOOK_BASIC"), "{}", ran.all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_what_it_was_not_told_to_change() {
    let (avinode, base) = Avinode::start(vec![setting()]).await;
    let ran = webhooks(&base, &["update", "whs-1583", "--events", "needed,EmptyLegs"], &[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all);
    let mut expected = setting();
    expected.as_object_mut().unwrap().remove("clientSecret");
    expected["eventTypes"] = json!([
        "TripRequestSellerResponse",
        "TripChatFromSeller",
        "TripRequestMine",
        "EmptyLegs"
    ]);
    assert_eq!(
        avinode.last(),
        expected,
        "the masked secret above all must not come back"
    );
    assert!(ran.out.contains("secret was not sent"), "{}", ran.out);

    let known = [("AVINODE_WEBHOOK_BASIC", "first:hush-1 avinode:hush-2")];
    let ran = webhooks(&base, &["disable", "whs-1583", "--json"], &known).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all);
    expected["active"] = json!(false);
    expected["clientSecret"] = json!("hush-2");
    assert_eq!(avinode.last(), expected);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&told["setting"]["active"], &told["secret_sent"]),
        (&json!(false), &json!(true))
    );

    let ran = webhooks(&base, &["update", "whs-9", "--active", "yes"], &[]).await;
    assert_eq!(ran.code, Some(1), "{}", ran.all);
    assert!(ran.all.contains("there is no webhook setting \"whs-9\""), "{}", ran.all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_as_avinode_took_it() {
    let stubborn = Avinode {
        keeps_names: true,
        ..Avinode::default()
    };
    let (avinode, base) = stubborn.start_with(vec![setting()]).await;
    let ran = webhooks(&base, &["update", "whs-1583", "--name", "another", "--json"], &[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all);
    assert_eq!(avinode.last()["displayName"], "another");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["setting"]["name"], "ours", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_already_is_not_asked_for_twice_by_mistake() {
    let (avinode, base) = Avinode::start(vec![setting()]).await;
    let basic = [("AVINODE_WEBHOOK_BASIC", "avinode:hush")];
    let made = || avinode.settings.lock().unwrap().len();
    let target = "https://A.example:443/webhooks/avinode";
    let create = ["create", "--target", target];
    let ran = webhooks(&base, &create, &basic).await;
    assert_eq!((ran.code, made()), (Some(1), 1), "{}", ran.all);
    for some in ["whs-1583 sends TripChatFromSeller to this target already", "--again"] {
        assert!(ran.all.contains(some), "{some}: {}", ran.all);
    }
    let ran = webhooks(&base, &[&create[..], &["--events", "TripRequestMine"]].concat(), &basic).await;
    assert_eq!((ran.code, made()), (Some(0), 2), "nothing comes twice: {}", ran.all);
    let ran = webhooks(&base, &[&create[..], &["--again"]].concat(), &basic).await;
    assert_eq!((ran.code, made()), (Some(0), 3), "{}", ran.all);
    let ran = webhooks(&base, &["create", "--target", "https://b.example/"], &basic).await;
    assert_eq!((ran.code, made()), (Some(0), 4), "elsewhere: {}", ran.all);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_settings_refusals_and_an_avinode_that_is_away_apart() {
    for (status, code) in [
        ("401 Unauthorized", 1),
        ("500 Oh", 69),
        ("302 Found", 69),
        ("422 No", 1),
    ] {
        let server = Recorder::answering(answer(status, &[], b"")).await;
        let ran = webhooks(&server.base(), &["list"], &[]).await;
        assert_eq!(ran.code, Some(code), "{status}: {}", ran.all);
        assert!(
            ran.all
                .contains("could not list the webhook settings: GET webhooks/settings"),
            "{}",
            ran.all
        );
    }
    let server = Recorder::answering(answer("200 OK", &[], b"{}")).await;
    let ran = webhooks(&server.base(), &["list"], &[("AVINODE_INSECURE_LOOPBACK", "no")]).await;
    assert_eq!(ran.code, Some(64), "{}", ran.all);
    assert!(
        ran.all
            .starts_with("error: AVINODE_BASE_URL (--avinode-base-url): \"http://127.0.0.1:"),
        "{}",
        ran.all
    );
    let ran = webhooks("", &["list"], &[("AVINODE_BEARER", ""), ("AVINODE_API_TOKEN", "")]).await;
    assert_eq!(ran.code, Some(64), "{}", ran.all);
    assert!(ran.all.contains("AVINODE_BEARER (--avinode-bearer)"), "{}", ran.all);
    assert!(server.connections().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_the_environment_is_not_used() {
    let (_, base) = Avinode::start(Vec::new()).await;
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
    let ran = webhooks(&base, &["list"], &variables.map(|name| (name, url.as_str()))).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all);
    assert!(proxy.connections().is_empty(), "{}", proxy.everything());
}
