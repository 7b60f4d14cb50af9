//! Who may call what: no token and a wrong one are 401, one that is too weak is 403, on every path.

use reqwest::Method;
use uuid::Uuid;

use super::{Api, READ, WRITE, said};

/// Every operation, and whether it changes anything.
pub(super) fn operations() -> Vec<(Method, String, bool)> {
    let one = format!("/v1/sessions/{}", Uuid::from_u128(7));
    let mut all = vec![
        (Method::POST, "/v1/sessions".to_owned(), true),
        (Method::GET, "/v1/sessions".to_owned(), false),
        (Method::GET, "/v1/sessions/stats".to_owned(), false),
        (Method::POST, "/v1/sessions/archive".to_owned(), true),
        (Method::GET, one.clone(), false),
        (Method::GET, format!("{one}/quotes"), false),
        (Method::GET, format!("{one}/timeline"), false),
        (Method::PATCH, format!("{one}/trip"), true),
        (Method::DELETE, format!("{one}/primary-quote/pin"), true),
    ];
    for change in ["activity", "pause", "resume", "quotes", "proposal", "complete"] {
        all.push((Method::POST, format!("{one}/{change}"), true));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_asks_for_a_token_and_every_change_for_one_that_may_write() {
    let api = Api::start().await;
    for (method, path, changes) in operations() {
        let none = said(api.request(method.clone(), &path)).await;
        none.problem(401, "unauthorized");
        assert_eq!(none.headers["www-authenticate"], r#"Bearer realm="avinode-ingest""#);
        let wrong = said(api.request(method.clone(), &path).bearer_auth("a-token-that-may-loo")).await;
        wrong.problem(401, "unauthorized");
        assert!(
            wrong.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("invalid_token")
        );
        let read = said(api.request(method.clone(), &path).bearer_auth(READ)).await;
        if changes {
            read.problem(403, "forbidden");
            assert!(read.body["detail"].as_str().unwrap().contains("write"));
            assert!(
                read.headers["www-authenticate"]
                    .to_str()
                    .unwrap()
                    .contains("insufficient_scope")
            );
        } else {
            assert!([200, 404].contains(&read.status), "{method} {path}: {read:?}");
        }
        let write = said(api.request(method.clone(), &path).bearer_auth(WRITE)).await;
        assert!([200, 404, 415].contains(&write.status), "{method} {path}: {write:?}");
    }
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_nobody_is_let_in_and_a_process_that_only_works_has_no_api() {
    let api = Api::start().await;
    let closed = avinode_ingest::service::ServiceSettings::default();
    let service = crate::support::service::Running::start(&api.db.pool, closed.clone()).await;
    let url = format!("{}/v1/sessions", service.base);
    said(api.client.get(&url).bearer_auth(""))
        .await
        .problem(401, "unauthorized");
    service.stop().await;
    let works = avinode_ingest::service::ServiceSettings {
        receives: false,
        ..closed
    };
    let service = crate::support::service::Running::start(&api.db.pool, works).await;
    let url = format!("{}/v1/sessions", service.base);
    said(api.client.get(&url).bearer_auth(READ))
        .await
        .problem(404, "not-found");
    service.stop().await;
    api.service.stop().await;
}
