//! Lists: pagination by cursors, and invalid parameters.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Api;
use crate::support::sessions::SessionReferences;

async fn read_all(api: &Api, path: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}limit=2{cursor}")).await.body;
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        found.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_can_be_read_page_by_page() {
    let api = Api::start().await;
    let mut created = Vec::new();
    for _ in 0..5 {
        created.push(json!(api.session(SessionReferences::insert(&api.db.pool).await).await));
    }
    let found: Vec<Value> = read_all(&api, "/v1/sessions?")
        .await
        .into_iter()
        .map(|row| row["id"].clone())
        .collect();
    created.reverse();
    assert_eq!(found, created, "the newest activity first");

    let references = SessionReferences::insert(&api.db.pool).await;
    let id = api.session(references).await;
    for number in 0..5 {
        let quote = references
            .insert_quote(&api.db.pool, Some(&format!("aquote-{number}")))
            .await;
        api.post(&format!("/v1/sessions/{id}/quotes"), &json!({"quote_id": quote}))
            .await;
    }
    let quotes = read_all(&api, &format!("/v1/sessions/{id}/quotes?")).await;
    let ids: Vec<&str> = quotes
        .iter()
        .map(|quote| quote["avinode_quote_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["aquote-0", "aquote-1", "aquote-2", "aquote-3", "aquote-4"]);
    let lines = read_all(&api, &format!("/v1/sessions/{id}/timeline?")).await;
    let seqs: Vec<i64> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_parameter_is_named() {
    let api = Api::start().await;
    let id = api.session(SessionReferences::insert(&api.db.pool).await).await;
    for (query, name) in [
        ("conversation_id=1", "conversation_id"),
        ("limit=0", "limit"),
        ("status=done", "status"),
        ("has_primary_quote=yes", "has_primary_quote"),
        ("trip_id=%20", "trip_id"),
        ("rfp_id=%00", "rfp_id"),
        ("rfq_id=", "rfq_id"),
        ("current_step=a%00", "current_step"),
        ("limit=201", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=c2ZvcmdlZA", "cursor"),
        ("limit=x", "limit"),
        ("limit=70000", "limit"),
        ("page=2", "page"),
    ] {
        let rejected = api.get(&format!("/v1/sessions?{query}")).await;
        assert_eq!(rejected.assert_problem(422, "validation-failed"), [name], "{query}");
        assert!(rejected.body["detail"].as_str().unwrap().contains(name), "{rejected:?}");
    }
    let nul = URL_SAFE_NO_PAD.encode(r#"["quotes","\u0000"]"#);
    for (query, name) in [
        ("cursor=forged", "cursor"),
        ("status=active", "status"),
        ("limit=0", "limit"),
        (&format!("cursor={nul}"), "cursor"),
    ] {
        for list in ["quotes", "timeline"] {
            let rejected = api.get(&format!("/v1/sessions/{id}/{list}?{query}")).await;
            assert_eq!(
                rejected.assert_problem(422, "validation-failed"),
                [name],
                "{list}?{query}"
            );
        }
    }
    api.service.stop().await;
}
