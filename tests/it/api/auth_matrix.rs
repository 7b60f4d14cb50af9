//! Authorisation of every operation: a missing or invalid token is 401, a token with an insufficient scope 403.

use reqwest::Method;
use uuid::Uuid;

use super::{Api, READ, WRITE, send};

/// Every operation, and `true` if it writes.
pub(super) fn operations() -> Vec<(Method, String, bool)> {
    let one = format!("/v1/sessions/{}", Uuid::from_u128(7));
    let mut all = vec![
        (Method::POST, "/v1/sessions".to_owned(), true),
        (Method::GET, "/v1/sessions".to_owned(), false),
        (Method::GET, "/v1/sessions/stats".to_owned(), false),
        (Method::GET, "/v1/sessions/events".to_owned(), false),
        (Method::POST, "/v1/sessions/archive".to_owned(), true),
        (Method::GET, one.clone(), false),
        (Method::GET, format!("{one}/quotes"), false),
        (Method::GET, format!("{one}/timeline"), false),
        (Method::PATCH, format!("{one}/trip"), true),
        (Method::PATCH, format!("{one}/conversation-type"), true),
        (Method::DELETE, format!("{one}/primary-quote/pin"), true),
    ];
    for action in ["activity", "pause", "resume", "quotes", "proposal", "complete"] {
        all.push((Method::POST, format!("{one}/{action}"), true));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_requires_a_token_and_every_write_the_scope_write() {
    let api = Api::start().await;
    for (method, path, writes) in operations() {
        // A stream that is opened has no end; this position is refused after the token is accepted.
        let path = match path.ends_with("/events") {
            true => format!("{path}?after={}", i64::MAX),
            false => path,
        };
        let none = send(api.request(method.clone(), &path)).await;
        none.assert_problem(401, "unauthorized");
        assert_eq!(none.headers["www-authenticate"], r#"Bearer realm="avinode-ingest""#);
        let wrong = send(
            api.request(method.clone(), &path)
                .bearer_auth("a-token-with-the-scope-rea"),
        )
        .await;
        wrong.assert_problem(401, "unauthorized");
        assert!(
            wrong.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("invalid_token")
        );
        let read = send(api.request(method.clone(), &path).bearer_auth(READ)).await;
        if writes {
            read.assert_problem(403, "forbidden");
            assert!(read.body["detail"].as_str().unwrap().contains("write"));
            assert!(
                read.headers["www-authenticate"]
                    .to_str()
                    .unwrap()
                    .contains("insufficient_scope")
            );
        } else {
            assert!([200, 404, 410].contains(&read.status), "{method} {path}: {read:?}");
        }
        let write = send(api.request(method.clone(), &path).bearer_auth(WRITE)).await;
        assert!(
            [200, 404, 410, 415].contains(&write.status),
            "{method} {path}: {write:?}"
        );
    }
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_every_call_is_rejected_and_a_worker_process_has_no_api() {
    let api = Api::start().await;
    let without_tokens = avinode_ingest::service::ServiceSettings::default();
    let service = crate::support::service::RunningService::start(&api.db.pool, without_tokens.clone()).await;
    let url = format!("{}/v1/sessions", service.base);
    send(api.client.get(&url).bearer_auth(""))
        .await
        .assert_problem(401, "unauthorized");
    service.stop().await;
    let worker = avinode_ingest::service::ServiceSettings {
        receives: false,
        ..without_tokens
    };
    let service = crate::support::service::RunningService::start(&api.db.pool, worker).await;
    let url = format!("{}/v1/sessions", service.base);
    send(api.client.get(&url).bearer_auth(READ))
        .await
        .assert_problem(404, "not-found");
    service.stop().await;
    api.service.stop().await;
}
