//! Values whose text is far longer than what is sent or stored: they are refused in a request, and left out of a response.

use serde_json::{Value, json};

use super::Api;
use crate::support::sessions::{SessionReferences, update_session};

/// 1,000 numbers with 131,072 digits each: 9 kB in a request.
fn exploding() -> Value {
    let numbers = format!("[{}]", vec!["1e131071"; 1_000].join(","));
    serde_json::from_str(&numbers).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_with_a_huge_exponent_is_refused_by_field_in_every_body() {
    let api = Api::start().await;
    let references = SessionReferences::insert(&api.db.pool).await;
    let id = api.session(references).await;
    for field in ["workflow_state", "metadata"] {
        let patch = json!({field: {"a": exploding()}});
        let refused = api
            .send(reqwest::Method::PATCH, &format!("/v1/sessions/{id}/trip"), &patch)
            .await;
        assert_eq!(refused.assert_problem(422, "validation-failed"), [field]);
        assert!(
            refused.body["detail"].as_str().unwrap().contains("exponent"),
            "{refused:?}"
        );
        let mut new = references.body();
        new[field] = json!({"a": exploding()});
        let refused = api.post("/v1/sessions", &new).await;
        assert_eq!(refused.assert_problem(422, "validation-failed"), [field]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_bounded_after_the_merge() {
    let api = Api::start().await;
    let id = api.session(SessionReferences::insert(&api.db.pool).await).await;
    let path = format!("/v1/sessions/{id}/trip");
    let patch = |key: &str| json!({"metadata": {key: "x".repeat(100_000)}});
    for key in ["a", "b"] {
        assert_eq!(api.send(reqwest::Method::PATCH, &path, &patch(key)).await.status, 200);
    }
    let refused = api.send(reqwest::Method::PATCH, &path, &patch("c")).await;
    assert_eq!(refused.assert_problem(422, "validation-failed"), ["metadata"]);
    let stored = api.get(&format!("/v1/sessions/{id}")).await.body;
    assert_eq!(stored["metadata"].as_object().unwrap().len(), 2);
    assert_eq!(stored["omitted_fields"], Value::Null, "nothing is left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_stored_value_is_left_out_and_named_and_fails_no_list() {
    let api = Api::with_workers(crate::support::cluster::Db::new().await, 1).await;
    let odd = api.session(SessionReferences::insert(&api.db.pool).await).await;
    let other = api.session(SessionReferences::insert(&api.db.pool).await).await;
    update_session(
        &api.db.pool,
        odd.parse().unwrap(),
        "workflow_state = jsonb_build_object('a', array_fill(1e131071, ARRAY[9000])),
         metadata = (repeat('[', 5000) || repeat(']', 5000))::jsonb, current_step = repeat('x', 3000000)",
    )
    .await;
    let listed = api.get("/v1/sessions").await;
    assert_eq!(listed.status, 200);
    let sessions = listed.body["data"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        let omitted = match session["id"] == json!(odd) {
            true => json!(["current_step", "metadata", "workflow_state"]),
            false => Value::Null,
        };
        assert_eq!(session["omitted_fields"], omitted, "{session}");
    }
    assert_eq!(api.get(&format!("/v1/sessions/{other}")).await.status, 200);
    assert_eq!(api.get("/v1/sessions/stats").await.status, 200);
    // It can be replaced, and not merged into.
    let path = format!("/v1/sessions/{odd}/trip");
    let patch = |state: Value| json!({"workflow_state": state});
    let refused = api.send(reqwest::Method::PATCH, &path, &patch(json!({"b": 1}))).await;
    assert_eq!(refused.assert_problem(422, "validation-failed"), ["workflow_state"]);
    let cleared = api.send(reqwest::Method::PATCH, &path, &patch(Value::Null)).await;
    assert_eq!((cleared.status, &cleared.body["workflow_state"]), (200, &json!({})));
    assert_eq!(cleared.body["omitted_fields"], json!(["current_step", "metadata"]));
}
