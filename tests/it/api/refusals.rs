//! What is refused, and how: by name where it is about fields, never with a word of SQL.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{Api, WRITE, least, said};
use crate::support::setup::{Stage, agent};

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_unknown_missing_wrong_or_refers_to_nothing_is_named() {
    let api = Api::start().await;
    let stage = Stage::set(&api.db.pool).await;
    let nobody = Uuid::from_u128(7);
    let with = |field: &str, value: serde_json::Value| {
        let mut body = least(stage);
        body[field] = value;
        body
    };
    for (body, name) in [
        (with("subject", json!("x")), "subject"),
        (json!({"iso_agent_id": stage.agent}), "conversation_id"),
        (with("status", json!("completed")), "status"),
        (with("workflow_state", json!("x")), "workflow_state"),
        (with("workflow_state", json!({"a": "\u{0}"})), "workflow_state"),
        (with("avinode_trip_id", json!("")), "avinode_trip_id"),
        (with("conversation_id", json!(nobody)), "conversation_id"),
        (with("iso_agent_id", json!(nobody)), "iso_agent_id"),
        (with("request_id", json!(nobody)), "request_id"),
        (json!([]), "body"),
    ] {
        let refused = api.post("/v1/sessions", &body).await;
        assert_eq!(refused.problem(422, "invalid"), [name], "{body}");
    }
    let id = api.session(stage).await;
    let other = with("iso_agent_id", json!(agent(&api.db.pool).await));
    assert_eq!(
        api.post("/v1/sessions", &other).await.problem(422, "invalid"),
        ["iso_agent_id"]
    );
    for (method, rest, body, name) in [
        (Method::POST, "activity", json!({"messages": -1}), "messages"),
        (Method::POST, "activity", json!(null), "body"),
        (Method::POST, "quotes", json!({"quote_id": nobody}), "quote_id"),
        (Method::POST, "quotes", json!({"quotes_received_count": 1}), "quote_id"),
        (Method::POST, "proposal", json!({"proposal_id": nobody}), "proposal_id"),
        (Method::PATCH, "trip", json!({"request_id": nobody}), "request_id"),
        (
            Method::PATCH,
            "trip",
            json!({"operators_contacted_count": "3"}),
            "operators_contacted_count",
        ),
        (Method::PATCH, "trip", json!({"status": "active"}), "status"),
    ] {
        let refused = api.send(method, &format!("/v1/sessions/{id}/{rest}"), &body).await;
        assert_eq!(refused.problem(422, "invalid"), [name], "{body}");
    }
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_too_long_or_nowhere_has_an_answer_of_its_own() {
    let api = Api::start().await;
    let post = |path: &str| api.request(Method::POST, path).bearer_auth(WRITE);
    let json = |path: &str, body: String| post(path).header("content-type", "application/json").body(body);
    said(json("/v1/sessions", "{".to_owned()))
        .await
        .problem(400, "not-json");
    said(post("/v1/sessions").body("{}"))
        .await
        .problem(415, "unsupported-media-type");
    let packed = json("/v1/sessions", "{}".to_owned()).header("content-encoding", "gzip");
    said(packed).await.problem(415, "unsupported-encoding");
    let long = format!(r#"{{"current_step": "{}"}}"#, "x".repeat(300 * 1024));
    said(json("/v1/sessions", long)).await.problem(413, "too-large");
    for nowhere in ["/v1/sessions/7", "/v1/sessions/7/quotes", "/v1/sessions/%ff"] {
        api.get(nowhere).await.problem(404, "no-such-session");
    }
    api.get(&format!("/v1/sessions/{}", Uuid::from_u128(7)))
        .await
        .problem(404, "no-such-session");
    api.get("/v1/nothing").await.problem(404, "not-found");
    let wrong = api.send(Method::PUT, "/v1/sessions", &json!({})).await;
    wrong.problem(405, "method-not-allowed");
    assert_eq!(wrong.headers["allow"], "POST,GET,HEAD");
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_does_not_allow_it_is_a_conflict() {
    let api = Api::start().await;
    let id = api.session(Stage::set(&api.db.pool).await).await;
    api.post(&format!("/v1/sessions/{id}/complete"), &json!({})).await;
    for change in ["pause", "resume"] {
        let refused = api.post(&format!("/v1/sessions/{id}/{change}"), &json!({})).await;
        refused.problem(409, "wrong-status");
        assert!(refused.body["detail"].as_str().unwrap().contains("completed"));
    }
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_held_too_long_is_503_and_a_broken_database_tells_no_sql() {
    let api = Api::start().await;
    let stage = Stage::set(&api.db.pool).await;
    let id = api.session(stage).await;
    let mut application = api.db.pool.application().await;
    sqlx::query("SELECT FROM public.chat_sessions FOR UPDATE")
        .execute(&mut *application)
        .await
        .unwrap();
    let busy = api.post(&format!("/v1/sessions/{id}/pause"), &json!({})).await;
    busy.problem(503, "busy");
    assert_eq!(busy.headers["retry-after"], "1");
    application.rollback().await.unwrap();

    // The application's own rule, which nobody told us of.
    api.db
        .run("ALTER TABLE public.chat_sessions ADD CONSTRAINT calm CHECK (message_count < 100)")
        .await;
    let refused = api
        .post(&format!("/v1/sessions/{id}/activity"), &json!({"messages": 100}))
        .await;
    assert!(refused.problem(422, "not-taken").is_empty());
    assert!(!refused.body.to_string().contains("calm"));
    api.db
        .run("ALTER TABLE public.chat_sessions RENAME COLUMN message_count TO messages")
        .await;
    for broken in [
        api.get(&format!("/v1/sessions/{id}")).await,
        api.post(&format!("/v1/sessions/{id}/activity"), &json!({})).await,
    ] {
        broken.problem(500, "internal");
        assert!(!broken.body.to_string().contains("message_count"), "{broken:?}");
    }
    api.service.stop().await;
}
