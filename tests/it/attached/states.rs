//! An application that drops its session tracking while the service runs (state T), and one that keeps its sessions in `requests`
//! (state C).

use avinode_ingest::jobs::application_watch::{ApplicationWatch, TablesState};
use avinode_ingest::jobs::maintenance;
use avinode_ingest::service::ServiceSettings;
use serde_json::Value;

use crate::support::bodies::{base, quote_of};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::program;
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, count_and_primary, with_primary};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::{run_jobs, worker};

const MISSING: &str = "missing tables of the application: public.chat_sessions, public.conversations";
const IN_REQUESTS: &str =
    "the application keeps its sessions in public.requests, but this service tracks public.chat_sessions";
/// The tables that the application dropped.
const DROPPED: &str = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relname IN ('chat_sessions', 'conversations')";
/// Waiting jobs that used no attempt.
const WAITING: &str = "SELECT count(*) FROM avinode_ingest.jobs WHERE attempts = 0 AND lease_token IS NULL
    AND due_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 minute'";
const DUE_NOW: &str = "UPDATE avinode_ingest.jobs SET due_at = clock_timestamp()";

async fn step_until_nothing_is_due(db: &Db) {
    let worker = worker(&db.pool);
    while worker.step("w").await.unwrap().jobs > 0 {}
}

/// The detail `application` of `/readyz`, and whether the process is ready.
async fn readiness(service: &RunningService) -> (u16, String) {
    let url = format!("{}/readyz", service.base);
    let client = avinode_ingest::cli::replay::sender::client(&url).unwrap();
    let response = client.get(&url).send().await.unwrap();
    let status = response.status().as_u16();
    let report: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    (status, report["details"]["application"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_table_is_missing_deliveries_wait_without_attempts_and_are_matched_when_it_is_back() {
    let db = Db::attached().await;
    let before = SessionBuilder::of_trip("NEWTRIP").insert(&db.pool).await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
    assert_eq!(count_and_primary(&db.pool, before).await, with_primary(1, "q1"));
    let settings = ServiceSettings {
        workers: 0,
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    let mut watch = ApplicationWatch::new();
    assert_eq!(watch.look(&db.pool, true).await.unwrap(), TablesState::Complete);

    db.drop_sessions().await;
    let body = serde_json::to_vec(&quote_of("NEWTRIP", "q2", 1)).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
    store_deliveries(&db.pool, &[quote_of("NEWTRIP", "q3", 2)], base()).await;
    assert_eq!(watch.look(&db.pool, true).await.unwrap(), TablesState::Missing);
    assert_eq!(readiness(&service).await, (200, MISSING.to_owned()));
    for _ in 0..30 {
        step_until_nothing_is_due(&db).await;
        assert_eq!(count(&db.pool, WAITING).await, 2);
        db.run(DUE_NOW).await;
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    assert_eq!(output.code, Some(1));
    let (status, words) = output.of("application");
    assert_eq!(status, "failed", "{}", output.text);
    assert!(words.contains(MISSING), "{words}");
    let migrated = program::run_on(&db, &["migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.all());
    assert!(migrated.stdout.contains(MISSING), "{}", migrated.stdout);
    assert_eq!(count(&db.pool, DROPPED).await, 0, "nothing is created again");

    db.create_sessions_again().await;
    // A session that no trigger of ours sees.
    let early = SessionBuilder::of_trip("newtrip").insert(&db.pool).await;
    assert_eq!(watch.look(&db.pool, true).await.unwrap(), TablesState::Back);
    let later = SessionBuilder::of_trip("NEWTRIP").insert(&db.pool).await;
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    db.run(DUE_NOW).await;
    run_jobs(&db.pool).await;
    for session in [early, later] {
        assert_eq!(count_and_primary(&db.pool, session).await, with_primary(3, "q3"));
    }
    assert_eq!(watch.look(&db.pool, true).await.unwrap(), TablesState::Complete);
    assert_eq!(dead_jobs(&db.pool).await, 0);
    service.stop().await;

    // `migrate` builds the missing indexes.
    let indexes = "SELECT count(*) FROM pg_index WHERE indrelid = 'public.chat_sessions'::regclass AND indisvalid";
    assert_eq!(count(&db.pool, indexes).await, 1);
    assert_eq!(program::run_on(&db, &["migrate"]).await.code, Some(0));
    assert_eq!(count(&db.pool, indexes).await, 15);
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    assert_eq!(
        output.status("triggers") + &output.status("application"),
        "okok",
        "{}",
        output.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_in_requests_are_named_and_nothing_is_created_without_the_flag() {
    let db = Db::application_with_sessions_in_requests().await;
    let refused = program::run_on(&db, &["migrate"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.all());
    for words in [IN_REQUESTS, "--standalone-sessions"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'avinode_ingest'";
    assert_eq!((count(&db.pool, DROPPED).await, count(&db.pool, schema).await), (0, 0));
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    let (status, words) = output.of("application");
    assert!(status == "failed" && words.contains(IN_REQUESTS), "{}", output.text);
    let url = db.url();
    let serve = [
        ("DATABASE_URL", url.as_str()),
        ("AVINODE_WEBHOOK_SECRET", crate::support::service::SECRET),
        ("INGEST_LISTEN", "127.0.0.1:0"),
    ];
    // Without a schema, and with one that is not to be made.
    for (arguments, code) in [(&["serve"][..], 78), (&["serve", "--migrate"], 1)] {
        let refused = program::run(arguments, &serve).await;
        assert_eq!(refused.code, Some(code), "{}", refused.all());
        assert!(refused.all().contains(IN_REQUESTS), "{}", refused.all());
    }
    assert_eq!(count(&db.pool, DROPPED).await, 0);

    let migrated = program::run_on(&db, &["migrate", "--standalone-sessions"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.all());
    assert_eq!(count(&db.pool, DROPPED).await, 2);
    let session = SessionBuilder::of_trip("NEWTRIP").insert(&db.pool).await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
    assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_application_that_moves_its_sessions_into_requests_keeps_what_it_dropped_dropped() {
    let db = Db::attached().await;
    db.drop_sessions().await;
    db.move_sessions_into_requests().await;
    store_deliveries(&db.pool, &[quote_of("NEWTRIP", "q1", 0)], base()).await;
    step_until_nothing_is_due(&db).await;
    assert_eq!(count(&db.pool, WAITING).await, 1);
    let migrated = program::run_on(&db, &["migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.all());
    assert!(migrated.stdout.contains(IN_REQUESTS), "{}", migrated.stdout);
    assert_eq!(count(&db.pool, DROPPED).await, 0);

    let migrated = program::run_on(&db, &["migrate", "--standalone-sessions"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.all());
    assert_eq!(count(&db.pool, DROPPED).await, 2);
    let session = SessionBuilder::of_trip("NEWTRIP").insert(&db.pool).await;
    db.run(DUE_NOW).await;
    run_jobs(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    let whole = ["triggers", "application", "indexes", "rls"].map(|name| output.status(name));
    assert_eq!(whole, ["ok", "ok", "ok", "ok"], "{}", output.text);
}
