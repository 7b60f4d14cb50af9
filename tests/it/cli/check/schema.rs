//! The server, the schema and its objects.

use crate::support::check_command::check;
use crate::support::cluster::Db;

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
    assert_eq!(output.checks.len(), 22, "{}", output.text);
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
async fn a_disabled_trigger_fails_an_invalid_index_and_a_short_deadlock_timeout_warn() {
    let db = Db::new().await;
    let statements = [
        "ALTER TABLE public.chat_sessions DISABLE TRIGGER avinode_ingest_session_updated",
        "DROP TRIGGER avinode_ingest_session_inserted ON public.chat_sessions",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.chat_sessions_by_trip'::regclass",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 200', current_database()); END $$",
    ];
    for statement in statements {
        db.run(statement).await;
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
    db.run(&format!(
        "DO $$ BEGIN EXECUTE format('{read_only}', current_database()); END $$"
    ))
    .await;
    assert_eq!(check(&[("DATABASE_URL", &db.url())]).await.status("server"), "failed");
}
