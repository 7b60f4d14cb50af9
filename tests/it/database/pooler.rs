//! Behind a transaction pooler everything works as without one (guarantee 10).

use std::path::Path;

use avinode_ingest::cli::fixture_run::SeededManifest;
use avinode_ingest::cli::manifest::FixtureManifest;
use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgConnection, Row};

use crate::crash::program::{Program, Serve};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::pooler::{Pooler, SERVER_CONNECTIONS};
use crate::support::service::SECRET;
use crate::support::sessions::SessionReferences;
use crate::support::snapshot::dead_jobs;

/// Returns the server process of the open transaction, and the number of its named statements.
async fn names(connection: &mut PgConnection) -> (i32, i64) {
    let names = "SELECT pg_backend_pid() AS server, (SELECT count(*) FROM pg_prepared_statements) AS names";
    let row = sqlx::raw_sql(names).fetch_one(connection).await.unwrap();
    (row.get("server"), row.get("names"))
}

/// Runs a command through the pooler and returns its exit code and its output.
async fn command(url: &str, line: &str) -> (Option<i32>, String) {
    let variables = [
        ("DATABASE_URL", url),
        ("INGEST_TRANSACTION_POOLER", "true"),
        ("AVINODE_WEBHOOK_SECRET", SECRET),
    ];
    let mut program = Program::start(line, &variables);
    let ended = program.ended(PATIENCE).await;
    (ended.code(), program.said())
}

/// Calls the sessions API: each of its transactions may use another server connection.
async fn api(address: &str, db: &Db) {
    let references = SessionReferences::insert(&db.pool).await;
    let (quote, proposal) = (
        references.insert_quote(&db.pool, None).await,
        references.insert_proposal(&db.pool).await,
    );
    let base = format!("http://{address}/v1/sessions");
    let client = avinode_ingest::cli::replay::sender::client(&base).unwrap();
    let call = async |method: Method, path: String, body: Value| {
        let request = client.request(method, format!("{base}{path}")).bearer_auth("a-token");
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let (status, bytes) = (response.status(), response.bytes().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {bytes:?}");
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let new = json!({"conversation_id": references.conversation, "iso_agent_id": references.agent, "request_id": references.request});
    let made = call(Method::POST, String::new(), new.clone()).await;
    call(Method::POST, String::new(), new).await;
    let id = made["id"].as_str().unwrap();
    for (method, path, body) in [
        (Method::GET, "?status=active&limit=1".to_owned(), json!({})),
        (Method::GET, "?trip_id=64956150".to_owned(), json!({})),
        (Method::GET, "/stats".to_owned(), json!({})),
        (Method::POST, format!("/{id}/activity"), json!({"messages": 1})),
        (Method::POST, format!("/{id}/pause"), json!({})),
        (Method::POST, format!("/{id}/resume"), json!({})),
        (
            Method::PATCH,
            format!("/{id}/trip"),
            json!({"avinode_trip_id": "nowhere-1", "workflow_state": {"a": 1}}),
        ),
        (
            Method::POST,
            format!("/{id}/quotes"),
            json!({"quote_id": quote, "primary_quote_id": quote}),
        ),
        (Method::GET, format!("/{id}/quotes"), json!({})),
        (Method::DELETE, format!("/{id}/primary-quote/pin"), json!({})),
        (
            Method::POST,
            format!("/{id}/proposal"),
            json!({"proposal_id": proposal}),
        ),
        (Method::POST, format!("/{id}/complete"), json!({})),
        (Method::GET, format!("/{id}/timeline"), json!({})),
        (Method::POST, "/archive".to_owned(), json!({})),
    ] {
        call(method, path, body).await;
    }
    assert_eq!(
        call(Method::GET, format!("/{id}"), json!({})).await["status"],
        "completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_transaction_pooler_every_session_ends_the_same_and_no_statement_has_a_name() {
    let db = Db::new().await;
    let Some(pooler) = Pooler::start(&db).await else {
        return;
    };
    eventually(PATIENCE, "the pooler answers", async || {
        pooler.options().connect().await.ok()
    })
    .await;
    let url = pooler.url();
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("INGEST_TRANSACTION_POOLER", "true"),
        ("INGEST_POLL_INTERVAL", "100ms"),
    ];
    let receives = [("INGEST_ROLE", "receive"), ("INGEST_API_TOKENS", "app:write:a-token")];
    let receiver = Serve::start(&[&settings[..], &receives].concat()).await;
    let worker = Serve::start(&[&settings[..], &[("INGEST_ROLE", "work"), ("INGEST_WORKERS", "6")]].concat()).await;
    receiver.ready().await;
    worker.ready().await;

    let manifest = FixtureManifest::read(Path::new("fixtures")).unwrap();
    let seeded = SeededManifest::create(&db.pool, &manifest).await.unwrap();
    let replay = format!(
        "replay fixtures --wait --url http://{}/webhooks/avinode",
        receiver.address
    );
    let (code, said) = command(&url, &replay).await;
    assert_eq!(code, Some(0), "{said}");
    seeded.follow_up(&db.pool).await.unwrap();
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    let sessions = seeded.sessions(&db.pool).await.unwrap();
    assert_eq!(seeded.differences(&sessions), Vec::<String>::new());
    let (_, dead) = seeded.expected_jobs();
    let jobs = dead_jobs(&db.pool).await;
    assert_eq!(u64::try_from(jobs).unwrap(), dead);

    // It fails for one reason: the tests' cluster has fsync off.
    let (_, said) = command(&url, "check --listen 127.0.0.1:0").await;
    assert!(said.contains("\nok       pooler       a transaction pooler"), "{said}");
    assert_eq!(said.matches("\nFAILED ").count(), 1, "{said}");

    let deliveries: Vec<String> = sqlx::query_scalar("SELECT id::text FROM avinode_ingest.deliveries")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    for line in [
        "jobs list",
        "jobs retry --dead --yes",
        "jobs discard --dead --yes",
        "deliveries list",
        &format!("deliveries show {}", deliveries[0]),
        &format!("deliveries replay {}", deliveries.join(" ")),
    ] {
        let (code, said) = command(&url, line).await;
        assert_eq!(code, Some(0), "{line}: {said}");
    }
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    assert_eq!(
        seeded.differences(&seeded.sessions(&db.pool).await.unwrap()),
        Vec::<String>::new()
    );

    api(&receiver.address, &db).await;

    // Open at the same time, so that each is another one of the connections that were shared so far.
    let mut open = Vec::new();
    for _ in 0..SERVER_CONNECTIONS {
        let mut connection = pooler.options().connect().await.unwrap();
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
        open.push((names(&mut connection).await, connection));
    }
    let servers = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND application_name <> 'test' ORDER BY pid";
    let servers: Vec<i32> = sqlx::query_scalar(servers).fetch_all(&db.pool).await.unwrap();
    let mut seen: Vec<i32> = open.iter().map(|((server, _), _)| *server).collect();
    seen.sort_unstable();
    assert_eq!(seen, servers, "the service has connections of its own");
    for ((_, names), connection) in open {
        assert_eq!(names, 0);
        connection.close().await.unwrap();
    }
    for service in [receiver, worker] {
        let said = service.stop(Signal::SIGTERM, PATIENCE).await;
        assert!(!said.contains("prepared statement"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_pooler_is_detected_if_it_is_not_configured_and_refused_for_migrations() {
    let db = Db::new().await;
    let Some(pooler) = Pooler::start(&db).await else {
        return;
    };
    eventually(PATIENCE, "the pooler answers", async || {
        pooler.options().connect().await.ok()
    })
    .await;
    let url = pooler.url();
    let unset = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let mut check = Program::start("check", &unset);
    let status = check.ended(PATIENCE).await;
    assert_ne!(status.code(), Some(0));
    assert!(
        check.said().contains("INGEST_TRANSACTION_POOLER=true"),
        "{}",
        check.said()
    );
    for line in ["migrate", "serve --migrate --listen 127.0.0.1:0"] {
        let (code, said) = command(&url, line).await;
        assert_eq!(code, Some(64), "{line}: {said}");
        assert!(said.contains("direct connection"), "{line}: {said}");
    }
}
