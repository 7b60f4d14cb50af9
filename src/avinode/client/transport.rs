//! One HTTP call with an end in time and in bytes. Nothing here knows what is called.

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, StatusCode, redirect};
use tokio::time::{Instant, timeout_at};

use super::base_url::BaseUrl;
use super::config::ClientLimits;
use super::dns_guard::GuardedResolver;
use super::error::FetchError;
use super::headers::PRODUCT;

/// How much of a failure's body is read: enough for the envelope's errors.
const FAILURE_BYTES: usize = 64 * 1024;

/// A whole answer.
#[derive(Debug)]
pub(super) struct HttpResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// After decompression; of an answer that is no success empty where it could not be read.
    pub(super) body: Bytes,
}

/// The HTTP client for a base: no redirects, no proxy from the environment, checked addresses, https unless the base is
/// on loopback.
pub(super) fn client(base: &BaseUrl, guard: GuardedResolver, limits: &ClientLimits) -> reqwest::Result<Client> {
    // Set once a process; a second attempt finds the same provider there.
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
        // A machine without root certificates could not make a client at all, though none are needed here.
        client.tls_certs_only([]).build()
    }
}

/// Sends a request and reads the answer; `what` names it in reasons.
///
/// # Errors
/// There is no whole answer, or it is too long. A status is no error here.
pub(super) async fn call(
    client: &Client,
    request: Request,
    limits: &ClientLimits,
    what: &str,
) -> Result<HttpResponse, FetchError> {
    let deadline = Instant::now() + limits.total;
    let late = || {
        FetchError::broken(
            what,
            &format!("no whole answer within {} s", limits.total.as_secs_f32()),
        )
    };
    let response = match timeout_at(deadline, client.execute(request)).await {
        Err(_) => return Err(late()),
        Ok(Err(error)) => return Err(FetchError::of_transport(what, &error.without_url())),
        Ok(Ok(response)) => response,
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let longest = if status.is_success() {
        limits.body
    } else {
        FAILURE_BYTES.min(limits.body)
    };
    let read = timeout_at(deadline, read(response, longest)).await;
    let body = match read {
        Ok(Ok(body)) => body,
        // The status says enough.
        _ if !status.is_success() => Bytes::new(),
        Err(_) => return Err(late()),
        Ok(Err(Unread::TooLong)) => {
            return Err(FetchError::refused(
                what,
                &format!("the body is longer than {longest} bytes"),
            ));
        }
        Ok(Err(Unread::Broken(error))) => return Err(FetchError::of_transport(what, &error.without_url())),
    };
    Ok(HttpResponse { status, headers, body })
}

enum Unread {
    TooLong,
    Broken(reqwest::Error),
}

/// Reads a body, decompressed piece by piece, and counts: a few bytes may stand for gigabytes.
async fn read(mut response: Response, longest: usize) -> Result<Bytes, Unread> {
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + piece.len() > longest {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}
