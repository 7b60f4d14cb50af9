//! One bad job harms no neighbour (invariant 11): a failing batch is redone in parts, a refused row costs only itself,
//! and a job that kills its workers is dead-lettered alone.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::jobs::maintenance;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::queue::{admin, claim_by_kind, release};
use avinode_ingest::store;
use serde_json::Value;
use uuid::Uuid;

use crate::support::actions::retry;
use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::pool::Pool;
use crate::support::sessions::SessionBuilder;
use crate::support::snapshot::{dead_jobs, live_jobs};
use crate::support::worker::{run_until_idle, worker};

fn worker_with_three_attempts(pool: &Pool) -> Worker {
    let mut worker = Arc::into_inner(worker(pool)).unwrap();
    worker.retry.max_attempts = 3;
    worker
}

/// A quote for the trip of this number.
fn quoted(number: usize, price: &str) -> Value {
    let (event, rfq, id) = (format!("evt-{number}"), format!("arfq-{number}"), format!("q{number}"));
    quote(&event, &format!("atrip-{number}"), &rfq, &id, 0, price, "USD")
}

/// The counts and primary quotes of these sessions.
async fn found(pool: &Pool, sessions: &[Uuid]) -> Vec<(i32, Option<String>)> {
    let found = store::admin::sessions(pool, sessions).await.unwrap();
    found
        .into_iter()
        .map(|session| (session.quotes_received_count, session.primary_quote))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_database_refuses_to_change_harms_no_other_of_its_batch() {
    let db = Db::new().await;
    let mut sessions = Vec::new();
    for number in 0..10 {
        sessions.push(SessionBuilder::of_trip(&number.to_string()).insert(&db.pool).await);
    }
    let (poor, now) = (sessions[4], base());
    let refuses = format!(
        "ALTER TABLE public.chat_sessions ADD CONSTRAINT refuses CHECK (id <> '{poor}' OR quotes_received_count = 0)"
    );
    db.run(&refuses).await;
    store_deliveries(
        &db.pool,
        &(0..10).map(|number| quoted(number, "10000")).collect::<Vec<_>>(),
        now,
    )
    .await;
    let worker = worker_with_three_attempts(&db.pool);
    run_until_idle(&worker).await;
    for (number, found) in found(&db.pool, &sessions).await.into_iter().enumerate() {
        let expected = if number == 4 {
            (0, None)
        } else {
            (1, Some(format!("q{number}")))
        };
        assert_eq!(found, expected, "session {number}");
    }
    let (attempts, reason, history): (i32, String, Vec<String>) =
        sqlx::query_as("SELECT attempts, reason, history FROM avinode_ingest.dead_jobs")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!((attempts, history.len()), (3, 2));
    assert!(
        reason.starts_with("gave up after 3 attempts") && reason.contains("refuses"),
        "{reason}"
    );

    db.run("ALTER TABLE public.chat_sessions DROP CONSTRAINT refuses").await;
    let dead = admin::dead_ids(&db.pool, None).await.unwrap();
    assert_eq!(retry(&db.pool, &dead).await, dead);
    run_until_idle(&worker).await;
    assert_eq!(found(&db.pool, &[poor]).await, [(1, Some("q4".to_owned()))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_the_quotes_table_refuses_is_counted_and_shown_once_the_table_takes_it() {
    let db = Db::new().await;
    let sessions = [
        SessionBuilder::of_trip("0").insert(&db.pool).await,
        SessionBuilder::of_trip("1").insert(&db.pool).await,
    ];
    db.run("ALTER TABLE public.quotes ADD CONSTRAINT dear CHECK (total_price < 50000)")
        .await;
    store_deliveries(&db.pool, &[quoted(0, "60000"), quoted(1, "40000")], base()).await;
    let worker = worker_with_three_attempts(&db.pool);
    run_until_idle(&worker).await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    assert_eq!(
        found(&db.pool, &sessions).await,
        [(1, None), (1, Some("q1".to_owned()))]
    );
    let refusals =
        "SELECT quote_id, projection_error FROM avinode_ingest.quote_facts WHERE projection_error IS NOT NULL";
    let refused: Vec<(String, String)> = sqlx::query_as(refusals).fetch_all(&db.pool).await.unwrap();
    assert!(
        refused.len() == 1 && refused[0].0 == "q0" && refused[0].1.contains("dear"),
        "{refused:?}"
    );

    db.run("ALTER TABLE public.quotes DROP CONSTRAINT dear").await;
    // What was refused is tried again after a day, not on every event of its trip.
    maintenance::full_round(&db.pool, "a process").await.unwrap();
    run_until_idle(&worker).await;
    assert_eq!(found(&db.pool, &sessions[..1]).await, [(1, None)]);
    db.run("UPDATE avinode_ingest.quote_facts SET projection_failed_at = projection_failed_at - interval '25 hours'")
        .await;
    maintenance::full_round(&db.pool, "a process").await.unwrap();
    run_until_idle(&worker).await;
    assert_eq!(found(&db.pool, &sessions[..1]).await, [(1, Some("q0".to_owned()))]);
    let refused: Vec<(String, String)> = sqlx::query_as(refusals).fetch_all(&db.pool).await.unwrap();
    assert_eq!(refused, []);
}

/// Lets all leases run out, as if the workers had died.
async fn expire_leases(db: &Db) {
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() WHERE lease_token IS NOT NULL")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_workers_is_dead_lettered_after_its_isolated_crashes_and_harms_no_other() {
    let db = Db::new().await;
    let mut sessions = Vec::new();
    for number in 0..4 {
        sessions.push(SessionBuilder::of_trip(&number.to_string()).insert(&db.pool).await);
    }
    let worker = worker_with_three_attempts(&db.pool);
    run_until_idle(&worker).await;
    store_deliveries(
        &db.pool,
        &(0..4).map(|number| quoted(number, "10000")).collect::<Vec<_>>(),
        base(),
    )
    .await;
    let claim = || {
        claim_by_kind::claim(
            &db.pool,
            &[(JobKind::FullEvent, 10)],
            "doomed",
            Duration::from_secs(60),
            false,
        )
    };
    let together = claim().await.unwrap();
    assert!(together.iter().all(|job| !job.isolated));
    let poison = together[2].id;
    for crashes in 0..worker.retry.max_crashes {
        expire_leases(&db).await;
        let alone = claim().await.unwrap();
        assert_eq!(alone.len(), 4);
        for job in alone {
            assert!(job.isolated, "it is taken over");
            let is_poison = job.id == poison;
            assert_eq!(
                job.crashes,
                if is_poison { crashes } else { 0 },
                "only its own crashes count"
            );
            // The poison's turn comes first each time, and its worker dies before the others' turns.
            if is_poison {
                assert!(
                    release::begin_isolated(&db.pool, std::slice::from_ref(&job), true)
                        .await
                        .unwrap()
                );
            }
        }
    }
    expire_leases(&db).await;
    let step = worker.step("w").await.unwrap();
    assert_eq!((step.jobs, step.settled.dead), (4, 1));
    assert_eq!((live_jobs(&db.pool).await, dead_jobs(&db.pool).await), (0, 1));
    let dead: (i64, i32, String) = sqlx::query_as("SELECT id, crashes, reason FROM avinode_ingest.dead_jobs")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(
        (dead.0, dead.1, dead.2.as_str()),
        (poison, 3, "its worker died 3 times while it ran isolated")
    );
    for (number, found) in found(&db.pool, &sessions).await.into_iter().enumerate() {
        assert_eq!(found.0, i32::from(number != 2), "session {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ended_with_a_restart_of_the_whole_server_is_no_crash_of_its_job() {
    let db = Db::new().await;
    store_deliveries(&db.pool, &[quoted(0, "10000")], base()).await;
    let claim = || {
        claim_by_kind::claim(
            &db.pool,
            &[(JobKind::FullEvent, 10)],
            "a worker",
            Duration::from_secs(60),
            false,
        )
    };
    claim().await.unwrap();
    for (run, crashes) in [("pg_postmaster_start_time() - interval '1 second'", 0), ("now()", 1)] {
        expire_leases(&db).await;
        let alone = claim().await.unwrap();
        assert!(release::begin_isolated(&db.pool, &alone, true).await.unwrap());
        db.run(&format!("UPDATE avinode_ingest.jobs SET isolated_since = {run}"))
            .await;
        expire_leases(&db).await;
        assert_eq!(claim().await.unwrap()[0].crashes, crashes, "run since {run}");
    }
}
