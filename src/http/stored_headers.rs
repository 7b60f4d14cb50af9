//! The request headers stored with a delivery. An allow list, because a deny list misses the secret of the next proxy;
//! credentials, cookies and signatures are never on it.

use hyper::HeaderMap;

/// `x-forwarded-for` is a claim of the proxies, stored for tracing and trusted for nothing.
const ALLOWED: [&str; 8] = [
    "content-type",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "traceparent",
    "tracestate",
    "x-request-id",
    "x-forwarded-for",
];

/// Maximum bytes of a value. A longer value is dropped, not truncated: a part of an id is a wrong id.
const MAX_VALUE_BYTES: usize = 200;

/// Returns the first value of each allowed header. Values that are not visible ASCII are dropped.
pub fn stored_headers(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    ALLOWED
        .into_iter()
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            let visible = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            (!value.is_empty() && value.len() <= MAX_VALUE_BYTES && visible).then(|| (name, value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
