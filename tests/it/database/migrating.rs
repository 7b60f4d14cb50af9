//! Migrations while other processes migrate, and while the application writes.

use std::time::{Duration, Instant};

use avinode_ingest::postgres::migrator;
use avinode_ingest::postgres::migrator::error::MigrateError;
use avinode_ingest::postgres::migrator::status::SchemaStatus;

use crate::attached::migration::dump;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::race::delay_one_side;
use crate::support::sql::count;

const INVALID: &str = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
/// The index that waits for a transaction that wrote sessions; the one of another table is invalid for a moment only.
const INVALID_ON_SESSIONS: &str =
    "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid = 'public.chat_sessions'::regclass";
const BUILDING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
    AND query LIKE '%CREATE INDEX CONCURRENTLY%' AND query NOT LIKE '%pg_stat_activity%'";

async fn until(pool: &Pool, query: &'static str, wanted: i64) {
    eventually(PATIENCE, query, async || equal(count(pool, query).await, wanted)).await;
}

async fn assert_whole(db: &Db) {
    let status = migrator::status::schema_status(&db.pool).await.unwrap();
    assert!(matches!(status, SchemaStatus::Current { .. }), "{status:?}");
    assert_eq!(count(&db.pool, INVALID).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_migrations_take_turns() {
    for _ in 0..3 {
        let db = Db::application().await;
        let (one, two, three) = tokio::join!(
            migrator::migrate(&db.options),
            migrator::migrate(&db.options),
            migrator::migrate(&db.options),
        );
        let applied = [one.unwrap(), two.unwrap(), three.unwrap()].concat();
        assert_eq!(applied.len(), migrator::known::MIGRATOR.iter().count());
        assert_whole(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_build_that_was_interrupted_is_repaired_by_the_next_migration() {
    let db = Db::application().await;
    // The index build waits for an open transaction of the application.
    let mut application = db.pool.application().await;
    sqlx::raw_sql("UPDATE public.chat_sessions SET message_count = 1")
        .execute(&mut *application)
        .await
        .unwrap();
    let options = db.options.clone();
    let migration = tokio::spawn(async move { migrator::migrate(&options).await });
    until(&db.pool, INVALID_ON_SESSIONS, 1).await;
    assert_eq!(count(&db.pool, BUILDING).await, 1);
    migration.abort();
    // The server notices that its client is gone, and cancels the build.
    until(&db.pool, BUILDING, 0).await;
    assert_eq!(count(&db.pool, INVALID).await, 1);
    application.commit().await.unwrap();
    migrator::migrate(&db.options).await.unwrap();
    assert_whole(&db).await;

    // The index of an applied migration is rebuilt.
    db.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.chat_sessions_normal_trip_id'::regclass")
        .await;
    assert_eq!(migrator::migrate(&db.options).await.unwrap(), []);
    assert_whole(&db).await;
}

/// Writes to a table of the application repeatedly; returns the time of the slowest write.
async fn write_until_done(pool: &Pool, write: &'static str, done: &std::sync::atomic::AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !done.load(std::sync::atomic::Ordering::Relaxed) {
        let begun = Instant::now();
        sqlx::raw_sql(write).execute(pool).await.unwrap();
        longest = longest.max(begun.elapsed());
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_transaction_of_the_application_delays_the_migration_but_no_other_write() {
    for (db, write) in [
        // The migration builds an index on sessions, or creates a table with references to conversations.
        (
            Db::application().await,
            "UPDATE public.chat_sessions SET message_count = 2 WHERE message_count = 4",
        ),
        (
            Db::application_without_sessions().await,
            "UPDATE public.conversations SET last_message_at = now() WHERE subject = 'Luton to Nice'",
        ),
    ] {
        let mut application = db.pool.application().await;
        sqlx::raw_sql("UPDATE public.conversations SET subject = 'Busy' WHERE subject = 'Zurich to Palma'")
            .execute(&mut *application)
            .await
            .unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        let begun = Instant::now();
        let (longest, ()) = tokio::join!(write_until_done(&db.pool, write, &done), async {
            let migrating = migrator::migrate(&db.options);
            let finishing = async {
                // Longer than several lock timeouts of the migration (700 ms each).
                delay_one_side(Duration::from_secs(3)).await;
                application.commit().await.unwrap();
            };
            let (migrated, ()) = tokio::join!(migrating, finishing);
            migrated.unwrap();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert!(begun.elapsed() > Duration::from_secs(3));
        // A migration waits for a lock for 700 ms; the rest is for a slow machine.
        assert!(longest < Duration::from_millis(1500), "{longest:?}");
        assert_whole(&db).await;
    }
}

/// The schema as a version before the first release left it: its bookkeeping, and deliveries that it received.
const PRE_RELEASE: &str = "
    CREATE SCHEMA avinode_ingest;
    CREATE TABLE avinode_ingest.schema_migrations (
        version bigint PRIMARY KEY,
        description text NOT NULL,
        installed_on timestamptz NOT NULL DEFAULT now(),
        success boolean NOT NULL,
        checksum bytea NOT NULL,
        execution_time bigint NOT NULL
    );
    INSERT INTO avinode_ingest.schema_migrations (version, description, success, checksum, execution_time)
    VALUES (1, 'create our schema', true, '\\x01', 1);
    CREATE TABLE avinode_ingest.deliveries (id uuid PRIMARY KEY, body bytea NOT NULL);
    INSERT INTO avinode_ingest.deliveries VALUES (gen_random_uuid(), '{}');";
const PRE_RELEASE_WHOLE: &str = "
    INSERT INTO avinode_ingest.schema_migrations (version, description, success, checksum, execution_time)
    VALUES (2, 'create missing application tables', true, '\\x02', 1),
        (59, 'documents are told apart by what they say', true, '\\x59', 1)";
const PRE_RELEASE_CUT_SHORT: &str = "
    INSERT INTO avinode_ingest.schema_migrations (version, description, success, checksum, execution_time)
    VALUES (27, 'adopt existing sessions', false, '\\x27', 1)";

#[tokio::test(flavor = "multi_thread")]
async fn a_database_migrated_before_the_first_release_is_refused_and_untouched() {
    for rest in ["", PRE_RELEASE_WHOLE, PRE_RELEASE_CUT_SHORT] {
        let db = Db::application().await;
        db.run(PRE_RELEASE).await;
        db.run(rest).await;
        let everything = ["--schema=avinode_ingest", "--inserts"];
        let before = dump(&db, &everything);
        assert_eq!(
            migrator::status::schema_status(&db.pool).await.unwrap(),
            SchemaStatus::PreRelease
        );
        let refused = migrator::migrate(&db.options).await.unwrap_err();
        assert!(matches!(refused, MigrateError::PreRelease), "{refused}");
        let message = refused.to_string();
        assert!(message.contains("create the database again"), "{message}");
        assert!(message.contains("the schema avinode_ingest"), "{message}");
        assert_eq!(dump(&db, &everything), before);

        // The way that the message names, where the application has a chat_sessions of its own.
        db.run("DROP SCHEMA avinode_ingest CASCADE").await;
        migrator::migrate(&db.options).await.unwrap();
        assert_whole(&db).await;
    }
}
