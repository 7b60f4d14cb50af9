//! The simulated API: resources and webhook settings in Avinode's envelope, behind credentials, the rate limit and the faults.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::documents::document;
use super::faults::{ApiFault, FaultPlan, LastingFault, is_late};
use super::log::{CallLog, CallResult, lock};
use super::optional_parts::remove_unasked;
use super::options::SimulatorOptions;
use super::rate_limit::{QuotaBucket, QuotaDecision};
use super::webhook_settings::WebhookSettings;
use super::world::SimulatedWorld;

/// The state of the simulator, shared by the API and the sender.
pub struct SimulatorState {
    /// The URL of the API, for example `http://127.0.0.1:9090/api`.
    pub base_url: String,
    pub world: Mutex<SimulatedWorld>,
    /// The times of each resource's changes.
    pub changed_at: Mutex<HashMap<String, Vec<Instant>>>,
    pub settings: Mutex<WebhookSettings>,
    pub bucket: Mutex<QuotaBucket>,
    pub fault_plan: Mutex<FaultPlan>,
    pub options: SimulatorOptions,
    pub seed: u64,
    pub log: CallLog,
    pub shutdown: CancellationToken,
}

pub fn router(state: Arc<SimulatorState>) -> Router {
    Router::new()
        .route("/api/webhooks/settings", get(list).post(create))
        .route("/api/webhooks/settings/{id}", put(update))
        .route("/api/{kind}/{id}", get(resource))
        .with_state(state)
}

async fn resource(
    State(state): State<Arc<SimulatorState>>,
    Path((kind, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (at, name) = (Instant::now(), format!("{kind}/{id}"));
    let limit = match state.admit(at, &name, &headers) {
        Ok(limit) => limit,
        Err(refusal) => return *refusal,
    };
    if let Some(fault) = state.options.lasting_faults.get(&id) {
        state.log.record_call(at, name, CallResult::Fault("lasting"));
        return match fault {
            LastingFault::Status(status) => respond(*status, limit, &error("FAULT", "This resource always fails")),
            LastingFault::Silence => state.fail(ApiFault::Silence, limit).await,
        };
    }
    let fault = lock(&state.fault_plan).next(state.seed, &id, &state.options.api_faults);
    if let Some(fault) = fault {
        state.log.record_call(at, name, CallResult::Fault(fault.as_str()));
        return state.fail(fault, limit).await;
    }
    let (document, result) = state.visible_document(&kind, &id);
    state.log.record_call(at, name, result);
    match document {
        Some(mut data) => {
            remove_unasked(&mut data, query.as_deref().unwrap_or_default());
            respond(200, limit, &envelope(&data, &[]))
        }
        None => respond(404, limit, &error("NOT_FOUND", "There is no such resource")),
    }
}

async fn list(State(state): State<Arc<SimulatorState>>, headers: HeaderMap) -> Response {
    state.settings(&headers, |settings| Ok(Some(settings.list())))
}

async fn create(State(state): State<Arc<SimulatorState>>, headers: HeaderMap, Json(setting): Json<Value>) -> Response {
    state.settings(&headers, |settings| settings.create(setting).map(Some))
}

async fn update(
    State(state): State<Arc<SimulatorState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(changes): Json<Value>,
) -> Response {
    state.settings(&headers, |settings| settings.update(&id, &changes))
}

impl SimulatorState {
    /// Counts the call and checks its credentials.
    fn admit(&self, at: Instant, name: &str, headers: &HeaderMap) -> Result<QuotaDecision, Box<Response>> {
        let limit = lock(&self.bucket).take(at);
        if !limit.allowed {
            self.log.record_call(at, name.to_owned(), CallResult::OverLimit);
            return Err(too_many_requests(limit).into());
        }
        self.options
            .credentials
            .check(headers, self.options.clock.now())
            .map_err(|(status, reason)| {
                self.log.record_call(at, name.to_owned(), CallResult::Refused(reason));
                Box::new(respond(status, limit, &error("NOT_ALLOWED", reason)))
            })?;
        Ok(limit)
    }

    /// Returns the document that the API shows now: without the last changes, as far as they are late. So a new resource is
    /// missing, or shown as it was before it was changed.
    fn visible_document(&self, kind: &str, id: &str) -> (Option<Value>, CallResult) {
        let world = lock(&self.world);
        let versions = world.versions(id);
        let changed_at = lock(&self.changed_at).get(id).cloned().unwrap_or_default();
        let faults = &self.options.api_faults;
        let changes = versions.iter().zip(&changed_at).enumerate().rev();
        let hidden = changes.take_while(|(before, (_, at))| {
            at.elapsed() < faults.lateness && is_late(self.seed, id, *before as u64 + 1, faults)
        });
        let (document, result) = match hidden.last() {
            Some((_, (before, _))) => (before.clone(), CallResult::Stale),
            None => (document(&world, kind, id, &self.base_url), CallResult::Served),
        };
        let result = if document.is_some() {
            result
        } else {
            CallResult::NotFound
        };
        (document, result)
    }

    async fn fail(&self, fault: ApiFault, limit: QuotaDecision) -> Response {
        let internal_error = || error("INTERNAL_ERROR", "Something went wrong");
        match fault {
            ApiFault::Silence => {
                let _ = timeout(self.options.api_faults.silence, self.shutdown.cancelled()).await;
                cut_off()
            }
            ApiFault::CutOff => cut_off(),
            ApiFault::TooManyRequests => too_many_requests(QuotaDecision {
                remaining: 0,
                reset: Duration::from_secs(1),
                ..limit
            }),
            ApiFault::Internal => respond(500, limit, &internal_error()),
            ApiFault::Unavailable => respond(503, limit, &error("UNAVAILABLE", "Try again later")),
            ApiFault::ErrorInEnvelope => respond(200, limit, &internal_error()),
        }
    }

    fn settings(
        &self,
        headers: &HeaderMap,
        handle: impl FnOnce(&mut WebhookSettings) -> Result<Option<Value>, &'static str>,
    ) -> Response {
        let (at, name) = (Instant::now(), "webhooks/settings");
        let limit = match self.admit(at, name, headers) {
            Ok(limit) => limit,
            Err(refusal) => return *refusal,
        };
        let handled = handle(&mut lock(&self.settings));
        let (result, response) = match handled {
            Ok(Some(data)) => (CallResult::Served, respond(200, limit, &envelope(&data, &[]))),
            Ok(None) => {
                let body = error("NOT_FOUND", "There is no such setting");
                (CallResult::NotFound, respond(404, limit, &body))
            }
            Err(reason) => {
                let body = error("INVALID", reason);
                (CallResult::Refused(reason), respond(422, limit, &body))
            }
        };
        self.log.record_call(at, name.to_owned(), result);
        response
    }
}

fn too_many_requests(limit: QuotaDecision) -> Response {
    respond(429, limit, &error("TOO_MANY_REQUESTS", "The rate limit is exceeded"))
}

fn envelope(data: &Value, errors: &[Value]) -> Value {
    json!({"data": data, "meta": {"errors": errors, "warnings": [], "infos": []}})
}

fn error(code: &str, title: &str) -> Value {
    envelope(&Value::Null, &[json!({"title": title, "code": code})])
}

fn respond(status: u16, limit: QuotaDecision, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reset = limit.reset.as_secs();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-rate-limit-limit", limit.limit.into());
    headers.insert("x-rate-limit-remaining", limit.remaining.into());
    headers.insert("x-rate-limit-reset", reset.into());
    match status {
        429 => drop(headers.insert("retry-after", reset.into())),
        503 => drop(headers.insert("retry-after", HeaderValue::from_static("1"))),
        _ => {}
    }
    response
}

/// A response with half a body: the stream fails, so the connection is closed early.
fn cut_off() -> Response {
    let parts = [
        Ok(Bytes::from_static(b"{\"data\":{\"id\":")),
        Err(std::io::Error::other("cut off on purpose")),
    ];
    Response::new(Body::from_stream(stream::iter(parts)))
}
