//! Reads a request body within three limits: size, time and memory. axum's extractors limit the size only.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;

use super::memory_budget::{MemoryBudget, MemoryPermit};
use super::problem::Problem;

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
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading the body failed after {read} bytes: {kind}")]
pub struct BodyReadError {
    pub kind: BodyReadErrorKind,
    /// Bytes received before the failure.
    pub read: usize,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyReadErrorKind {
    /// The received bytes, or the announced length, exceed the limit.
    #[error("the body exceeds the size limit")]
    TooLarge,
    #[error("the body did not arrive in time")]
    Timeout,
    /// The peer closed the connection or sent invalid HTTP framing.
    #[error("the body is incomplete")]
    Incomplete,
    #[error("the memory budget is exhausted")]
    NoMemory,
}

impl BodyReadErrorKind {
    /// Converts the error into a problem; `limit` is the size limit of the body.
    pub fn problem(self, limit: usize) -> Problem {
        match self {
            Self::TooLarge => Problem::TooLarge { limit },
            Self::Timeout => Problem::Timeout,
            Self::Incomplete => Problem::IncompleteBody,
            Self::NoMemory => Problem::Unavailable { retry_after: 1 },
        }
    }
}

/// Reads `body` to its end.
///
/// Memory is reserved as bytes arrive, not as they are announced, so a client that announces a long body and sends
/// nothing occupies nothing. Up to one chunk (at most the connection's buffer) is in memory before it is reserved.
pub async fn read(
    body: Body,
    limit: usize,
    time: Duration,
    budget: &MemoryBudget,
) -> Result<BufferedBody, BodyReadError> {
    let mut bytes = Vec::new();
    let filled = tokio::time::timeout(time, fill(&mut bytes, body, limit, budget)).await;
    match filled.unwrap_or(Err(BodyReadErrorKind::Timeout)) {
        Ok(reserved) => Ok(BufferedBody {
            bytes: bytes.into(),
            reserved,
        }),
        Err(kind) => Err(BodyReadError {
            kind,
            read: bytes.len(),
        }),
    }
}

async fn fill(
    bytes: &mut Vec<u8>,
    mut body: Body,
    limit: usize,
    budget: &MemoryBudget,
) -> Result<MemoryPermit, BodyReadErrorKind> {
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        return Err(BodyReadErrorKind::TooLarge);
    }
    let mut reserved = budget.reserve(OVERHEAD).ok_or(BodyReadErrorKind::NoMemory)?;
    while let Some(frame) = body.frame().await {
        // Trailers are skipped.
        let Ok(chunk) = frame.map_err(|_| BodyReadErrorKind::Incomplete)?.into_data() else {
            continue;
        };
        if chunk.len() > limit - bytes.len() {
            return Err(BodyReadErrorKind::TooLarge);
        }
        if !reserved.grow(chunk.len()) {
            return Err(BodyReadErrorKind::NoMemory);
        }
        if bytes.is_empty() {
            // One allocation if the length is known (it is within the limit). Pages are not resident until written.
            bytes.reserve_exact(announced.exact().and_then(|all| usize::try_from(all).ok()).unwrap_or(0));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(reserved)
}

#[cfg(test)]
mod tests;
