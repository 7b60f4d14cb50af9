//! Reads a request body within three limits: size, time and memory. axum's extractors limit the size only.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, HeaderName};

use super::peer_bodies::UnfinishedBody;
use super::problem::Problem;
use crate::ingest::memory_budget::{MemoryBudget, MemoryPermit};

/// Bytes reserved per request for headers and its place in the queue, so that empty bodies are bounded too.
const OVERHEAD: usize = 2048;

/// A complete body and the memory reserved for it.
#[derive(Debug)]
pub struct BufferedBody {
    pub bytes: Bytes,
    /// Hold this for as long as the bytes.
    pub reserved: MemoryPermit,
}

/// A body that was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct BodyReadError {
    pub problem: Problem,
    /// Bytes received before the failure.
    pub read: usize,
}

/// Reads `body` to its end.
///
/// Memory is reserved as bytes arrive, not as they are announced, so a client that announces a long body and sends
/// nothing occupies nothing. `share` is that of the client, and ends when the body is complete.
/// Up to one chunk (at most the connection's buffer) is in memory before it is reserved.
pub async fn read(
    body: Body,
    limit: usize,
    time: Duration,
    budget: &MemoryBudget,
    mut share: UnfinishedBody,
) -> Result<BufferedBody, BodyReadError> {
    let mut bytes = Vec::new();
    let filled = tokio::time::timeout(time, fill(&mut bytes, body, limit, budget, &mut share)).await;
    match filled.unwrap_or(Err(Problem::Timeout)) {
        Ok(reserved) => Ok(BufferedBody {
            bytes: bytes.into(),
            reserved,
        }),
        Err(problem) => Err(BodyReadError {
            problem,
            read: bytes.len(),
        }),
    }
}

async fn fill(
    bytes: &mut Vec<u8>,
    mut body: Body,
    limit: usize,
    budget: &MemoryBudget,
    share: &mut UnfinishedBody,
) -> Result<MemoryPermit, Problem> {
    let no_memory = Problem::Unavailable { retry_after: 1 };
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        return Err(Problem::TooLarge { limit });
    }
    let mut reserved = budget.reserve(OVERHEAD).ok_or(no_memory)?;
    while let Some(frame) = body.frame().await {
        // An error: the peer closed the connection or sent invalid HTTP framing. Trailers are skipped.
        let Ok(chunk) = frame.map_err(|_| Problem::IncompleteBody)?.into_data() else {
            continue;
        };
        if chunk.len() > limit - bytes.len() {
            return Err(Problem::TooLarge { limit });
        }
        if !share.grow(chunk.len()) || !reserved.grow(chunk.len()) {
            return Err(no_memory);
        }
        if bytes.is_empty() {
            // One allocation if the length is known (it is within the limit). Pages are not resident until written.
            bytes.reserve_exact(announced.exact().and_then(|all| usize::try_from(all).ok()).unwrap_or(0));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(reserved)
}

/// Returns whether the body is not encoded: the header is absent, empty, or says so in one of the ways that senders use.
pub fn is_plain(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let mut encodings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    encodings.all(|encoding| {
        let plain = [&b""[..], b"identity", b"none", b"utf-8"];
        plain
            .iter()
            .any(|plain| encoding.trim_ascii().eq_ignore_ascii_case(plain))
    })
}

/// Returns whether the header is absent, or has this value.
pub fn has_only(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let mut values = headers.get_all(name).iter();
    values.all(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests;
