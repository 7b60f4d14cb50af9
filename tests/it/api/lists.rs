//! Lists: pages that follow one another by cursors, and parameters that are wrong.

use serde_json::{Value, json};

use super::Api;
use crate::support::setup::Stage;

async fn walk(api: &Api, path: &str) -> Vec<Value> {
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
async fn every_list_is_read_to_its_end_page_by_page() {
    let api = Api::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(json!(api.session(Stage::set(&api.db.pool).await).await));
    }
    let found: Vec<Value> = walk(&api, "/v1/sessions?")
        .await
        .into_iter()
        .map(|row| row["id"].clone())
        .collect();
    made.reverse();
    assert_eq!(found, made, "the newest activity first");

    let stage = Stage::set(&api.db.pool).await;
    let id = api.session(stage).await;
    for number in 0..5 {
        let quote = stage.quote(&api.db.pool, Some(&format!("aquote-{number}"))).await;
        api.post(&format!("/v1/sessions/{id}/quotes"), &json!({"quote_id": quote}))
            .await;
    }
    let quotes = walk(&api, &format!("/v1/sessions/{id}/quotes?")).await;
    let ids: Vec<&str> = quotes
        .iter()
        .map(|quote| quote["avinode_quote_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["aquote-0", "aquote-1", "aquote-2", "aquote-3", "aquote-4"]);
    let lines = walk(&api, &format!("/v1/sessions/{id}/timeline?")).await;
    let seqs: Vec<i64> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_wrong_are_all_named() {
    let api = Api::start().await;
    let id = api.session(Stage::set(&api.db.pool).await).await;
    for (query, names) in [
        ("conversation_id=1&limit=0", &["conversation_id", "limit"][..]),
        ("status=done", &["status"]),
        ("has_primary_quote=yes", &["has_primary_quote"]),
        ("trip_id=%20", &["trip_id"]),
        ("rfp_id=%00&rfq_id=", &["rfp_id", "rfq_id"]),
        ("current_step=a%00", &["current_step"]),
        ("limit=201", &["limit"]),
        ("limit=1&limit=2", &["limit"]),
        ("cursor=c2ZvcmdlZA", &["cursor"]),
        ("agent=7&page=2", &["agent", "page"]),
    ] {
        let refused = api.get(&format!("/v1/sessions?{query}")).await;
        assert_eq!(refused.problem(422, "invalid"), names, "{query}");
    }
    for list in ["quotes", "timeline"] {
        let refused = api
            .get(&format!("/v1/sessions/{id}/{list}?cursor=forged&status=active"))
            .await;
        assert_eq!(refused.problem(422, "invalid"), ["cursor", "status"]);
    }
    api.service.stop().await;
}
