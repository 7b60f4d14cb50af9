//! Rejected calls: an invalid field is named, and no response contains SQL.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{Api, WRITE, send};
use crate::support::sessions::{SessionReferences, insert_agent};

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_missing_or_invalid_field_or_reference_is_named() {
    let api = Api::start().await;
    let references = SessionReferences::insert(&api.db.pool).await;
    let missing = Uuid::from_u128(7);
    let with = |field: &str, value: serde_json::Value| {
        let mut body = references.body();
        body[field] = value;
        body
    };
    for (body, name) in [
        (with("subject", json!("x")), "subject"),
        (json!({"iso_agent_id": references.agent}), "conversation_id"),
        (with("status", json!("completed")), "status"),
        (with("workflow_state", json!("x")), "workflow_state"),
        (with("workflow_state", json!({"a": "\u{0}"})), "workflow_state"),
        (with("avinode_trip_id", json!("")), "avinode_trip_id"),
        (with("conversation_id", json!(missing)), "conversation_id"),
        (with("iso_agent_id", json!(missing)), "iso_agent_id"),
        (with("request_id", json!(missing)), "request_id"),
        (json!([]), "body"),
    ] {
        let rejected = api.post("/v1/sessions", &body).await;
        assert_eq!(rejected.assert_problem(422, "validation-failed"), [name], "{body}");
    }
    let id = api.session(references).await;
    let other = with("iso_agent_id", json!(insert_agent(&api.db.pool).await));
    assert_eq!(
        api.post("/v1/sessions", &other)
            .await
            .assert_problem(422, "validation-failed"),
        ["iso_agent_id"]
    );
    for (method, rest, body, name) in [
        (Method::POST, "activity", json!({"messages": -1}), "messages"),
        (Method::POST, "activity", json!(null), "body"),
        (Method::POST, "quotes", json!({"quote_id": missing}), "quote_id"),
        (Method::POST, "quotes", json!({"quotes_received_count": 1}), "quote_id"),
        (Method::POST, "proposal", json!({"proposal_id": missing}), "proposal_id"),
        (Method::PATCH, "trip", json!({"request_id": missing}), "request_id"),
        (
            Method::PATCH,
            "trip",
            json!({"operators_contacted_count": "3"}),
            "operators_contacted_count",
        ),
        (Method::PATCH, "trip", json!({"status": null}), "status"),
        (Method::PATCH, "trip", json!({"status": "completed"}), "status"),
        (
            Method::PATCH,
            "trip",
            json!({"conversation_type": "rfp"}),
            "conversation_type",
        ),
        (Method::PATCH, "trip", json!({"message_count": 1}), "message_count"),
    ] {
        let rejected = api.send(method, &format!("/v1/sessions/{id}/{rest}"), &body).await;
        assert_eq!(rejected.assert_problem(422, "validation-failed"), [name], "{body}");
    }
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_json_large_bodies_and_unknown_paths_have_their_own_problems() {
    let api = Api::start().await;
    let post = |path: &str| api.request(Method::POST, path).bearer_auth(WRITE);
    let json = |path: &str, body: String| post(path).header("content-type", "application/json").body(body);
    send(json("/v1/sessions", "{".to_owned()))
        .await
        .assert_problem(400, "invalid-json");
    send(post("/v1/sessions").body("{}"))
        .await
        .assert_problem(415, "unsupported-media-type");
    let compressed = json("/v1/sessions", "{}".to_owned()).header("content-encoding", "gzip");
    send(compressed).await.assert_problem(415, "unsupported-encoding");
    let long = format!(r#"{{"current_step": "{}"}}"#, "x".repeat(300 * 1024));
    send(json("/v1/sessions", long)).await.assert_problem(413, "too-large");
    for path in ["/v1/sessions/7", "/v1/sessions/7/quotes", "/v1/sessions/%ff"] {
        api.get(path).await.assert_problem(404, "session-not-found");
    }
    api.get(&format!("/v1/sessions/{}", Uuid::from_u128(7)))
        .await
        .assert_problem(404, "session-not-found");
    api.get("/v1/nothing").await.assert_problem(404, "not-found");
    let wrong = api.send(Method::PUT, "/v1/sessions", &json!({})).await;
    wrong.assert_problem(405, "method-not-allowed");
    assert_eq!(wrong.headers["allow"], "POST,GET,HEAD");
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_the_status_does_not_allow_is_a_conflict() {
    let api = Api::start().await;
    let id = api.session(SessionReferences::insert(&api.db.pool).await).await;
    api.post(&format!("/v1/sessions/{id}/complete"), &json!({})).await;
    for action in ["pause", "resume"] {
        let rejected = api.post(&format!("/v1/sessions/{id}/{action}"), &json!({})).await;
        rejected.assert_problem(409, "invalid-status");
        assert!(rejected.body["detail"].as_str().unwrap().contains("completed"));
    }
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_session_is_503_and_no_database_error_reveals_sql() {
    let api = Api::start().await;
    let references = SessionReferences::insert(&api.db.pool).await;
    let id = api.session(references).await;
    let mut application = api.db.pool.application().await;
    sqlx::query("SELECT FROM public.chat_sessions FOR UPDATE")
        .execute(&mut *application)
        .await
        .unwrap();
    let busy = api.post(&format!("/v1/sessions/{id}/pause"), &json!({})).await;
    busy.assert_problem(503, "busy");
    assert_eq!(busy.headers["retry-after"], "1");
    application.rollback().await.unwrap();

    // A constraint of the application.
    api.db
        .run("ALTER TABLE public.chat_sessions ADD CONSTRAINT few_messages CHECK (message_count < 100)")
        .await;
    let rejected = api
        .post(&format!("/v1/sessions/{id}/activity"), &json!({"messages": 100}))
        .await;
    assert!(rejected.assert_problem(422, "constraint-violation").is_empty());
    assert!(!rejected.body.to_string().contains("few_messages"));
    api.db
        .run("ALTER TABLE public.chat_sessions RENAME COLUMN message_count TO messages")
        .await;
    for broken in [
        api.get(&format!("/v1/sessions/{id}")).await,
        api.post(&format!("/v1/sessions/{id}/activity"), &json!({})).await,
    ] {
        broken.assert_problem(500, "internal");
        assert!(!broken.body.to_string().contains("message_count"), "{broken:?}");
    }
    api.service.stop().await;
}
