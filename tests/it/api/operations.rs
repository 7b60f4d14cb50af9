//! Every operation of the API, in the order of a session's life cycle.

use reqwest::Method;
use serde_json::{Value, json};

use super::Api;
use crate::support::PATIENCE;
use crate::support::bodies;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::sessions::SessionReferences;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_from_its_creation_to_its_archive() {
    for db in [Db::new().await, Db::attached().await] {
        let api = Api::on(db).await;
        let references = SessionReferences::insert(&api.db.pool).await;
        let mut new = references.body();
        new["workflow_state"] = json!({"pax": 4});
        let created = api.post("/v1/sessions", &new).await;
        assert_eq!(created.status, 201, "{created:?}");
        let id = created.body["id"].as_str().unwrap().to_owned();
        let path = |rest: &str| format!("/v1/sessions/{id}{rest}");
        assert_eq!(created.headers["location"].to_str().unwrap(), path(""));
        let updated = api.post("/v1/sessions", &references.body()).await;
        assert_eq!((updated.status, &updated.body["id"]), (200, &created.body["id"]));
        assert_eq!(updated.body["workflow_state"], json!({"pax": 4}));

        let active = api.post(&path("/activity"), &json!({"messages": 2})).await;
        assert_eq!(active.body["message_count"], 2);
        let bare = super::send(api.request(Method::POST, &path("/activity")).bearer_auth(super::WRITE)).await;
        assert_eq!(
            (bare.status, &bare.body["message_count"]),
            (200, &json!(2)),
            "without a body"
        );
        assert_eq!(api.post(&path("/pause"), &json!({})).await.body["status"], "paused");
        assert_eq!(api.post(&path("/resume"), &json!({})).await.body["status"], "active");

        let trip = json!({"avinode_trip_id": "71717171", "avinode_rfp_id": "rfp-9", "avinode_rfq_id": "arfq-9",
            "current_step": "requesting_quotes", "workflow_state": {"pax": null, "bags": 2}});
        let patched = api.send(Method::PATCH, &path("/trip"), &trip).await;
        assert_eq!(patched.status, 200, "{patched:?}");
        assert_eq!(patched.body["workflow_state"], json!({"bags": 2}));

        let quote = references.insert_quote(&api.db.pool, Some("aquote-9")).await;
        let update = json!({"quote_id": quote, "quotes_expected_count": 5, "primary_quote_id": quote});
        let quoted = api.post(&path("/quotes"), &update).await;
        assert_eq!(quoted.body["quotes_received_count"], 1, "{quoted:?}");
        assert_eq!(quoted.body["primary_quote_pinned"], true);
        assert_eq!(quoted.body["total_price"], "48250.00", "money is a string");
        assert_eq!(quoted.body["operator_name"], "Northwind Jets");

        for (filter, found) in [
            (
                format!("conversation_id={}&status=active", references.conversation),
                true,
            ),
            (format!("request_id={}", references.request), true),
            ("trip_id=atrip-71717171".to_owned(), true),
            ("rfp_id=rfp-9".to_owned(), true),
            ("rfq_id=arfq-9&current_step=requesting_quotes".to_owned(), true),
            (
                format!("iso_agent_id={}&status=active&has_primary_quote=true", references.agent),
                true,
            ),
            (format!("iso_agent_id={}&status=completed", references.agent), false),
        ] {
            let listed = api.get(&format!("/v1/sessions?{filter}")).await;
            let expected = if found { json!([id]) } else { json!([]) };
            let ids: Vec<&Value> = listed.body["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| &row["id"])
                .collect();
            assert_eq!(json!(ids), expected, "{filter}");
            assert_eq!(listed.body["next_cursor"], Value::Null);
        }
        let row = &api
            .get(&format!("/v1/sessions?request_id={}", references.request))
            .await
            .body["data"][0]
            .clone();
        assert_eq!(
            (&row["departure_airport"], &row["conversation_subject"]),
            (&json!("KTEB"), &json!("To Palm Beach"))
        );

        let listed = api.get(&path("/quotes")).await.body;
        assert_eq!(listed["data"][0]["quote_id"], json!(quote));
        assert_eq!(listed["data"][0]["avinode_quote_id"], "aquote-9");
        assert_eq!(listed["data"][0]["is_primary"], true);
        let unpinned = api
            .send(Method::DELETE, &path("/primary-quote/pin"), &json!(null))
            .await;
        assert_eq!(
            (unpinned.status, &unpinned.body["primary_quote_pinned"]),
            (200, &json!(false))
        );

        let proposal = references.insert_proposal(&api.db.pool).await;
        let proposed = api.post(&path("/proposal"), &json!({"proposal_id": proposal})).await;
        assert_eq!(proposed.body["current_step"], "proposal_ready");
        let stats = api.get("/v1/sessions/stats").await.body;
        assert!(
            stats["active"].as_i64().unwrap() >= 1 && stats["by_step"].is_array(),
            "{stats}"
        );
        let completed = api.post(&path("/complete"), &json!({})).await;
        assert_eq!(completed.body["status"], "completed");
        sqlx::query(
            "UPDATE public.chat_sessions SET session_ended_at = now() - interval '91 days' WHERE id::text = $1",
        )
        .bind(&id)
        .execute(&api.db.pool)
        .await
        .unwrap();
        let archived = api.post("/v1/sessions/archive", &json!({})).await;
        assert!(archived.body["archived"].as_i64().unwrap() >= 1, "{archived:?}");
        assert_eq!(api.get(&path("")).await.body["status"], "archived");
        let lines = api.get(&path("/timeline")).await.body;
        let kinds: Vec<&Value> = lines["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| &line["kind"])
            .collect();
        assert_eq!(
            json!(kinds),
            json!([
                "quote_received",
                "primary_quote_pinned",
                "primary_quote_unpinned",
                "proposal_attached",
                "session_completed"
            ])
        );
        api.service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_from_the_webhook_is_counted_in_a_session_of_the_api() {
    let api = Api::start().await;
    let references = SessionReferences::insert(&api.db.pool).await;
    let id = api.session(references).await;
    let trip = json!({"avinode_trip_id": "64956150"});
    assert_eq!(
        api.send(Method::PATCH, &format!("/v1/sessions/{id}/trip"), &trip)
            .await
            .status,
        200
    );
    let body = bodies::quote("evt-1", "atrip-64956150", "arfq-1", "aquote-1", 1, "1234.5", "EUR");
    let (status, _) = api.service.post(&serde_json::to_vec(&body).unwrap()).await;
    assert_eq!(status, 200);
    let session = eventually(PATIENCE, "the quote is counted", async || {
        let session = api.get(&format!("/v1/sessions/{id}")).await.body;
        match session["quotes_received_count"] == 1 {
            true => Ok(session),
            false => Err(session),
        }
    })
    .await;
    assert_eq!(session["total_price"], "1234.50");
    let quotes = api.get(&format!("/v1/sessions/{id}/quotes")).await.body;
    assert_eq!(quotes["data"][0]["currency"], "EUR");
    api.service.stop().await;
}
