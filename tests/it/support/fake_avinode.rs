//! A small fake of Avinode's API: a test sets its documents and its failures, and reads its calls.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avinode_ingest::avinode::client::base_url::BaseUrl;
use avinode_ingest::avinode::client::config::{AvinodeSettings, ClientLimits, ClientSettings};
use avinode_ingest::avinode::client::query_parameters::QueryParameters;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::PATIENCE;
use super::eventually::{at_least, eventually};

/// An answer that is no document.
#[derive(Clone)]
pub struct Fault {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

impl Fault {
    /// A status and nothing else.
    pub fn of(status: u16) -> Self {
        let body = json!({"meta": {"errors": [{"title": "as a test wants it", "code": status}]}});
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// With a header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

#[derive(Default)]
struct Shown {
    documents: BTreeMap<String, Value>,
    /// The next answers of a resource.
    faults: BTreeMap<String, VecDeque<Fault>>,
    /// The answer to everything.
    always: Option<Fault>,
    calls: Vec<(Instant, String)>,
    /// The query of each call.
    queries: Vec<String>,
    /// Calls with a query are answered 400.
    refuses_queries: bool,
}

/// The server.
#[derive(Clone)]
pub struct FakeAvinode {
    base: String,
    shown: Arc<Mutex<Shown>>,
    /// A permit for each answer, while answers are held back.
    gate: Arc<Mutex<Option<Arc<Semaphore>>>>,
}

impl FakeAvinode {
    /// Starts it on a free port; it ends with the test's runtime.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api", listener.local_addr().unwrap());
        let stub = Self {
            base,
            shown: Arc::default(),
            gate: Arc::default(),
        };
        let router = Router::new()
            .route("/api/{kind}/{id}", axum::routing::get(answer))
            .with_state(stub.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        stub
    }

    /// Shows this as `data` of `rfqs/arfq-1`, from now on.
    pub fn show(&self, resource: &str, data: Value) {
        self.shown.lock().unwrap().documents.insert(resource.to_owned(), data);
    }

    /// Answers so once more, before anything else.
    pub fn fail(&self, resource: &str, fault: Fault) {
        let mut shown = self.shown.lock().unwrap();
        shown.faults.entry(resource.to_owned()).or_default().push_back(fault);
    }

    /// Answers so to everything, or no more.
    pub fn fail_always(&self, fault: Option<Fault>) {
        self.shown.lock().unwrap().always = fault;
    }

    /// Holds all answers back until [`Self::release`]; what they show is read after that.
    pub fn hold(&self) {
        *self.gate.lock().unwrap() = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets all answers go.
    pub fn release(&self) {
        if let Some(gate) = self.gate.lock().unwrap().take() {
            gate.add_permits(10_000);
        }
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<(Instant, String)> {
        self.shown.lock().unwrap().calls.clone()
    }

    /// The queries of all calls so far, without the ?.
    pub fn queries(&self) -> Vec<String> {
        self.shown.lock().unwrap().queries.clone()
    }

    /// Answers 400 to calls with a query from now on, or no more.
    pub fn refuse_queries(&self, refuses: bool) {
        self.shown.lock().unwrap().refuses_queries = refuses;
    }

    /// The number of calls of a resource.
    pub fn count(&self, resource: &str) -> usize {
        self.calls().iter().filter(|(_, called)| called == resource).count()
    }

    /// Waits until so many calls have come.
    pub async fn called(&self, times: usize) {
        eventually(PATIENCE, "so many calls have come", async || {
            at_least(self.calls().len(), times)
        })
        .await;
    }

    /// `http://127.0.0.1:port/api`.
    pub fn base(&self) -> String {
        self.base.clone()
    }

    /// The URL of a resource, as a notification gives it.
    pub fn href(&self, resource: &str) -> String {
        format!("{}/{resource}", self.base)
    }

    /// A thin notification of a resource.
    pub fn thin(&self, resource: &str, trip: Option<&str>) -> Value {
        let (kind, id) = resource.split_once('/').unwrap();
        let mut body = json!({"id": id, "href": self.href(resource), "type": kind});
        if let Some(trip) = trip {
            body["tripId"] = json!(trip);
        }
        body
    }

    /// The settings of a service that calls it.
    pub fn settings(&self, calls_per_second: f64, burst: u32) -> AvinodeSettings {
        AvinodeSettings {
            client: ClientSettings {
                base: BaseUrl::parse(&self.base, true).unwrap(),
                api_token: "hush-token".into(),
                bearer: "hush-bearer".into(),
                act_as_account: None,
                query_parameters: QueryParameters::needed(),
                limits: ClientLimits {
                    total: Duration::from_secs(20),
                    ..ClientLimits::default()
                },
            },
            calls_per_second,
            burst,
            api_lag: Duration::from_secs(3),
            reconcile_every: None,
        }
    }
}

async fn answer(
    State(stub): State<FakeAvinode>,
    Path((kind, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let resource = format!("{kind}/{id}");
    let query = query.unwrap_or_default();
    {
        let mut shown = stub.shown.lock().unwrap();
        shown.calls.push((Instant::now(), resource.clone()));
        shown.queries.push(query.clone());
    }
    let gate = stub.gate.lock().unwrap().clone();
    if let Some(gate) = gate {
        let _ = gate.acquire().await;
    }
    let mut shown = stub.shown.lock().unwrap();
    let fault = shown
        .always
        .clone()
        .or_else(|| shown.faults.get_mut(&resource)?.pop_front());
    let refused = shown.refuses_queries && !query.is_empty();
    let fault = fault.or_else(|| refused.then(|| Fault::of(400)));
    let fault = fault.or_else(|| (!shown.documents.contains_key(&resource)).then(|| Fault::of(404)));
    if let Some(fault) = fault {
        let mut headers = HeaderMap::new();
        for (name, value) in &fault.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        let status = StatusCode::from_u16(fault.status).unwrap();
        return (status, headers, fault.body.to_string()).into_response();
    }
    json!({"data": shown.documents[&resource], "meta": {}})
        .to_string()
        .into_response()
}
