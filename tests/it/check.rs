//! `check` as an operator meets it: the real program, its lines and its exit code, on good and on broken databases.

use std::process::Command;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::election::Policy;
use avinode_ingest::service::Settings;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::bodies::{base, event};
use crate::support::cluster::Db;
use crate::support::service::{Running, SECRET, drain, keep, shift};

/// What `check --json` told.
struct Told {
    code: Option<i32>,
    checks: Vec<Value>,
    text: String,
}

impl Told {
    /// The verdicts of one thing tried, and what was found, joined.
    fn of(&self, check: &str) -> (String, String) {
        let of_it: Vec<&Value> = self.checks.iter().filter(|told| told["check"] == check).collect();
        let words = |key: &str| {
            let words = of_it.iter().filter_map(|told| told[key].as_str());
            words.collect::<Vec<_>>().join(" ")
        };
        (words("verdict"), format!("{} {}", words("found"), words("remedy")))
    }

    fn verdict(&self, check: &str) -> String {
        self.of(check).0
    }
}

/// Runs it with these variables only, on a free port and with a good secret unless they say otherwise.
async fn check(variables: &[(&str, &str)]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    command.args(["check", "--json"]).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
        .env("INGEST_LISTEN", "127.0.0.1:0")
        .env("AVINODE_WEBHOOK_SECRET", SECRET);
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(told["ok"].as_bool(), Some(output.status.success()));
    Told {
        code: output.status.code(),
        checks: told["checks"].as_array().unwrap().clone(),
        text,
    }
}

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
    let mut others = told.checks.iter().filter(|told| told["check"] != "durable");
    assert!(others.all(|told| told["verdict"] == "ok"), "{}", told.text);
    assert_eq!(told.checks.len(), 15, "{}", told.text);
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
    assert_eq!(verdict, "failed", "{}", told.text);
    assert!(
        words.contains(&format!("GRANT USAGE ON SCHEMA avinode_ingest TO \"{role}\"")),
        "{words}"
    );

    // What it names is what is missing.
    let remedy = words.split_once("as the owner: ").unwrap().1;
    sql(&db, remedy).await;
    let told = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(told.verdict("rights"), "ok", "{}", told.text);
    assert_eq!(told.verdict("rows"), "failed", "{}", told.text);
    assert!(told.of("rows").1.contains("public.chat_sessions"), "{}", told.text);

    sql(
        &db,
        &format!(
            "CREATE POLICY workers ON public.chat_sessions TO {role} USING (true);
             CREATE POLICY workers ON public.quotes TO {role} USING (true)"
        ),
    )
    .await;
    assert_eq!(check(&[("DATABASE_URL", &url)]).await.verdict("rows"), "ok");
    sql(
        &db,
        "DROP POLICY workers ON public.chat_sessions; DROP POLICY workers ON public.quotes",
    )
    .await;
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
    drain(&shift(&db.pool, Policy::Latest, Clock::Fixed(base())), "w").await;
    let (verdicts, words) = check(&[("DATABASE_URL", &db.url())]).await.of("jobs");
    assert_eq!(verdicts, "ok warning");
    assert!(words.contains("1 thin") && words.contains("1 dead"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_free_ours_or_somebody_elses() {
    let db = Db::new().await;
    let service = Running::start(&db.pool, Settings::default()).await;
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
