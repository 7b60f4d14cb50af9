//! Which request headers are kept with a delivery: those on a list, because a list of what to leave out forgets the
//! next proxy's secret. Credentials, cookies and signatures are never on it.

use hyper::HeaderMap;

/// Kept where present. `x-forwarded-for` is what the proxies claim, kept for tracing and trusted for nothing.
const KEPT: [&str; 8] = [
    "content-type",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "traceparent",
    "tracestate",
    "x-request-id",
    "x-forwarded-for",
];

/// Longest value kept, in bytes. A longer one is dropped whole: half an id is a wrong id.
const LONGEST: usize = 200;

/// The headers to keep, by name, the first of each; values that are not visible ASCII are dropped.
pub fn kept(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    KEPT.into_iter()
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            let visible = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            (!value.is_empty() && value.len() <= LONGEST && visible).then(|| (name, value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
