use std::convert::Infallible;

use futures_util::{StreamExt, stream};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn chunked(chunks: &[&'static [u8]]) -> Body {
    Body::from_stream(stream::iter(chunks.to_vec()).map(Ok::<_, Infallible>))
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_holds_its_memory() {
    let budget = MemoryBudget::new(OVERHEAD + 6);
    let body = read(
        chunked(&[b"abc", b"", b"def"]),
        6,
        SECOND,
        &budget,
        UnfinishedBody::uncounted(),
    )
    .await
    .unwrap();
    assert_eq!((&*body.bytes, budget.free()), (&b"abcdef"[..], 0));
    drop(body);
    assert_eq!(budget.free(), OVERHEAD + 6);
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_rejected_as_it_arrives() {
    let budget = MemoryBudget::new(10_000);
    let error = read(
        chunked(&[b"abc", b"defg"]),
        6,
        SECOND,
        &budget,
        UnfinishedBody::uncounted(),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error,
        BodyReadError {
            problem: Problem::TooLarge { limit: 6 },
            read: 3
        }
    );
    assert_eq!(budget.free(), 10_000);
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_rejected_without_reading() {
    let error = read(
        Body::from("abcdefg"),
        6,
        SECOND,
        &MemoryBudget::new(10_000),
        UnfinishedBody::uncounted(),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error,
        BodyReadError {
            problem: Problem::TooLarge { limit: 6 },
            read: 0
        }
    );
}

#[tokio::test]
async fn a_body_that_never_ends_times_out() {
    let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let error = read(
        body,
        6,
        Duration::from_millis(20),
        &MemoryBudget::new(10_000),
        UnfinishedBody::uncounted(),
    )
    .await
    .unwrap_err();
    assert_eq!(error.problem, Problem::Timeout);
}

#[tokio::test]
async fn a_body_over_the_memory_budget_is_rejected() {
    let error = read(
        chunked(&[b"abc", b"def"]),
        6,
        SECOND,
        &MemoryBudget::new(OVERHEAD + 5),
        UnfinishedBody::uncounted(),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error,
        BodyReadError {
            problem: Problem::Unavailable { retry_after: 1 },
            read: 3
        }
    );
}

#[tokio::test]
async fn a_body_that_ends_early_is_incomplete() {
    let chunks = vec![Ok(Bytes::from_static(b"abc")), Err("reset")];
    let error = read(
        Body::from_stream(stream::iter(chunks)),
        6,
        SECOND,
        &MemoryBudget::new(10_000),
        UnfinishedBody::uncounted(),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error,
        BodyReadError {
            problem: Problem::IncompleteBody,
            read: 3
        }
    );
}
