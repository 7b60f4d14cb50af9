//! Conditions under which `serve` does not start, each with one line and an exit code.

use sqlx::Executor;

use super::program::{Program, Serve};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::service::SECRET;
use crate::support::sql::count;

/// Starts `serve`, waits for its end, and returns its exit code and its last line.
async fn refused(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut program = Program::start("serve --listen 127.0.0.1:0", variables);
    let status = program.ended(PATIENCE).await;
    let line = program.line("error: ").await;
    (status.code(), line)
}

async fn version(db: &Db) -> i64 {
    sqlx::query_scalar("SELECT max(version) FROM avinode_ingest.schema_migrations")
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_schema_is_refused_and_untouched_and_migrated_on_request() {
    let db = Db::empty().await;
    let url = db.url();
    let settings = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let (code, line) = refused(&settings).await;
    assert_eq!(code, Some(78), "{line}");
    assert!(line.contains("no schema yet") && line.contains("--migrate"), "{line}");
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'avinode_ingest'";
    let schemas = count(&db.pool, schemas).await;
    assert_eq!(schemas, 0);

    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_MIGRATE", "true")]).await;
    service.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_refused_and_migrated_on_request() {
    let db = Db::new().await;
    let newest = version(&db).await;
    // As the release before the last migration left it.
    let undone = "DELETE FROM avinode_ingest.schema_migrations WHERE version =
        (SELECT max(version) FROM avinode_ingest.schema_migrations)";
    (&db.pool).execute(undone).await.unwrap();
    let applied = version(&db).await;
    let url = db.url();
    let settings = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let (code, line) = refused(&settings).await;
    assert_eq!(code, Some(78), "{line}");
    assert!(line.contains("older than this program"), "{line}");
    assert!(line.contains(&format!("migration {applied} of {newest}")), "{line}");
    assert!(line.contains("--migrate"), "{line}");

    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_MIGRATE", "true")]).await;
    service.ready().await;
    assert_eq!(version(&db).await, newest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_migrated_before_the_first_release_is_refused_with_and_without_migrating() {
    let db = Db::new().await;
    let earlier = "UPDATE avinode_ingest.schema_migrations SET description = 'create our schema' WHERE version = 1";
    (&db.pool).execute(earlier).await.unwrap();
    let url = db.url();
    for migrate in ["false", "true"] {
        let (code, line) = refused(&[
            ("DATABASE_URL", &url),
            ("AVINODE_WEBHOOK_SECRET", SECRET),
            ("INGEST_MIGRATE", migrate),
        ])
        .await;
        assert_eq!(code, Some(78), "{line}");
        assert!(line.contains("before the first release"), "{line}");
        assert!(line.contains("create the database again"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_webhook_authentication_does_not_start() {
    for variables in [
        &[][..],
        &[("AVINODE_WEBHOOK_SECRET", "")],
        &[("AVINODE_WEBHOOK_SECRET", " , ")],
    ] {
        let (code, line) = refused(variables).await;
        assert_eq!(code, Some(64), "{line}");
        assert!(line.contains("AVINODE_WEBHOOK_SECRET"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_and_a_missing_database_are_refused() {
    let db = Db::new().await;
    let url = db.url();
    let first = Serve::start(&[("DATABASE_URL", &url)]).await;
    let taken = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let mut second = Program::start(&format!("serve --listen {}", first.address), &taken);
    assert_eq!(second.ended(PATIENCE).await.code(), Some(69));
    let line = second.line("error: ").await;
    assert!(
        line.contains(&first.address) && line.contains("INGEST_LISTEN"),
        "{line}"
    );

    let nowhere = "postgres://nobody:hush@127.0.0.1:1/nothing";
    let (code, line) = refused(&[("DATABASE_URL", nowhere), ("AVINODE_WEBHOOK_SECRET", SECRET)]).await;
    assert_eq!(code, Some(69), "{line}");
    assert!(line.contains("DATABASE_URL") && !line.contains("hush"), "{line}");
}
