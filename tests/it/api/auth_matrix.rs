//! Authorisation of every operation: a missing or invalid token is 401, a token with an insufficient scope 403.

use avinode_ingest::domain::api_scope::ApiScope;
use reqwest::Method;
use uuid::Uuid;

use super::{ADMIN, Api, READ, WRITE, send};

/// Every operation, and the scope that it requires.
pub(super) fn operations() -> Vec<(Method, String, ApiScope)> {
    let (read, write, admin) = (ApiScope::Read, ApiScope::Write, ApiScope::Admin);
    let one = format!("/v1/sessions/{}", Uuid::from_u128(7));
    let mut all = vec![
        (Method::POST, "/v1/sessions".to_owned(), write),
        (Method::GET, "/v1/sessions".to_owned(), read),
        (Method::GET, "/v1/sessions/stats".to_owned(), read),
        (Method::GET, "/v1/sessions/events".to_owned(), read),
        (Method::POST, "/v1/sessions/archive".to_owned(), write),
        (Method::GET, one.clone(), read),
        (Method::GET, format!("{one}/quotes"), read),
        (Method::GET, format!("{one}/timeline"), read),
        (Method::PATCH, format!("{one}/trip"), write),
        (Method::PATCH, format!("{one}/conversation-type"), write),
        (Method::DELETE, format!("{one}/primary-quote/pin"), write),
    ];
    for action in ["activity", "pause", "resume", "quotes", "proposal", "complete"] {
        all.push((Method::POST, format!("{one}/{action}"), write));
    }
    for list in ["deliveries", "jobs", "documents"] {
        all.push((Method::GET, format!("/v1/admin/{list}"), read));
        all.push((Method::GET, format!("/v1/admin/{list}/{}", Uuid::from_u128(7)), read));
    }
    all.push((Method::GET, format!("/v1/admin/trace/{}", Uuid::from_u128(7)), read));
    for state in [
        "summary",
        "deliveries/export",
        "dead-letters",
        "fetching",
        "maintenance",
    ] {
        all.push((Method::GET, format!("/v1/admin/{state}"), read));
    }
    for action in ["jobs/{id}/retry", "jobs/{id}/discard", "deliveries/{id}/replay"] {
        let path = action.replace("{id}", &Uuid::from_u128(7).to_string());
        all.push((Method::POST, format!("/v1/admin/{path}"), admin));
    }
    all.push((Method::GET, "/v1/admin/batches".to_owned(), read));
    all.push((Method::POST, "/v1/admin/batches".to_owned(), admin));
    all.push((Method::GET, format!("/v1/admin/batches/{}", Uuid::from_u128(7)), read));
    all.push((
        Method::POST,
        format!("/v1/admin/batches/{}/resume", Uuid::from_u128(7)),
        admin,
    ));
    all.push((Method::GET, "/v1/admin/audit".to_owned(), read));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_requires_a_token_of_its_scope_or_a_higher_one() {
    let api = Api::start().await;
    for (method, path, needed) in operations() {
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
        for (token, scope) in [
            (READ, ApiScope::Read),
            (WRITE, ApiScope::Write),
            (ADMIN, ApiScope::Admin),
        ] {
            let answer = send(api.request(method.clone(), &path).bearer_auth(token)).await;
            if scope >= needed {
                assert!(
                    [200, 404, 410, 415].contains(&answer.status),
                    "{method} {path}: {answer:?}"
                );
                continue;
            }
            answer.assert_problem(403, "forbidden");
            let needed = needed.as_str();
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.ends_with(&format!("the scope {needed}.")), "{answer:?}");
            let challenge = answer.headers["www-authenticate"].to_str().unwrap();
            assert!(
                challenge.ends_with(&format!(r#"error="insufficient_scope", scope="{needed}""#)),
                "{challenge}"
            );
        }
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
