//! `check` as an admin runs it: the real program, its lines and its exit code, on good and on broken databases.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use avinode_ingest::postgres::data_dir::ClusterHome;
use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use avinode_ingest::service::ServiceSettings;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::bodies::{at, base, event, quote};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::service::RunningService;
use crate::support::worker::run_jobs;

async fn sql(db: &Db, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&db.pool)
        .await
        .unwrap();
}

/// Every path below a directory, with what a write would change.
fn listing(directory: &Path) -> Vec<(PathBuf, u64, i64, i64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let data = entry.metadata().unwrap();
        found.push((entry.path(), data.size(), data.mtime(), data.mtime_nsec()));
        if data.is_dir() {
            found.extend(listing(&entry.path()));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn check_writes_nothing_where_the_private_postgres_is_missing_or_not_running() {
    let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
    // Another user runs the database of root, and has to enter the directory.
    std::fs::set_permissions(parent.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let home = parent.path().join("home");
    let checked = async || {
        let before = listing(parent.path());
        let output = check(&[("INGEST_DATA_DIR", home.to_str().unwrap())]).await;
        assert_eq!(listing(parent.path()), before, "{}", output.text);
        output
    };

    let output = checked().await;
    assert_eq!(output.code, Some(0), "{}", output.text);
    for check in ["settings", "secrets", "port", "programs", "database", "schema"] {
        assert_eq!(output.status(check), "ok", "{check}: {}", output.text);
    }
    let (_, message) = output.of("database");
    let expected = format!("serve will create a private Postgres in {}", home.display());
    assert!(message.contains(&expected), "{message}");
    assert!(!home.exists());

    let start = || {
        EmbeddedPostgres::start(EmbeddedOptions {
            bin_dir: None,
            home: ClusterHome::Persistent(home.clone()),
            settings: Vec::new(),
        })
    };
    let postgres = start().await.unwrap();
    postgres.create_database("avinode_ingest").await.unwrap();
    let running = check(&[("INGEST_DATA_DIR", home.to_str().unwrap())]).await;
    assert_eq!(running.code, Some(0), "{}", running.text);
    assert!(
        running.of("database").1.contains("of the running service"),
        "{}",
        running.text
    );
    assert!(
        running.of("schema").1.contains("serve will migrate it"),
        "{}",
        running.text
    );
    assert_eq!(running.status("durability"), "ok", "{}", running.text);
    postgres.stop().await.unwrap();

    let output = checked().await;
    assert_eq!(output.code, Some(0), "{}", output.text);
    assert!(output.of("database").1.contains("is not running"), "{}", output.text);
    assert_eq!(output.status("schema"), "warning", "{}", output.text);

    std::fs::remove_dir_all(&home).unwrap();
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("a file of another program"), "").unwrap();
    let output = checked().await;
    assert_eq!(
        (output.code, output.status("database").as_str()),
        (Some(69), "failed"),
        "{}",
        output.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_fsync_fails_and_all_else_is_ok() {
    let db = Db::new().await;
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    assert_eq!(output.code, Some(1), "{}", output.text);
    // The tests' cluster runs without fsync.
    assert_eq!(output.status("durability"), "failed", "{}", output.text);
    // Nor are there credentials of the API.
    let mut others =
        (output.checks.iter()).filter(|result| result["check"] != "durability" && result["check"] != "avinode");
    assert!(others.all(|result| result["status"] == "ok"), "{}", output.text);
    assert_eq!(output.checks.len(), 18, "{}", output.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_our_schema_must_be_migrated_and_is_not_checked_further() {
    let db = Db::empty().await;
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    let (status, words) = output.of("schema");
    assert_eq!(status, "failed");
    assert!(
        words.contains("not migrated yet") && words.contains("migrate"),
        "{words}"
    );
    assert_eq!(output.status("privileges"), "");
    let output = check(&[("DATABASE_URL", &db.url()), ("INGEST_MIGRATE", "yes")]).await;
    assert_eq!(output.status("schema"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_privileges_or_visible_rows_fails_with_the_remedy() {
    let db = Db::new().await;
    let role = format!("worker_{}", Uuid::now_v7().simple());
    sql(&db, &format!("CREATE ROLE {role} LOGIN")).await;
    let url = db.url().replace("user=avinode", &format!("user={role}"));
    let output = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(output.code, Some(1), "{}", output.text);
    assert_eq!(output.status("schema"), "failed", "{}", output.text);
    let (status, words) = output.of("privileges");
    assert!(status.starts_with("failed failed"), "{}", output.text);
    assert!(
        words.contains(&format!("GRANT USAGE ON SCHEMA avinode_ingest TO \"{role}\"")),
        "{words}"
    );

    // The GRANTs that it names are all that is missing.
    assert!(words.contains("it cannot show quotes to the application"), "{words}");
    sql(&db, &output.grants()).await;
    let output = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(output.status("privileges"), "ok", "{}", output.text);
    assert_eq!(output.status("rls"), "failed", "{}", output.text);
    assert!(output.of("rls").1.contains("public.chat_sessions"), "{}", output.text);

    let tables = [
        "chat_sessions",
        "quotes",
        "conversations",
        "requests",
        "iso_agents",
        "proposals",
    ];
    for table in tables {
        assert!(output.of("rls").1.contains(table), "{table}: {}", output.text);
        sql(
            &db,
            &format!("CREATE POLICY workers ON public.{table} TO {role} USING (true)"),
        )
        .await;
    }
    assert_eq!(check(&[("DATABASE_URL", &url)]).await.status("rls"), "ok");
    // A restrictive policy hides rows again.
    sql(
        &db,
        "CREATE POLICY fewer ON public.quotes AS RESTRICTIVE USING (status <> 'rejected')",
    )
    .await;
    let output = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(output.status("rls"), "failed", "{}", output.text);
    for table in tables {
        sql(&db, &format!("DROP POLICY workers ON public.{table}")).await;
    }
    sql(&db, &format!("ALTER ROLE {role} BYPASSRLS")).await;
    assert_eq!(check(&[("DATABASE_URL", &url)]).await.status("rls"), "ok");
    sql(&db, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_trigger_fails_an_invalid_index_and_a_short_deadlock_timeout_warn() {
    let db = Db::new().await;
    let statements = [
        "ALTER TABLE public.chat_sessions DISABLE TRIGGER avinode_ingest_session_updated",
        "DROP TRIGGER avinode_ingest_session_inserted ON public.chat_sessions",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.chat_sessions_by_trip'::regclass",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 200', current_database()); END $$",
    ];
    for statement in statements {
        sql(&db, statement).await;
    }
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    let (status, words) = output.of("triggers");
    assert_eq!(status, "failed");
    assert!(
        words.contains("avinode_ingest_session_inserted is missing")
            && words.contains("avinode_ingest_session_updated is disabled"),
        "{words}"
    );
    let (status, words) = output.of("indexes");
    assert_eq!(status, "warning");
    assert!(
        words.contains("REINDEX INDEX CONCURRENTLY public.chat_sessions_by_trip"),
        "{words}"
    );
    assert_eq!(output.status("locks"), "warning");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_fails() {
    let db = Db::new().await;
    let read_only = "ALTER DATABASE %I SET default_transaction_read_only = on";
    sql(
        &db,
        &format!("DO $$ BEGIN EXECUTE format('{read_only}', current_database()); END $$"),
    )
    .await;
    assert_eq!(check(&[("DATABASE_URL", &db.url())]).await.status("server"), "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_and_dead_jobs_are_counted() {
    let db = Db::new().await;
    let thin = json!({"id": "arfq-1", "href": "https://sandbox.avinode.com/api/rfqs/arfq-1", "type": "Rfqs"});
    let unknown = event("TripSomethingNew", "evt-1", 0, json!({}));
    store_deliveries(&db.pool, &[thin, unknown], base()).await;
    run_jobs(&db.pool).await;
    let (statuses, words) = check(&[("DATABASE_URL", &db.url())]).await.of("jobs");
    assert_eq!(statuses, "warning warning");
    assert!(
        words.contains("1 wait to be fetched") && words.contains("1 dead"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_free_or_of_this_program_or_of_another() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let ours = service.base.trim_start_matches("http://").to_owned();
    let output = check(&[("DATABASE_URL", &db.url()), ("INGEST_LISTEN", &ours)]).await;
    assert_eq!(output.status("port"), "warning", "{}", output.text);
    service.stop().await;

    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = foreign.local_addr().unwrap().to_string();
    let output = check(&[("DATABASE_URL", &db.url()), ("INGEST_LISTEN", &address)]).await;
    assert_eq!(
        (output.code, output.status("port").as_str()),
        (Some(69), "failed"),
        "{}",
        output.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_are_those_of_serve() {
    let db = Db::new().await;
    let nowhere = db.url().replacen("test_", "nowhere_", 1);
    let output = check(&[("DATABASE_URL", &nowhere)]).await;
    assert_eq!(
        (output.code, output.status("database").as_str()),
        (Some(69), "failed"),
        "{}",
        output.text
    );
    let output = check(&[("DATABASE_URL", &db.url()), ("AVINODE_WEBHOOK_SECRET", "")]).await;
    assert_eq!(
        (output.code, output.status("settings").as_str()),
        (Some(64), "failed"),
        "{}",
        output.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn short_secrets_are_named_by_their_entry_and_no_secret_is_shown() {
    let db = Db::new().await;
    let output = check(&[
        ("DATABASE_URL", &db.url()),
        ("AVINODE_WEBHOOK_SECRET", "a-good-long-secret-hush,hush"),
        ("AVINODE_WEBHOOK_BASIC", "an-identifier-that-is-long:hush"),
        ("INGEST_API_TOKENS", "operations:write:hush"),
    ])
    .await;
    let (statuses, words) = output.of("secrets");
    assert_eq!(statuses, "ok warning warning warning");
    assert!(
        words.contains("HMAC 2, Standard Webhooks 0, Basic 1, API tokens 1"),
        "{words}"
    );
    assert!(
        words.contains("AVINODE_WEBHOOK_SECRET: entry 2 is shorter than 16"),
        "{words}"
    );
    assert!(!output.text.contains("hush"), "{}", output.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn unprojected_quotes_are_counted_by_reason() {
    let db = Db::attached().await;
    let body = |event: &str, trip: &str, id: &str, price: &str| quote(event, trip, "arfq-1", id, 0, price, "USD");
    let mut priceless = body("evt-5", "64956151", "aquote-5", "1");
    priceless["timestamp"] = at(1).into();
    priceless["data"]["quote"].as_object_mut().unwrap().remove("totalPrice");
    sql(
        &db,
        "ALTER TABLE public.quotes ADD CHECK (total_price <> 666) NOT VALID",
    )
    .await;
    let bodies = [
        body("evt-1", "NOBODYS", "aquote-1", "9000"),
        body("evt-2", "4ND3C3", "aquote-2", "9000"),
        body("evt-3", "64956151", "aquote-3", "0"),
        body("evt-4", "64956151", "aquote-4", "9000"),
        body("evt-5a", "64956151", "aquote-5", "9000"),
        body("evt-6", "64956151", "aquote-6", "666"),
    ];
    store_deliveries(&db.pool, &bodies, base()).await;
    run_jobs(&db.pool).await;
    store_deliveries(&db.pool, &[priceless], base()).await;
    run_jobs(&db.pool).await;
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    let (statuses, words) = output.of("quotes");
    for some in [
        "1 wait for a session with the id of their trip or RFQ",
        "1 are counted and wait for a request",
        "1 have no price",
        "1 show an older price",
        "rejected 1, for example with: new row for relation",
    ] {
        assert!(words.contains(some), "{some}: {words}");
    }
    assert_eq!(statuses.split(' ').filter(|status| *status == "warning").count(), 1);
    assert_eq!(output.status("columns"), "ok");

    sql(
        &db,
        "ALTER TABLE public.quotes ADD COLUMN broker_note text;
         UPDATE public.quotes SET broker_note = '';
         ALTER TABLE public.quotes ALTER COLUMN broker_note SET NOT NULL;
         ALTER TYPE public.quote_status RENAME VALUE 'received' TO 'came_in'",
    )
    .await;
    let (status, words) = check(&[("DATABASE_URL", &db.url())]).await.of("columns");
    assert_eq!(status, "failed");
    assert!(
        words.contains("broker_note must be filled and has no default, status has no value received"),
        "{words}"
    );
}
