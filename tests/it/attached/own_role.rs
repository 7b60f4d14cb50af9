//! The service with a role of its own, which owns none of the application's tables and is not a superuser: the privileges in
//! docs/existing-database.md are those that `check` requires, and they are enough.

use std::path::Path;

use avinode_ingest::cli::fixture_run::SeededManifest;
use avinode_ingest::cli::fixtures;
use avinode_ingest::cli::manifest::FixtureManifest;
use avinode_ingest::clock::Clock;
use avinode_ingest::jobs::maintenance;
use avinode_ingest::postgres::diagnostics;
use avinode_ingest::service::ServiceSettings;
use chrono::Utc;
use serde_json::Value;
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::bodies::quote;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{equal, eventually};
use crate::support::partitions;
use crate::support::pool::Pool;
use crate::support::postgrest::Postgrest;
use crate::support::retention;
use crate::support::service::RunningService;
use crate::support::service_role;
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::{run_until_idle, worker_at};

/// An expired partition, and the first one after it.
const OLD_PARTITION: &str = "
    DO $$
    DECLARE
        past record;
    BEGIN
        SELECT * INTO past FROM avinode_ingest.delivery_partitions() WHERE NOT is_default AND lower_id IS NULL;
        EXECUTE format('ALTER TABLE avinode_ingest.deliveries DETACH PARTITION avinode_ingest.%I', past.name);
        CREATE TABLE avinode_ingest.deliveries_2020_01 PARTITION OF avinode_ingest.deliveries
            FOR VALUES FROM (MINVALUE) TO ('0170a000-0000-0000-0000-000000000000');
        EXECUTE format('ALTER TABLE avinode_ingest.deliveries ATTACH PARTITION avinode_ingest.%I
            FOR VALUES FROM (''0170a000-0000-0000-0000-000000000000'') TO (%L)', past.name, past.upper_id);
    END
    $$";

/// Creates a role with only LOGIN and BYPASSRLS, and returns its name and database URL.
async fn role(db: &Db) -> (String, String) {
    let role = format!("service_{}", Uuid::now_v7().simple());
    db.run(&format!("CREATE ROLE {role} LOGIN BYPASSRLS")).await;
    let url = db.url().replace("user=avinode", &format!("user={role}"));
    (role, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_documented_privileges_check_passes_and_everything_works() {
    let db = Db::attached().await;
    let (role, url) = service_role::create(&db).await;
    let after = check(&[("DATABASE_URL", &url)]).await;
    for thing in [
        "schema",
        "privileges",
        "rls",
        "triggers",
        "indexes",
        "columns",
        "jobs",
        "quotes",
    ] {
        assert_eq!(after.status(thing), "ok", "{thing}: {}", after.text);
    }

    let own = Pool::new(db.options.clone().username(&role), 12);
    let folder = Path::new("fixtures");
    let manifest = FixtureManifest::read(folder).unwrap();
    let seeded = SeededManifest::create(&db.pool, &manifest).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the fixtures' timestamps are relative to now")]
    let now = Utc::now();
    let bodies: Vec<Value> = fixtures::read(&[folder.to_owned()])
        .unwrap()
        .iter()
        .map(|fixture| serde_json::from_slice(&fixture.body(now).unwrap()).unwrap())
        .collect();
    let worker = worker_at(&own, Clock::System);
    store_deliveries(&own, &bodies, now).await;
    run_until_idle(&worker).await;
    seeded.follow_up(&db.pool).await.unwrap();
    run_until_idle(&worker).await;
    let sessions = seeded.sessions(&db.pool).await.unwrap();
    assert_eq!(seeded.differences(&sessions), Vec::<String>::new());
    maintenance::full_round(&own, "a test").await.unwrap();
    // The role does not own the tables, and still makes and drops partitions.
    let last = partitions::names(&db.pool).await.iter().rev().nth(1).unwrap().clone();
    db.run(&format!("DROP TABLE avinode_ingest.{last}; {OLD_PARTITION}"))
        .await;
    let reports = retention::run(&own, &retention::defaults()).await;
    assert_eq!(reports[0].made, [last]);
    assert_eq!(reports[0].dropped, ["deliveries_2020_01"]);

    // The running service: it receives, listens, works, and stops in order.
    let before = dead_jobs(&db.pool).await;
    let service = RunningService::start(&own, ServiceSettings::default()).await;
    let body = quote("evt-own", "0WNR0L", "arfq-own", "aquote-own", 0, "9000", "USD");
    let (status, answer) = service.post(&serde_json::to_vec(&body).unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    let mut bob = Postgrest::before(&db).agent("user_bob").await;
    let renamed = "UPDATE public.chat_sessions SET avinode_trip_id = '0wnr0l' WHERE id::text ~ '-00000000000[67]$'";
    sqlx::query(renamed).execute(&mut *bob).await.unwrap();
    bob.commit().await.unwrap();
    let counted = "SELECT count(*) FROM avinode_ingest.ledger WHERE quote_id = 'aquote-own'";
    eventually(PATIENCE, "both sessions of the trip have the quote", async || {
        equal(count(&db.pool, counted).await, 2)
    })
    .await;
    service.stop().await;
    assert_eq!(dead_jobs(&db.pool).await, before);
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_policies_replace_bypassrls() {
    for db in [Db::new().await, Db::attached().await] {
        let (role, url) = service_role::create_with_policies(&db).await;
        let result = check(&[("DATABASE_URL", &url)]).await;
        assert_eq!(result.status("privileges"), "ok", "{}", result.text);
        assert_eq!(result.status("rls"), "ok", "{}", result.text);
        for table in [
            "chat_sessions",
            "quotes",
            "conversations",
            "requests",
            "iso_agents",
            "proposals",
        ] {
            db.run(&format!("DROP POLICY {role} ON public.{table}")).await;
        }
        let result = check(&[("DATABASE_URL", &url)]).await;
        assert_eq!(result.status("rls"), "failed", "{}", result.text);
        db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_revoked_privilege_is_named_with_its_grant() {
    let db = Db::attached().await;
    let (role, url) = role(&db).await;
    let output = check(&[("DATABASE_URL", &url)]).await;
    db.run(&output.grants()).await;
    let own = Pool::new(db.options.clone().username(&role), 2);
    assert_eq!(
        diagnostics::schema_problems(&own).await.unwrap().rights,
        Vec::<String>::new()
    );
    let mut taken = 0;
    for grant in output.grants().split("; ") {
        let right = grant.strip_prefix("GRANT ").unwrap().split_once(" TO ").unwrap().0;
        let (privileges, places) = right.split_once(" ON ").unwrap();
        for privilege in privileges.split(", ") {
            // The arguments of a function are not places.
            let separator = if places.starts_with("FUNCTION") { "; " } else { ", " };
            for place in places.split(separator) {
                let one = format!("{privilege} ON {place}");
                db.run(&format!("REVOKE {one} FROM {role}")).await;
                let named = diagnostics::schema_problems(&own).await.unwrap().rights;
                assert_eq!(named, [one.as_str()]);
                db.run(&format!("GRANT {one} TO {role}")).await;
                taken += 1;
            }
        }
    }
    assert!(taken > 60, "{taken}");
    // Hardened databases revoke EXECUTE on functions from PUBLIC.
    db.run("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA avinode_ingest FROM PUBLIC")
        .await;
    let named = diagnostics::schema_problems(&own).await.unwrap().rights;
    assert_eq!(named.len(), 19, "{named:?}");
    assert!(named.contains(&"EXECUTE ON FUNCTION avinode_ingest.normal_trip_id(text)".to_owned()));
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
