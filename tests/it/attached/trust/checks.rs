//! `check` names the grants by which an agent can claim a trip, with the statements that revoke them, and the sessions that do.

use avinode_ingest::postgres::migrator;

use super::setup::{api, brokers};
use crate::support::bodies::quote_of;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::postgrest::Postgrest;
use crate::support::worker::run_jobs;

const TRIP: &str = "5550001";

#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_grants_on_the_applications_tables_and_its_statements_close_them() {
    let (db, bob, mallory) = brokers().await;
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    assert!(output.status("trust").starts_with("warning"), "{}", output.text);
    let words = output.of("trust").1;
    for part in [
        "authenticated may UPDATE request_id, avinode_trip_id, avinode_rfp_id, avinode_rfq_id, created_at of public.chat_sessions",
        "authenticated may UPDATE avinode_trip_id of public.requests",
        "REVOKE UPDATE ON public.chat_sessions FROM authenticated; GRANT UPDATE (id, conversation_id, ",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    // No policy lets these roles write quotes.
    assert!(!words.contains("public.quotes"), "{words}");

    for broker in [&bob, &mallory] {
        broker.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    }
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    let words = check(&[("DATABASE_URL", &db.url())]).await.of("trust").1;
    assert!(
        words.contains("2 sessions name 1 trips that other agents claim")
            && words.contains("for atrip-5550001, so none"),
        "{words}"
    );
    let patch = serde_json::from_value(serde_json::json!({"avinode_trip_id": TRIP})).unwrap();
    api(&db).update_trip(bob.session, &patch).await.unwrap();
    run_jobs(&db.pool).await;
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    let words = output.of("trust").1;
    assert!(words.contains(&format!("session {}", mallory.session)), "{words}");
    assert!(!words.contains("no agent has evidence"), "{words}");

    // The statements that it prints.
    for result in output.checks.iter().filter(|result| result["check"] == "trust") {
        if let Some((_, revoke)) = result["remedy"].as_str().unwrap().split_once(", then: ") {
            db.run(revoke).await;
        }
    }
    let mut agent = Postgrest::before(&db)
        .agent(&format!("user_{}", mallory.references.agent))
        .await;
    let claim = "UPDATE public.chat_sessions SET avinode_trip_id = 'OTHER1'";
    assert!(sqlx::query(claim).execute(&mut *agent).await.is_err());
    drop(agent);
    let words = check(&[("DATABASE_URL", &db.url())]).await.of("trust").1;
    assert!(!words.contains("authenticated may"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_tables_the_service_made_has_no_such_grants() {
    let db = Db::supabase().await;
    migrator::migrate(&db.options).await.unwrap();
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    assert_eq!(output.status("trust"), "ok", "{}", output.text);
}
