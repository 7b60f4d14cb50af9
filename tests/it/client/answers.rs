//! What an answer means: the document, or what is to be done about the failure.

use std::time::Duration;

use avinode_ingest::avinode::client::avinode_client::FetchResult;
use avinode_ingest::avinode::client::error::FetchError;
use avinode_ingest::avinode::client::rate_limit_headers::RateLimitHeaders;
use serde_json::{Value, json};

use super::setup::{client, resource};
use crate::support::recorder::{Recorder, Script, answer, ok};

async fn fetched(script: Script) -> FetchResult {
    let server = Recorder::answering(script).await;
    client(&server.base()).get(&resource("asellermsg-7")).await
}

async fn error(script: Script) -> FetchError {
    fetched(script).await.result.unwrap_err()
}

fn status(status: &str) -> Script {
    answer(status, &[], b"<html>")
}

fn soft(errors: &Value) -> Script {
    ok(json!({"data": {"id": "asellermsg-7"}, "meta": {"errors": errors}}))
}

#[tokio::test]
async fn a_document_is_the_data_and_the_whole_body() {
    let body =
        r#" {"data": {"id": "asellermsg-7", "price": 1.10}, "meta": {"errors": [], "warnings": [{"title": "w"}]}} "#;
    let document = fetched(ok(body)).await.result.unwrap();
    assert_eq!(document.body, body);
    assert_eq!(document.data["price"].to_string(), "1.10");
}

#[tokio::test]
async fn each_failure_has_its_class() {
    assert!(
        matches!(error(status("400 Bad")).await, FetchError::RetryAfter { after, down: false, .. } if after.as_secs() >= 120)
    );
    assert!(matches!(
        error(status("401 Unauthorized")).await,
        FetchError::Unauthorized { .. }
    ));
    assert!(matches!(
        error(status("403 Forbidden")).await,
        FetchError::Forbidden { .. }
    ));
    assert!(matches!(
        error(status("404 Not Found")).await,
        FetchError::NotFound { .. }
    ));
    assert!(matches!(error(status("410 Gone")).await, FetchError::Gone { .. }));
    assert!(matches!(
        error(status("423 Locked")).await,
        FetchError::Retryable { down: false, .. }
    ));
    assert!(matches!(
        error(status("500 Oh")).await,
        FetchError::Retryable { down: true, .. }
    ));
    assert!(matches!(
        error(status("204 No Content")).await,
        FetchError::Retryable { .. }
    ));
    let busy = error(answer("503 Busy", &["retry-after: 40"], b"")).await;
    assert!(matches!(busy, FetchError::RetryAfter { after, down: true, .. } if after == Duration::from_secs(40)));
}

#[tokio::test]
async fn too_many_calls_are_answered_with_a_wait_and_the_budget() {
    let headers = [
        "x-rate-limit-limit: 3600",
        "x-rate-limit-remaining: 0",
        "x-rate-limit-reset: 17",
    ];
    let limited = fetched(answer("429 Too Many", &headers, b"")).await;
    let expected = RateLimitHeaders {
        limit: Some(3600),
        remaining: Some(0),
        reset: Some(Duration::from_secs(17)),
    };
    assert_eq!(limited.rate_limit, expected);
    let seconds = |error: FetchError| match error {
        FetchError::RateLimited { after, .. } => after.map(|after| after.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(seconds(limited.result.unwrap_err()), Some(17));
    let both = [&headers[..], &["retry-after: 5"]].concat();
    assert_eq!(seconds(error(answer("429 Too Many", &both, b"")).await), Some(5));
    assert_eq!(seconds(error(answer("429 Too Many", &[], b"")).await), None);
    // A success tells what is left as well.
    let success = fetched(answer("200 OK", &headers[1..2], br#"{"data": {}}"#)).await;
    assert_eq!(success.rate_limit.remaining, Some(0));
}

#[tokio::test]
async fn an_error_inside_a_200_is_a_failure_of_its_codes_class() {
    let locked = error(soft(&json!([{"title": "The trip is locked", "code": 423}]))).await;
    assert!(matches!(locked, FetchError::Retryable { down: false, .. }));
    assert_eq!(
        locked.reason(),
        "GET tripmsgs/asellermsg-7: Avinode responded with 200 and errors: \"The trip is locked\" (423)"
    );
    assert!(matches!(
        error(soft(&json!([{"code": "404"}]))).await,
        FetchError::NotFound { .. }
    ));
    assert!(matches!(
        error(soft(&json!([{}, {"code": 403}]))).await,
        FetchError::Forbidden { .. }
    ));
    assert!(matches!(
        error(soft(&json!([{"code": 400}]))).await,
        FetchError::RetryAfter { .. }
    ));
    assert!(matches!(
        error(soft(&json!([{"code": 429}]))).await,
        FetchError::RateLimited { .. }
    ));
    for odd in [json!([{"title": "?", "code": "X-17"}]), json!("broken"), json!([null])] {
        assert!(
            matches!(error(soft(&odd)).await, FetchError::Retryable { down: false, .. }),
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_200_that_is_no_envelope_is_tried_again() {
    for body in [
        "",
        "<html>maintenance</html>",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"data": null}"#,
        r#"{"id": "x"}"#,
    ] {
        let error = error(ok(body)).await;
        assert!(
            matches!(error, FetchError::Retryable { down: true, .. }),
            "{body}: {error:?}"
        );
    }
    let deep = format!(r#"{{"data": {}1{}}}"#, "[".repeat(500), "]".repeat(500));
    assert!(matches!(error(ok(deep)).await, FetchError::Permanent { .. }));
}

#[tokio::test]
async fn a_reason_quotes_the_answers_errors_in_bounds_and_on_one_line() {
    let errors = json!({"meta": {"errors": [{"title": format!("No\n\u{1b}[2J{}", "x".repeat(10_000)), "code": 422}]}});
    let error = error(answer("422 No", &[], errors.to_string().as_bytes())).await;
    assert!(matches!(error, FetchError::RetryAfter { .. }));
    assert!(
        error.reason().contains("Avinode responded with 422: \"No[2Jxxx"),
        "{error}"
    );
    assert!(
        error.reason().len() < 300 && !error.reason().contains(char::is_control),
        "{error}"
    );
}
