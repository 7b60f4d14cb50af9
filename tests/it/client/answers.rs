//! The meaning of an answer: a document, or a class of failure.

use std::time::Duration;

use avinode_ingest::avinode::client::avinode_client::FetchResult;
use avinode_ingest::avinode::client::error::{FetchError, FetchErrorKind};
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
async fn a_document_has_the_data_and_the_exact_body() {
    let body =
        r#" {"data": {"id": "asellermsg-7", "price": 1.10}, "meta": {"errors": [], "warnings": [{"title": "w"}]}} "#;
    let document = fetched(ok(body)).await.result.unwrap();
    assert_eq!(document.body, body);
    assert_eq!(document.data["price"].to_string(), "1.10");
}

#[tokio::test]
async fn each_status_has_its_class() {
    assert!(
        matches!(error(status("400 Bad")).await.kind, FetchErrorKind::Retryable { after: Some(after), down: false } if after.as_secs() >= 120)
    );
    assert!(matches!(
        error(status("401 Unauthorized")).await.kind,
        FetchErrorKind::Unauthorized
    ));
    assert!(matches!(
        error(status("403 Forbidden")).await.kind,
        FetchErrorKind::Forbidden
    ));
    assert!(matches!(
        error(status("404 Not Found")).await.kind,
        FetchErrorKind::NotFound
    ));
    assert!(matches!(error(status("410 Gone")).await.kind, FetchErrorKind::Gone));
    assert!(matches!(
        error(status("423 Locked")).await.kind,
        FetchErrorKind::Retryable {
            after: None,
            down: false
        }
    ));
    assert!(matches!(
        error(status("500 Oh")).await.kind,
        FetchErrorKind::Retryable {
            after: None,
            down: true
        }
    ));
    assert!(matches!(
        error(status("204 No Content")).await.kind,
        FetchErrorKind::Retryable { after: None, .. }
    ));
    let busy = error(answer("503 Busy", &["retry-after: 40"], b"")).await;
    assert!(
        matches!(busy.kind, FetchErrorKind::Retryable { after, down: true } if after == Some(Duration::from_secs(40)))
    );
}

#[tokio::test]
async fn a_429_has_the_time_to_wait_and_the_rate_limit_headers() {
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
    let seconds = |error: FetchError| match error.kind {
        FetchErrorKind::RateLimited { after } => after.map(|after| after.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(seconds(limited.result.unwrap_err()), Some(17));
    let both = [&headers[..], &["retry-after: 5"]].concat();
    assert_eq!(seconds(error(answer("429 Too Many", &both, b"")).await), Some(5));
    assert_eq!(seconds(error(answer("429 Too Many", &[], b"")).await), None);
    // A success has the headers too.
    let success = fetched(answer("200 OK", &headers[1..2], br#"{"data": {}}"#)).await;
    assert_eq!(success.rate_limit.remaining, Some(0));
}

#[tokio::test]
async fn an_error_inside_a_200_has_the_class_of_its_code() {
    let locked = error(soft(&json!([{"title": "The trip is locked", "code": 423}]))).await;
    assert!(matches!(
        locked.kind,
        FetchErrorKind::Retryable {
            after: None,
            down: false
        }
    ));
    assert_eq!(
        locked.reason(),
        "GET tripmsgs/asellermsg-7: Avinode responded with 200 and errors: \"The trip is locked\" (423)"
    );
    assert!(matches!(
        error(soft(&json!([{"code": "404"}]))).await.kind,
        FetchErrorKind::NotFound
    ));
    assert!(matches!(
        error(soft(&json!([{}, {"code": 403}]))).await.kind,
        FetchErrorKind::Forbidden
    ));
    assert!(matches!(
        error(soft(&json!([{"code": 400}]))).await.kind,
        FetchErrorKind::Retryable { after: Some(_), .. }
    ));
    assert!(matches!(
        error(soft(&json!([{"code": 429}]))).await.kind,
        FetchErrorKind::RateLimited { .. }
    ));
    for odd in [json!([{"title": "?", "code": "X-17"}]), json!("broken"), json!([null])] {
        assert!(
            matches!(
                error(soft(&odd)).await.kind,
                FetchErrorKind::Retryable {
                    after: None,
                    down: false
                }
            ),
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_200_without_an_envelope_is_retried() {
    for body in [
        "",
        "<html>maintenance</html>",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"data": null}"#,
        r#"{"meta": {}}"#,
    ] {
        let error = error(ok(body)).await;
        assert!(
            matches!(
                error.kind,
                FetchErrorKind::Retryable {
                    after: None,
                    down: true
                }
            ),
            "{body}: {error:?}"
        );
    }
    let deep = format!(r#"{{"data": {}1{}}}"#, "[".repeat(500), "]".repeat(500));
    assert!(matches!(error(ok(deep)).await.kind, FetchErrorKind::Permanent));
}

#[tokio::test]
async fn a_reason_quotes_the_errors_of_the_answer_shortened_and_on_one_line() {
    let errors = json!({"meta": {"errors": [{"title": format!("No\n\u{1b}[2J{}", "x".repeat(10_000)), "code": 422}]}});
    let error = error(answer("422 No", &[], errors.to_string().as_bytes())).await;
    assert!(matches!(error.kind, FetchErrorKind::Retryable { after: Some(_), .. }));
    assert!(
        error.reason().contains("Avinode responded with 422: \"No[2Jxxx"),
        "{error}"
    );
    assert!(
        error.reason().len() < 300 && !error.reason().contains(char::is_control),
        "{error}"
    );
}

#[tokio::test]
async fn a_resource_outside_of_its_envelope_is_not_fetched_again() {
    let error = error(ok(r#"{"id": "asellermsg-7", "content": "Hello"}"#)).await;
    assert_eq!(error.kind, FetchErrorKind::Permanent);
    assert!(error.reason().ends_with("the body has no \"data\""), "{error}");
}
