//! The API: resources and webhook settings in Avinode's envelope, behind credentials, the rate limit and the faults.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::credentials::ApiCredentials;
use super::faults::{ApiFault, ApiFaults, FaultPlan, is_late};
use super::log::{CallLog, CallResult};
use super::rate_limit::{RateLimitDecision, TokenBucket};
use super::webhook_settings::WebhookSettings;
use super::world::SimulatedWorld;
use crate::clock::Clock;

/// What the API and the sender share.
pub struct ApiShared {
    /// The API's URL, for example `http://127.0.0.1:9090/api`.
    pub base: String,
    /// What Avinode knows now.
    pub world: Mutex<SimulatedWorld>,
    /// When each resource last changed.
    pub changed: Mutex<HashMap<String, Instant>>,
    /// Whom to tell.
    pub settings: Mutex<WebhookSettings>,
    /// The rate limit.
    pub bucket: Mutex<TokenBucket>,
    /// The faults so far.
    pub faults: Mutex<FaultPlan>,
    /// How much goes wrong.
    pub trouble: ApiFaults,
    /// Where chance begins.
    pub seed: u64,
    /// What callers must know.
    pub credentials: ApiCredentials,
    /// The witness.
    pub log: CallLog,
    /// For the callers' timestamps.
    pub clock: Clock,
    /// Ends what is held.
    pub shutdown: CancellationToken,
}

/// A lock that survives another thread's panic.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The router of the whole API.
pub fn router(shared: Arc<ApiShared>) -> Router {
    Router::new()
        .route("/api/webhooks/settings", get(list).post(create))
        .route("/api/webhooks/settings/{id}", put(update))
        .route("/api/{kind}/{id}", get(resource))
        .with_state(shared)
}

async fn resource(
    State(shared): State<Arc<ApiShared>>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let (at, name) = (Instant::now(), format!("{kind}/{id}"));
    let told = match shared.admit(at, &name, &headers) {
        Ok(told) => told,
        Err(refused) => return *refused,
    };
    let fault = lock(&shared.faults).next(shared.seed, &id, &shared.trouble);
    if let Some(fault) = fault {
        shared.log.call(at, name, CallResult::Faulty(fault.as_str()));
        return shared.fail(fault, told).await;
    }
    let (document, outcome) = shared.shown(&kind, &id);
    shared.log.call(at, name, outcome);
    match document {
        Some(data) => answer(200, told, &envelope(&data, &[])),
        None => answer(404, told, &error("NOT_FOUND", "There is no such resource")),
    }
}

async fn list(State(shared): State<Arc<ApiShared>>, headers: HeaderMap) -> Response {
    shared.settings(&headers, |settings| Ok(Some(settings.list())))
}

async fn create(State(shared): State<Arc<ApiShared>>, headers: HeaderMap, Json(given): Json<Value>) -> Response {
    shared.settings(&headers, |settings| settings.create(given).map(Some))
}

async fn update(
    State(shared): State<Arc<ApiShared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(given): Json<Value>,
) -> Response {
    shared.settings(&headers, |settings| settings.update(&id, &given))
}

impl ApiShared {
    /// Counts the call and looks at who calls.
    fn admit(&self, at: Instant, name: &str, headers: &HeaderMap) -> Result<RateLimitDecision, Box<Response>> {
        let told = lock(&self.bucket).take(at);
        if !told.within {
            self.log.call(at, name.to_owned(), CallResult::OverLimit);
            return Err(too_many(told).into());
        }
        self.credentials
            .check(headers, self.clock.now())
            .map_err(|(status, why)| {
                self.log.call(at, name.to_owned(), CallResult::Refused(why));
                Box::new(answer(status, told, &error("NOT_ALLOWED", why)))
            })?;
        Ok(told)
    }

    /// The document as the API shows it now, which may be later than it is.
    fn shown(&self, kind: &str, id: &str) -> (Option<Value>, CallResult) {
        let world = lock(&self.world);
        let (before, changes) = world.before(id);
        let fresh = lock(&self.changed)
            .get(id)
            .is_some_and(|at| at.elapsed() < self.trouble.lateness);
        if fresh && is_late(self.seed, id, changes, &self.trouble) {
            let outcome = if before.is_some() {
                CallResult::Stale
            } else {
                CallResult::NotThere
            };
            return (before.cloned(), outcome);
        }
        match world.document(kind, id, &self.base) {
            Some(document) => (Some(document), CallResult::Served),
            None => (None, CallResult::NotThere),
        }
    }

    async fn fail(&self, fault: ApiFault, told: RateLimitDecision) -> Response {
        match fault {
            ApiFault::Silence => {
                let _ = timeout(self.trouble.silence, self.shutdown.cancelled()).await;
                cut_off()
            }
            ApiFault::CutOff => cut_off(),
            ApiFault::TooMany => too_many(RateLimitDecision {
                remaining: 0,
                reset: std::time::Duration::from_secs(1),
                ..told
            }),
            ApiFault::Internal => answer(500, told, &error("INTERNAL_ERROR", "Something went wrong")),
            ApiFault::Unavailable => answer(503, told, &error("UNAVAILABLE", "Come again later")),
            ApiFault::Soft => answer(200, told, &error("INTERNAL_ERROR", "Something went wrong")),
        }
    }

    fn settings(
        &self,
        headers: &HeaderMap,
        work: impl FnOnce(&mut WebhookSettings) -> Result<Option<Value>, &'static str>,
    ) -> Response {
        let (at, name) = (Instant::now(), "webhooks/settings");
        let told = match self.admit(at, name, headers) {
            Ok(told) => told,
            Err(refused) => return *refused,
        };
        let done = work(&mut lock(&self.settings));
        let outcome = match &done {
            Ok(Some(_)) => CallResult::Served,
            Ok(None) => CallResult::NotThere,
            Err(why) => CallResult::Refused(why),
        };
        self.log.call(at, name.to_owned(), outcome);
        match done {
            Ok(Some(data)) => answer(200, told, &envelope(&data, &[])),
            Ok(None) => answer(404, told, &error("NOT_FOUND", "There is no such setting")),
            Err(why) => answer(422, told, &error("INVALID", why)),
        }
    }
}

fn too_many(told: RateLimitDecision) -> Response {
    answer(429, told, &error("TOO_MANY_REQUESTS", "The rate limit is exceeded"))
}

fn envelope(data: &Value, errors: &[Value]) -> Value {
    json!({"data": data, "meta": {"errors": errors, "warnings": [], "infos": []}})
}

fn error(code: &str, title: &str) -> Value {
    envelope(&Value::Null, &[json!({"title": title, "code": code})])
}

fn answer(status: u16, told: RateLimitDecision, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let reset = told.reset.as_secs();
    let headers = response.headers_mut();
    headers.insert("content-type", axum::http::HeaderValue::from_static("application/json"));
    headers.insert("x-rate-limit-limit", told.limit.into());
    headers.insert("x-rate-limit-remaining", told.remaining.into());
    headers.insert("x-rate-limit-reset", reset.into());
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        let wait = if status == StatusCode::TOO_MANY_REQUESTS {
            reset
        } else {
            1
        };
        headers.insert("retry-after", wait.into());
    }
    response
}

/// An answer that ends in its middle: the body fails, so the connection is closed without its end.
fn cut_off() -> Response {
    let parts = [
        Ok(Bytes::from_static(b"{\"data\":{\"id\":")),
        Err(std::io::Error::other("cut off on purpose")),
    ];
    Response::new(Body::from_stream(stream::iter(parts)))
}
