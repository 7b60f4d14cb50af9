//! `check` as an operator meets it: the real program, its lines and its exit code, on good and on broken databases.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::service::ServiceSettings;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::bodies::{at, base, event, quote};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::service::{Running, drain, keep, shift};

async fn sql(db: &Db, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&db.pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_postgres_passes_before_its_first_migration() {
    let folder = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
    // For root the database is run by another user, who has to get there.
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let home = folder.path().join("home");
    let told = check(&[("INGEST_DATA_DIR", home.to_str().unwrap())]).await;
    assert_eq!(told.code, Some(0), "{}", told.text);
    for thing in [
        "settings", "secrets", "port", "programs", "database", "durable", "schema",
    ] {
        assert_eq!(told.verdict(thing), "ok", "{thing}: {}", told.text);
    }
    assert!(told.of("schema").1.contains("serve will migrate it"), "{}", told.text);
    assert!(
        told.of("database").1.contains("started for this check"),
        "{}",
        told.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_sync_fails_and_all_else_is_ok() {
    let db = Db::new().await;
    let told = check(&[("DATABASE_URL", &db.url())]).await;
    assert_eq!(told.code, Some(1), "{}", told.text);
    // The tests' cluster runs without fsync.
    assert_eq!(told.verdict("durable"), "failed", "{}", told.text);
    // Nor are there credentials of the API.
    let mut others = (told.checks.iter()).filter(|told| told["check"] != "durable" && told["check"] != "avinode");
    assert!(others.all(|told| told["verdict"] == "ok"), "{}", told.text);
    assert_eq!(told.checks.len(), 18, "{}", told.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_our_schema_is_to_be_migrated_and_no_more_is_asked_of_it() {
    let db = Db::empty().await;
    let told = check(&[("DATABASE_URL", &db.url())]).await;
    let (verdict, words) = told.of("schema");
    assert_eq!(verdict, "failed");
    assert!(
        words.contains("not migrated yet") && words.contains("migrate"),
        "{words}"
    );
    assert_eq!(told.verdict("rights"), "");
    let told = check(&[("DATABASE_URL", &db.url()), ("INGEST_MIGRATE", "yes")]).await;
    assert_eq!(told.verdict("schema"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_write_or_sees_no_rows_fails_with_the_remedy() {
    let db = Db::new().await;
    let role = format!("worker_{}", Uuid::now_v7().simple());
    sql(&db, &format!("CREATE ROLE {role} LOGIN")).await;
    let url = db.url().replace("user=avinode", &format!("user={role}"));
    let told = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(told.code, Some(1), "{}", told.text);
    assert_eq!(told.verdict("schema"), "failed", "{}", told.text);
    let (verdict, words) = told.of("rights");
    assert!(verdict.starts_with("failed failed"), "{}", told.text);
    assert!(
        words.contains(&format!("GRANT USAGE ON SCHEMA avinode_ingest TO \"{role}\"")),
        "{words}"
    );

    // What it names is what is missing, and each in a line of its own.
    assert!(words.contains("it cannot show a quote to the application"), "{words}");
    sql(&db, &told.grants()).await;
    let told = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(told.verdict("rights"), "ok", "{}", told.text);
    assert_eq!(told.verdict("rows"), "failed", "{}", told.text);
    assert!(told.of("rows").1.contains("public.chat_sessions"), "{}", told.text);

    let tables = [
        "chat_sessions",
        "quotes",
        "conversations",
        "requests",
        "iso_agents",
        "proposals",
    ];
    for table in tables {
        assert!(told.of("rows").1.contains(table), "{table}: {}", told.text);
        sql(
            &db,
            &format!("CREATE POLICY workers ON public.{table} TO {role} USING (true)"),
        )
        .await;
    }
    assert_eq!(check(&[("DATABASE_URL", &url)]).await.verdict("rows"), "ok");
    // Another that takes rows away again.
    sql(
        &db,
        "CREATE POLICY fewer ON public.quotes AS RESTRICTIVE USING (status <> 'rejected')",
    )
    .await;
    let told = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(told.verdict("rows"), "failed", "{}", told.text);
    for table in tables {
        sql(&db, &format!("DROP POLICY workers ON public.{table}")).await;
    }
    sql(&db, &format!("ALTER ROLE {role} BYPASSRLS")).await;
    assert_eq!(check(&[("DATABASE_URL", &url)]).await.verdict("rows"), "ok");
    sql(&db, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_trigger_fails_an_invalid_index_and_a_hasty_deadlock_timeout_warn() {
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
    let told = check(&[("DATABASE_URL", &db.url())]).await;
    let (verdict, words) = told.of("triggers");
    assert_eq!(verdict, "failed");
    assert!(
        words.contains("avinode_ingest_session_inserted is missing")
            && words.contains("avinode_ingest_session_updated is disabled"),
        "{words}"
    );
    let (verdict, words) = told.of("indexes");
    assert_eq!(verdict, "warning");
    assert!(
        words.contains("REINDEX INDEX CONCURRENTLY public.chat_sessions_by_trip"),
        "{words}"
    );
    assert_eq!(told.verdict("locks"), "warning");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_writes_fails() {
    let db = Db::new().await;
    let read_only = "ALTER DATABASE %I SET default_transaction_read_only = on";
    sql(
        &db,
        &format!("DO $$ BEGIN EXECUTE format('{read_only}', current_database()); END $$"),
    )
    .await;
    assert_eq!(check(&[("DATABASE_URL", &db.url())]).await.verdict("server"), "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_and_what_is_dead_is_counted() {
    let db = Db::new().await;
    let thin = json!({"id": "arfq-1", "href": "https://sandbox.avinode.com/api/rfqs/arfq-1", "type": "Rfqs"});
    let unknown = event("TripSomethingNew", "evt-1", 0, json!({}));
    keep(&db.pool, &[thin, unknown], base()).await;
    drain(&shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), "w").await;
    let (verdicts, words) = check(&[("DATABASE_URL", &db.url())]).await.of("jobs");
    assert_eq!(verdicts, "warning warning");
    assert!(
        words.contains("1 wait to be fetched") && words.contains("1 dead"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_free_ours_or_somebody_elses() {
    let db = Db::new().await;
    let service = Running::start(&db.pool, ServiceSettings::default()).await;
    let ours = service.base.trim_start_matches("http://").to_owned();
    let told = check(&[("DATABASE_URL", &db.url()), ("INGEST_LISTEN", &ours)]).await;
    assert_eq!(told.verdict("port"), "warning", "{}", told.text);
    service.stop().await;

    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = foreign.local_addr().unwrap().to_string();
    let told = check(&[("DATABASE_URL", &db.url()), ("INGEST_LISTEN", &address)]).await;
    assert_eq!(
        (told.code, told.verdict("port").as_str()),
        (Some(69), "failed"),
        "{}",
        told.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_are_those_of_serve() {
    let db = Db::new().await;
    let nowhere = db.url().replacen("test_", "nowhere_", 1);
    let told = check(&[("DATABASE_URL", &nowhere)]).await;
    assert_eq!(
        (told.code, told.verdict("database").as_str()),
        (Some(69), "failed"),
        "{}",
        told.text
    );
    let told = check(&[("DATABASE_URL", &db.url()), ("AVINODE_WEBHOOK_SECRET", "")]).await;
    assert_eq!(
        (told.code, told.verdict("settings").as_str()),
        (Some(64), "failed"),
        "{}",
        told.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn short_secrets_are_told_by_their_place_and_no_secret_is_shown() {
    let db = Db::new().await;
    let told = check(&[
        ("DATABASE_URL", &db.url()),
        ("AVINODE_WEBHOOK_SECRET", "a-good-long-secret-hush,hush"),
        ("AVINODE_WEBHOOK_BASIC", "an-identifier-that-is-long:hush"),
        ("INGEST_API_TOKENS", "operations:write:hush"),
    ])
    .await;
    let (verdicts, words) = told.of("secrets");
    assert_eq!(verdicts, "ok warning warning warning");
    assert!(
        words.contains("HMAC 2, Standard Webhooks 0, Basic 1, API tokens 1"),
        "{words}"
    );
    assert!(
        words.contains("AVINODE_WEBHOOK_SECRET: entry 2 is shorter than 16"),
        "{words}"
    );
    assert!(!told.text.contains("hush"), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_that_are_not_shown_are_counted_by_what_is_missing() {
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
    keep(&db.pool, &bodies, base()).await;
    drain(&shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), "w").await;
    keep(&db.pool, &[priceless], base()).await;
    drain(&shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), "w").await;
    let told = check(&[("DATABASE_URL", &db.url())]).await;
    let (verdicts, words) = told.of("quotes");
    for some in [
        "1 wait for a session with the id of their trip or RFQ",
        "1 are counted and wait for a request",
        "1 have no price",
        "1 show an older price",
        "refused 1, for example with: new row for relation",
    ] {
        assert!(words.contains(some), "{some}: {words}");
    }
    assert_eq!(verdicts.split(' ').filter(|verdict| *verdict == "warning").count(), 1);
    assert_eq!(told.verdict("columns"), "ok");

    sql(
        &db,
        "ALTER TABLE public.quotes ADD COLUMN broker_note text;
         UPDATE public.quotes SET broker_note = '';
         ALTER TABLE public.quotes ALTER COLUMN broker_note SET NOT NULL;
         ALTER TYPE public.quote_status RENAME VALUE 'received' TO 'came_in'",
    )
    .await;
    let (verdict, words) = check(&[("DATABASE_URL", &db.url())]).await.of("columns");
    assert_eq!(verdict, "failed");
    assert!(
        words.contains("broker_note must be filled and has no default, status has no value received"),
        "{words}"
    );
}
