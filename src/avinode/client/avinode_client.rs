//! The client as others use it: vouch for an `href`, get a resource.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, SubsecRound as _, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::base_url::BaseUrl;
use super::config::{ClientLimits, ClientSettings};
use super::dns_guard::{DnsLookup, GuardedResolver, SystemLookup};
use super::envelope::Envelope;
use super::error::{FetchError, RetryHints, chain};
use super::headers::{InvalidCredential, of_call, standing};
use super::rate_limit_headers::{RateLimitHeaders, retry_after, server_time};
use super::transport::{HttpResponse, call, client};
use super::vouch::HrefMismatch;
use crate::avinode::json::JsonError;
use crate::avinode::resource::Resource;
use crate::clock::Clock;

/// A client of Avinode's API. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct AvinodeClient(Arc<ClientInner>);

#[derive(Debug)]
struct ClientInner {
    http: reqwest::Client,
    base: BaseUrl,
    headers: HeaderMap,
    limits: ClientLimits,
    clock: Clock,
}

/// A client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientBuildError {
    /// A credential is no header.
    #[error(transparent)]
    Credential(#[from] InvalidCredential),
    /// TLS cannot be used; most often there are no root certificates.
    #[error("making an HTTPS client (are the root certificates installed?): {0}")]
    Tls(String),
}

/// What came of a GET.
#[derive(Debug, Clone)]
pub struct FetchResult {
    /// Before anything was sent, in whole microseconds: what the document shows is at least as new.
    pub began_at: DateTime<Utc>,
    /// The document.
    pub result: Result<ApiDocument, FetchError>,
    /// What is left of the rate limit, where there was an answer.
    pub budget: RateLimitHeaders,
}

/// A resource as Avinode gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiDocument {
    /// The whole body, decompressed.
    pub body: Bytes,
    /// `data` of the envelope, never null; read as [`json::read`](crate::avinode::json::read) does.
    pub data: Value,
}

/// What came of any call.
pub(super) struct Called {
    pub(super) result: Result<ApiDocument, FetchError>,
    pub(super) budget: RateLimitHeaders,
    pub(super) server_time: Option<DateTime<Utc>>,
}

impl Called {
    /// Nothing came back.
    pub(super) fn without_answer(error: FetchError) -> Self {
        Self {
            result: Err(error),
            budget: RateLimitHeaders::default(),
            server_time: None,
        }
    }
}

impl AvinodeClient {
    /// A client with the system's resolver.
    ///
    /// # Errors
    /// A credential that no header can hold, or TLS that cannot be used.
    pub fn new(settings: &ClientSettings, clock: Clock) -> Result<Self, ClientBuildError> {
        Self::with_lookup(settings, clock, Arc::new(SystemLookup))
    }

    /// A client that asks `lookup` for addresses, whose answers are checked like any.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn with_lookup(
        settings: &ClientSettings,
        clock: Clock,
        lookup: Arc<dyn DnsLookup>,
    ) -> Result<Self, ClientBuildError> {
        let reach = settings.base.reach();
        let http = client(&settings.base, GuardedResolver { lookup, reach }, &settings.limits)
            .map_err(|error| ClientBuildError::Tls(chain(&error)))?;
        Ok(Self(Arc::new(ClientInner {
            http,
            base: settings.base.clone(),
            headers: standing(settings)?,
            limits: settings.limits,
            clock,
        })))
    }

    /// Whether `href` is exactly the URL that [`get`](Self::get) would call for this resource; pure.
    ///
    /// # Errors
    /// Why it is not.
    pub fn vouch(&self, href: &str, resource: &Resource) -> Result<(), HrefMismatch> {
        self.0.base.verify_href(href, resource)
    }

    /// Fetches a resource, from the configured base and nowhere else. Takes as long as the limits allow; waits for no
    /// rate limit.
    pub async fn get(&self, resource: &Resource) -> FetchResult {
        let began_at = self.0.clock.now().trunc_subsecs(6);
        let called = match self.0.base.of(resource) {
            Ok(url) => self.call(Method::GET, url, None, &format!("GET {resource}")).await,
            Err(refused) => {
                Called::without_answer(FetchError::refused(&format!("GET {resource}"), &refused.to_string()))
            }
        };
        FetchResult {
            began_at,
            result: called.result,
            budget: called.budget,
        }
    }

    /// The base.
    pub(super) fn base(&self) -> &BaseUrl {
        &self.0.base
    }

    /// One call, with our headers, its answer taken apart.
    pub(super) async fn call(&self, method: Method, url: Url, body: Option<&Value>, what: &str) -> Called {
        let inner = &*self.0;
        // What was written needs no showing.
        let needs_data = method == Method::GET;
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = of_call(&inner.headers, inner.clock.now());
        if let Some(body) = body {
            request
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        match call(&inner.http, request, &inner.limits, what).await {
            Ok(answer) => {
                let now = inner.clock.now();
                let budget = RateLimitHeaders::of(&answer.headers, now);
                let told = RetryHints {
                    retry_after: retry_after(&answer.headers, now),
                    reset: budget.reset,
                };
                Called {
                    server_time: server_time(&answer.headers),
                    result: taken(answer, needs_data, told, what),
                    budget,
                }
            }
            Err(error) => Called::without_answer(error),
        }
    }
}

/// The document of an answer, or why it is none.
fn taken(answer: HttpResponse, needs_data: bool, told: RetryHints, what: &str) -> Result<ApiDocument, FetchError> {
    let status = answer.status.as_u16();
    let envelope = Envelope::read(&answer.body);
    let success = if needs_data {
        status == 200
    } else {
        answer.status.is_success()
    };
    if !success {
        let errors = envelope.map(|envelope| envelope.errors).unwrap_or_default();
        return Err(FetchError::of_status(what, status, &errors, told));
    }
    let envelope = match envelope {
        Ok(envelope) => envelope,
        Err(_) if !needs_data && answer.body.is_empty() => Envelope::default(),
        Err(JsonError::TooDeep) => return Err(FetchError::refused(what, "the body is nested too deeply")),
        Err(error) => return Err(FetchError::broken(what, &chain(&error))),
    };
    if !envelope.errors.is_empty() {
        return Err(FetchError::of_errors(what, &envelope.errors, told));
    }
    match envelope.data {
        None if needs_data => Err(FetchError::broken(what, "Avinode answered 200 without data")),
        data => Ok(ApiDocument {
            body: answer.body,
            data: data.unwrap_or_default(),
        }),
    }
}
