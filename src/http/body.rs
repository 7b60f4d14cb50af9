//! Reads a request's body under three limits: size, time and memory. An extractor of the framework knows the first
//! only, and would buffer before anybody could say no.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;

use super::memory_budget::{MemoryBudget, MemoryPermit};

/// What a delivery takes beside its body (its headers, its place in the queue), in bytes, so that empty bodies are
/// bounded too.
const OVERHEAD: usize = 2048;

/// A whole body, with the memory that is reserved for it.
#[derive(Debug)]
pub struct BufferedBody {
    /// The exact bytes.
    pub bytes: Bytes,
    /// To be held for as long as the bytes are.
    pub reserved: MemoryPermit,
}

/// A body that was not read to its end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading a body stopped after {read} bytes: {why}")]
pub struct BodyReadError {
    /// What stopped it.
    pub why: BodyReadErrorKind,
    /// How many bytes had come.
    pub read: usize,
}

/// What stops the reading of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyReadErrorKind {
    /// It is, or says that it will be, longer than the limit.
    #[error("it is over the limit")]
    TooLarge,
    /// It did not come in time.
    #[error("it took too long")]
    TooSlow,
    /// The sender went away, or sent what is no HTTP body.
    #[error("it broke off")]
    Broken,
    /// The memory for bodies is in use.
    #[error("no memory is free for it")]
    NoMemory,
}

/// Reads `body` to its end.
///
/// Bytes are reserved as they come, not as they are announced: whoever announces much and sends nothing takes nothing
/// from the others. Up to one chunk (at most the connection's buffer) is in memory before it is reserved.
pub async fn read(
    body: Body,
    limit: usize,
    time: Duration,
    budget: &MemoryBudget,
) -> Result<BufferedBody, BodyReadError> {
    let mut bytes = Vec::new();
    let filled = tokio::time::timeout(time, fill(&mut bytes, body, limit, budget)).await;
    match filled.unwrap_or(Err(BodyReadErrorKind::TooSlow)) {
        Ok(reserved) => Ok(BufferedBody {
            bytes: bytes.into(),
            reserved,
        }),
        Err(why) => Err(BodyReadError { why, read: bytes.len() }),
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
        // Trailers are read past: nothing of ours stands in them.
        let Ok(chunk) = frame.map_err(|_| BodyReadErrorKind::Broken)?.into_data() else {
            continue;
        };
        if chunk.len() > limit - bytes.len() {
            return Err(BodyReadErrorKind::TooLarge);
        }
        if !reserved.grow(chunk.len()) {
            return Err(BodyReadErrorKind::NoMemory);
        }
        if bytes.is_empty() {
            // One allocation where the length is known (it is below the limit). Pages are not in memory until written.
            bytes.reserve_exact(announced.exact().and_then(|all| usize::try_from(all).ok()).unwrap_or(0));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(reserved)
}

#[cfg(test)]
mod tests;
