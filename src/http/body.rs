//! Reads a request's body under three limits: size, time and memory. An extractor of the framework knows the first
//! only, and would buffer before anybody could say no.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;

use super::memory::{MemoryBudget, Reserved};

/// What a delivery takes beside its body (its headers, its place in the queue), in bytes, so that empty bodies are
/// bounded too.
const OVERHEAD: usize = 2048;

/// A whole body, with the memory that is reserved for it.
#[derive(Debug)]
pub struct Whole {
    /// The exact bytes.
    pub bytes: Bytes,
    /// To be held for as long as the bytes are.
    pub reserved: Reserved,
}

/// A body that was not read to its end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading a body stopped after {read} bytes: {why}")]
pub struct NotRead {
    /// What stopped it.
    pub why: Why,
    /// How many bytes had come.
    pub read: usize,
}

/// What stops the reading of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
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
pub async fn read(body: Body, limit: usize, time: Duration, budget: &MemoryBudget) -> Result<Whole, NotRead> {
    let mut bytes = Vec::new();
    let filled = tokio::time::timeout(time, fill(&mut bytes, body, limit, budget)).await;
    match filled.unwrap_or(Err(Why::TooSlow)) {
        Ok(reserved) => Ok(Whole {
            bytes: bytes.into(),
            reserved,
        }),
        Err(why) => Err(NotRead { why, read: bytes.len() }),
    }
}

async fn fill(bytes: &mut Vec<u8>, mut body: Body, limit: usize, budget: &MemoryBudget) -> Result<Reserved, Why> {
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        return Err(Why::TooLarge);
    }
    let mut reserved = budget.reserve(OVERHEAD).ok_or(Why::NoMemory)?;
    while let Some(frame) = body.frame().await {
        // Trailers are read past: nothing of ours stands in them.
        let Ok(chunk) = frame.map_err(|_| Why::Broken)?.into_data() else {
            continue;
        };
        if chunk.len() > limit - bytes.len() {
            return Err(Why::TooLarge);
        }
        if !reserved.grow(chunk.len()) {
            return Err(Why::NoMemory);
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
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn chunked(chunks: &[&'static [u8]]) -> Body {
        Body::from_stream(stream::iter(chunks.to_vec()).map(Ok::<_, Infallible>))
    }

    #[tokio::test]
    async fn a_body_at_the_limit_is_read_and_its_memory_is_held() {
        let budget = MemoryBudget::new(OVERHEAD + 6);
        let whole = read(chunked(&[b"abc", b"", b"def"]), 6, SECOND, &budget).await.unwrap();
        assert_eq!((&*whole.bytes, budget.free()), (&b"abcdef"[..], 0));
        drop(whole);
        assert_eq!(budget.free(), OVERHEAD + 6);
    }

    #[tokio::test]
    async fn a_chunked_body_over_the_limit_is_stopped_on_the_way() {
        let budget = MemoryBudget::new(10_000);
        let stopped = read(chunked(&[b"abc", b"defg"]), 6, SECOND, &budget).await.unwrap_err();
        assert_eq!(
            stopped,
            NotRead {
                why: Why::TooLarge,
                read: 3
            }
        );
        assert_eq!(budget.free(), 10_000);
    }

    #[tokio::test]
    async fn an_announced_length_over_the_limit_is_refused_unread() {
        let stopped = read(Body::from("abcdefg"), 6, SECOND, &MemoryBudget::new(10_000))
            .await
            .unwrap_err();
        assert_eq!(
            stopped,
            NotRead {
                why: Why::TooLarge,
                read: 0
            }
        );
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_too_slow() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let stopped = read(body, 6, Duration::from_millis(20), &MemoryBudget::new(10_000))
            .await
            .unwrap_err();
        assert_eq!(stopped.why, Why::TooSlow);
    }

    #[tokio::test]
    async fn without_memory_nothing_is_buffered() {
        let stopped = read(chunked(&[b"abc", b"def"]), 6, SECOND, &MemoryBudget::new(OVERHEAD + 5))
            .await
            .unwrap_err();
        assert_eq!(
            stopped,
            NotRead {
                why: Why::NoMemory,
                read: 3
            }
        );
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_says_so() {
        let chunks = vec![Ok(Bytes::from_static(b"abc")), Err("reset")];
        let stopped = read(
            Body::from_stream(stream::iter(chunks)),
            6,
            SECOND,
            &MemoryBudget::new(10_000),
        )
        .await
        .unwrap_err();
        assert_eq!(
            stopped,
            NotRead {
                why: Why::Broken,
                read: 3
            }
        );
    }
}
