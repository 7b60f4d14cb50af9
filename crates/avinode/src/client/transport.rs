//! Sends one HTTP request, with limits on time and body size.

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, StatusCode, redirect};
use tokio::time::{Instant, timeout_at};

use super::base_url::BaseUrl;
use super::config::ClientLimits;
use super::dns_guard::GuardedResolver;
use super::error::FetchError;
use super::headers::PRODUCT;

/// The most bytes of a failure's body that are read: enough for the envelope's errors.
const MAX_FAILURE_BODY: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct HttpResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Decompressed. Empty for a failure with an unreadable body.
    pub(super) body: Bytes,
}

/// The HTTP client for a base URL: no redirects, no proxy from the environment, checked addresses, and https unless the base
/// URL is on loopback.
pub(super) fn http_client(base: &BaseUrl, guard: GuardedResolver, limits: &ClientLimits) -> reqwest::Result<Client> {
    // Installed once per process; later calls fail, and the same provider is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .dns_resolver(std::sync::Arc::new(guard))
        .connect_timeout(limits.connect)
        .gzip(true)
        .https_only(base.is_encrypted())
        .user_agent(PRODUCT);
    if base.is_encrypted() {
        client.build()
    } else {
        // Without this, a machine without root certificates could not build a client, although none are needed here.
        client.tls_certs_only([]).build()
    }
}

/// Sends a request and reads the response; `what` names the call in reasons.
///
/// # Errors
/// There is no complete response, or it is too long. A status is not an error here.
pub(super) async fn send(
    client: &Client,
    request: Request,
    limits: &ClientLimits,
    what: &str,
) -> Result<HttpResponse, FetchError> {
    let deadline = Instant::now() + limits.total;
    let timed_out = || {
        FetchError::service_down(
            what,
            &format!("no complete response within {} s", limits.total.as_secs_f32()),
        )
    };
    let no_response = |error: reqwest::Error| FetchError::from_transport(what, &error.without_url());
    let response = timeout_at(deadline, client.execute(request)).await;
    let response = response.map_err(|_| timed_out())?.map_err(no_response)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let max_body = if status.is_success() {
        limits.body
    } else {
        MAX_FAILURE_BODY.min(limits.body)
    };
    let body = timeout_at(deadline, read(response, max_body)).await;
    let body = match body.map_err(|_| timed_out()) {
        // The status is enough.
        body if !status.is_success() => body.ok().and_then(Result::ok).flatten().unwrap_or_default(),
        body => body?.map_err(no_response)?.ok_or_else(|| {
            let why = format!("the body is longer than {max_body} bytes");
            FetchError::permanent(what, &why)
        })?,
    };
    Ok(HttpResponse { status, headers, body })
}

/// Reads a body and counts its decompressed bytes: a few compressed bytes may expand to gigabytes. `None` if it is too long.
async fn read(mut response: Response, max_body: usize) -> reqwest::Result<Option<Bytes>> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_body {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}
