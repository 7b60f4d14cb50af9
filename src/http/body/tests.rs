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
        BodyReadError {
            why: BodyReadErrorKind::TooLarge,
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
        BodyReadError {
            why: BodyReadErrorKind::TooLarge,
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
    assert_eq!(stopped.why, BodyReadErrorKind::TooSlow);
}

#[tokio::test]
async fn without_memory_nothing_is_buffered() {
    let stopped = read(chunked(&[b"abc", b"def"]), 6, SECOND, &MemoryBudget::new(OVERHEAD + 5))
        .await
        .unwrap_err();
    assert_eq!(
        stopped,
        BodyReadError {
            why: BodyReadErrorKind::NoMemory,
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
        BodyReadError {
            why: BodyReadErrorKind::Broken,
            read: 3
        }
    );
}
