//! Every write of the API, and every action of the command line, leaves a row in the audit log that names its author.

use avinode_ingest::domain::api_scope::ApiScope;
use avinode_ingest::http::v1::auth::BearerTokens;
use avinode_ingest::service::{ApiSettings, ServiceSettings};
use avinode_ingest::store::audit::{self, AuditAction, AuditFilter};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, eventually};
use crate::support::program::run_on;
use crate::support::service::RunningService;
use crate::support::sessions::SessionReferences;
use crate::support::sql::{count, text};

const TOKEN: &str = "a-token-with-the-scope-write";
const ROWS: &str = "SELECT count(*) FROM avinode_ingest.audit";

/// The ids that the operations name.
struct Existing {
    session: Uuid,
    references: SessionReferences,
    quote: Uuid,
    proposal: Uuid,
}

/// The calls in an order in which each is valid: operation id, path, body and the audited action.
fn calls(existing: &Existing) -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "createOrUpdateChatSession",
            existing.references.body(),
            "create_or_update_session",
        ),
        ("updateChatSessionActivity", json!({"messages": 1}), "record_activity"),
        ("pauseChatSession", json!({}), "pause_session"),
        ("resumeChatSession", json!({}), "resume_session"),
        (
            "updateChatSessionWithTripInfo",
            json!({"avinode_trip_id": "71717171"}),
            "update_trip",
        ),
        (
            "updateChatSessionType",
            json!({"conversation_type": "general"}),
            "set_conversation_type",
        ),
        (
            "updateChatSessionWithQuote",
            json!({"quote_id": existing.quote, "primary_quote_id": existing.quote}),
            "record_quote",
        ),
        ("unpinPrimaryQuote", json!({}), "unpin_primary_quote"),
        (
            "updateChatSessionWithProposal",
            json!({"proposal_id": existing.proposal}),
            "attach_proposal",
        ),
        ("completeChatSession", json!({}), "complete_session"),
        ("archiveOldChatSessions", json!({}), "archive_sessions"),
    ]
}

/// The writing operations on sessions: id, method and path. Those of the operator API are in `api::operator::actions`.
fn writing_operations() -> Vec<(String, Method, String)> {
    let description: Value = serde_json::from_str(include_str!("../../../openapi.json")).unwrap();
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            if [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&method)
                && path.starts_with("/v1/sessions")
            {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                all.push((id, method, path.clone()));
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_writing_operation_of_the_api_leaves_a_row_with_the_name_of_the_token() {
    let db = Db::new().await;
    let settings = ServiceSettings {
        api: ApiSettings {
            tokens: BearerTokens::new([("dashboard", ApiScope::Write, TOKEN)]),
            connections: 4,
            streams: 4,
        },
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    let client = avinode_ingest::cli::replay::sender::client(&service.base).unwrap();
    let call = async |method: Method, path: &str, body: &Value| {
        let request = client
            .request(method, format!("{}{path}", service.base))
            .bearer_auth(TOKEN);
        let response = request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        (
            status,
            serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap(),
        )
    };
    let references = SessionReferences::insert(&db.pool).await;
    let (_, made) = call(Method::POST, "/v1/sessions", &references.body()).await;
    let existing = Existing {
        session: made["id"].as_str().unwrap().parse().unwrap(),
        references,
        quote: references.insert_quote(&db.pool, Some("aquote-9")).await,
        proposal: references.insert_proposal(&db.pool).await,
    };
    let operations = writing_operations();
    let calls = calls(&existing);
    let named: Vec<&str> = calls.iter().map(|(id, ..)| *id).collect();
    for (id, method, path) in &operations {
        assert!(
            named.contains(&id.as_str()),
            "{method} {path} ({id}) is not called by this test"
        );
    }
    for (id, body, action) in calls {
        let (_, method, path) = operations.iter().find(|(operation, ..)| operation == id).unwrap();
        let path = path.replace("{id}", &existing.session.to_string());
        let before = count(&db.pool, ROWS).await;
        let (status, answer) = call(method.clone(), &path, &body).await;
        assert!(status == 200 || status == 201, "{method} {path}: {status} {answer}");
        assert_eq!(count(&db.pool, ROWS).await, before + 1, "{method} {path} left no row");
        let row: (String, String, String) =
            sqlx::query_as("SELECT actor, action, state FROM avinode_ingest.audit ORDER BY id DESC LIMIT 1")
                .fetch_one(&db.pool)
                .await
                .unwrap();
        assert_eq!(
            row,
            ("token:dashboard".to_owned(), action.to_owned(), "finished".to_owned())
        );
    }

    // A refused call changes nothing, and leaves no row.
    let before = count(&db.pool, ROWS).await;
    let (status, _) = call(
        Method::POST,
        &format!("/v1/sessions/{}/pause", existing.session),
        &json!({}),
    )
    .await;
    assert_eq!((status, count(&db.pool, ROWS).await), (409, before));

    let timeline = format!("/v1/sessions/{}/timeline", existing.session);
    let (_, entries) = call(Method::GET, &timeline, &json!({})).await;
    let entries = entries["data"].as_array().unwrap();
    let authors: Vec<(&str, &Value)> = entries
        .iter()
        .map(|it| (it["kind"].as_str().unwrap(), &it["actor"]))
        .collect();
    let token = json!("token:dashboard");
    for kind in [
        "quote_received",
        "primary_quote_pinned",
        "primary_quote_unpinned",
        "proposal_attached",
        "session_completed",
    ] {
        assert!(authors.contains(&(kind, &token)), "{authors:?}");
    }
    let quote = "SELECT details ->> 'quote' FROM avinode_ingest.audit WHERE action = 'record_quote'";
    assert_eq!(text(&db.pool, quote).await, Some(existing.quote.to_string()));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_and_the_service_itself_are_told_apart() {
    let db = Db::new().await;
    let session = crate::support::sessions::SessionBuilder::of_trip("A1B2C3")
        .insert(&db.pool)
        .await;
    crate::support::deliveries::receive(&db.pool, &[crate::support::bodies::quote_of("A1B2C3", "aquote-1", 10)]).await;
    let id = session.to_string();
    for line in [&["sessions", "complete", &id][..], &["sessions", "archive"]] {
        assert_eq!(run_on(&db, line).await.code, Some(0));
    }
    eventually(PATIENCE, "both are in the log", async || {
        count(&db.pool, ROWS).await == 2
    })
    .await;
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT action, actor FROM avinode_ingest.audit ORDER BY id")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(
        [rows[0].0.as_str(), rows[1].0.as_str()],
        ["complete_session", "archive_sessions"]
    );
    assert!(
        rows.iter()
            .all(|(_, actor)| actor.starts_with("cli:") && actor.contains('@')),
        "{rows:?}"
    );
    let entries: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT kind, actor FROM avinode_ingest.timeline ORDER BY seq")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(
        entries,
        [
            ("quote_received".to_owned(), None),
            ("session_completed".to_owned(), Some(rows[0].1.clone()))
        ]
    );
}

#[tokio::test]
async fn the_few_rows_of_an_actor_or_of_an_action_are_found_without_reading_the_others() {
    let db = Db::new().await;
    db.run(
        "INSERT INTO avinode_ingest.audit (run, actor, action, state)
         SELECT gen_random_uuid(), 'token:rare', 'purge', 'finished' FROM generate_series(1, 3);
         INSERT INTO avinode_ingest.audit (run, actor, action, state)
         SELECT gen_random_uuid(), 'token:dashboard', 'record_activity', 'finished' FROM generate_series(1, 50000);
         ANALYZE avinode_ingest.audit",
    )
    .await;
    let pool = db.pool.service();
    let filter = AuditFilter {
        limit: 50,
        ..AuditFilter::default()
    };
    let (actor, action) = (Some("token:rare".to_owned()), Some(AuditAction::Purge));
    for filter in [
        AuditFilter {
            actor,
            ..filter.clone()
        },
        AuditFilter { action, ..filter },
    ] {
        // More often than a statement is planned for its values.
        for _ in 0..10 {
            assert_eq!(audit::list(&pool, &filter).await.unwrap().len(), 3);
        }
    }
    // The reads of a connection are counted when it ends.
    pool.close().await;
    let read = "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'audit')::bigint
        + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'audit')";
    eventually(PATIENCE, "the reads are counted", async || {
        at_least(count(&db.pool, read).await, 60)
    })
    .await;
    assert_eq!(count(&db.pool, read).await, 60);
}
