//! The client of Avinode's API.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, SubsecRound as _, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::base_url::{BaseUrl, HrefMismatch};
use super::config::{ClientLimits, ClientSettings};
use super::dns_guard::{DnsLookup, GuardedResolver, SystemLookup};
use super::envelope::Envelope;
use super::error::{FetchError, RetryHints, chain};
use super::headers::{InvalidCredential, default_headers, request_headers};
use super::query_parameters::{ParameterAnswer, QueryParameters, RefusedParameters};
use super::rate_limit_headers::{RateLimitHeaders, retry_after, server_time};
use super::transport::{HttpResponse, http_client, send};
use crate::json::JsonError;
use crate::resource::Resource;
use ingest_domain::clock::Clock;

/// Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct AvinodeClient(Arc<ClientInner>);

#[derive(Debug)]
struct ClientInner {
    http: reqwest::Client,
    base: BaseUrl,
    headers: HeaderMap,
    limits: ClientLimits,
    query_parameters: QueryParameters,
    refused_parameters: Mutex<RefusedParameters>,
    clock: Clock,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientBuildError {
    #[error(transparent)]
    Credential(#[from] InvalidCredential),
    /// Most often there are no root certificates.
    #[error("building the HTTPS client (are the root certificates installed?): {0}")]
    Tls(String),
}

/// The result of a call.
#[derive(Debug, Clone)]
pub struct FetchResult {
    /// Before anything was sent, in whole microseconds: the document is at least as new.
    pub began_at: DateTime<Utc>,
    pub result: Result<ApiDocument, FetchError>,
    /// Empty if there was no response.
    pub rate_limit: RateLimitHeaders,
    pub(super) server_time: Option<DateTime<Utc>>,
    pub parameters_refused: Option<ParameterRefusal>,
}

/// The refusal of the query parameters of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterRefusal {
    /// The call had parameters and was not understood (400). The next call for this resource has none.
    Resource,
    /// The resource was refused with parameters and is answered without. Its kind is called without for a while.
    Kind,
}

/// A resource as Avinode returned it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiDocument {
    /// The whole body, decompressed.
    pub body: Bytes,
    /// `data` of the envelope, never null; read by [`json::read`](crate::json::read).
    pub data: Value,
}

impl AvinodeClient {
    /// A client with the system's resolver.
    pub fn new(settings: &ClientSettings, clock: Clock) -> Result<Self, ClientBuildError> {
        Self::with_lookup(settings, clock, Arc::new(SystemLookup))
    }

    /// A client with another resolver; its addresses are checked in the same way.
    pub fn with_lookup(
        settings: &ClientSettings,
        clock: Clock,
        lookup: Arc<dyn DnsLookup>,
    ) -> Result<Self, ClientBuildError> {
        let allowed = settings.base.allowed_addresses();
        let http = http_client(&settings.base, GuardedResolver { lookup, allowed }, &settings.limits)
            .map_err(|error| ClientBuildError::Tls(chain(&error)))?;
        Ok(Self(Arc::new(ClientInner {
            http,
            base: settings.base.clone(),
            headers: default_headers(settings)?,
            limits: settings.limits,
            query_parameters: settings.query_parameters.clone(),
            refused_parameters: Mutex::default(),
            clock,
        })))
    }

    /// Verifies that `href` is exactly the URL that [`get`](Self::get) would call for this resource. No I/O.
    pub fn verify_href(&self, href: &str, resource: &Resource) -> Result<(), HrefMismatch> {
        self.0.base.verify_href(href, resource)
    }

    /// Fetches a resource from the configured base URL, with the query parameters of its kind unless they were refused. Takes
    /// at most as long as the limits allow; does not wait for the rate limit.
    pub async fn get(&self, resource: &Resource) -> FetchResult {
        let inner = &*self.0;
        let url = inner.base.resource_url(resource);
        let mut url = url.map_err(|mismatch| mismatch.to_string());
        let query = inner.query_parameters.of(resource.kind);
        let query = query.filter(|_| !self.refused_parameters().applies_to(resource, inner.clock.now()));
        if let (Ok(url), Some(_)) = (&mut url, query) {
            url.set_query(query);
        }
        let what = format!("GET {resource}");
        let mut fetched = self.call(Method::GET, url, None, &what).await;
        let answer = match &fetched.result {
            Ok(_) => ParameterAnswer::Document,
            Err(error) if error.is_bad_request() => ParameterAnswer::BadRequest,
            Err(_) => ParameterAnswer::Other,
        };
        let kind_refused = {
            let mut refused = self.refused_parameters();
            refused.record(resource, query.is_some(), answer, inner.clock.now())
        };
        fetched.parameters_refused = match answer {
            ParameterAnswer::BadRequest if query.is_some() => Some(ParameterRefusal::Resource),
            _ => kind_refused.then_some(ParameterRefusal::Kind),
        };
        fetched
    }

    fn refused_parameters(&self) -> std::sync::MutexGuard<'_, RefusedParameters> {
        let refused = &self.0.refused_parameters;
        refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn base(&self) -> &BaseUrl {
        &self.0.base
    }

    /// Sends one request with our headers, and parses the response. `url` may be the reason why nothing is sent; `what` names
    /// the call in reasons.
    pub(super) async fn call(
        &self,
        method: Method,
        url: Result<Url, String>,
        body: Option<&Value>,
        what: &str,
    ) -> FetchResult {
        let inner = &*self.0;
        let began_at = inner.clock.now().trunc_subsecs(6);
        let no_response = |error| FetchResult {
            began_at,
            result: Err(error),
            rate_limit: RateLimitHeaders::default(),
            server_time: None,
            parameters_refused: None,
        };
        // The response to a write need not contain the object.
        let needs_data = method == Method::GET;
        let mut request = match url {
            Ok(url) => reqwest::Request::new(method, url),
            Err(why) => return no_response(FetchError::permanent(what, &why)),
        };
        *request.headers_mut() = request_headers(&inner.headers, inner.clock.now());
        if let Some(body) = body {
            request
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        match send(&inner.http, request, &inner.limits, what).await {
            Ok(response) => {
                let now = inner.clock.now();
                let rate_limit = RateLimitHeaders::read(&response.headers, now);
                let hints = RetryHints {
                    retry_after: retry_after(&response.headers, now),
                    reset: rate_limit.reset,
                };
                FetchResult {
                    began_at,
                    server_time: server_time(&response.headers),
                    result: document(response, needs_data, hints, what),
                    rate_limit,
                    parameters_refused: None,
                }
            }
            Err(error) => no_response(error),
        }
    }
}

fn document(
    response: HttpResponse,
    needs_data: bool,
    hints: RetryHints,
    what: &str,
) -> Result<ApiDocument, FetchError> {
    let status = response.status.as_u16();
    let envelope = Envelope::read(&response.body);
    let is_success = if needs_data {
        status == 200
    } else {
        response.status.is_success()
    };
    if !is_success {
        let errors = envelope.map(|envelope| envelope.errors).unwrap_or_default();
        return Err(FetchError::from_status(what, status, &errors, hints));
    }
    let envelope = match envelope {
        Ok(envelope) => envelope,
        Err(_) if !needs_data && response.body.is_empty() => Envelope::default(),
        Err(JsonError::TooDeep) => return Err(FetchError::permanent(what, "the body is nested too deeply")),
        Err(error) => return Err(FetchError::service_down(what, &chain(&error))),
    };
    if !envelope.errors.is_empty() {
        return Err(FetchError::from_errors(what, &envelope.errors, hints));
    }
    match envelope.data {
        None if needs_data && envelope.is_bare => Err(FetchError::permanent(
            what,
            "Avinode responded with a resource outside of its envelope: the body has no \"data\"",
        )),
        None if needs_data => Err(FetchError::service_down(
            what,
            "Avinode responded with 200 but without data",
        )),
        data => Ok(ApiDocument {
            body: response.body,
            data: data.unwrap_or_default(),
        }),
    }
}
