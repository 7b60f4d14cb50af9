//! Failed fetches, and workers that die during a fetch.

use std::time::Duration;

use avinode_ingest::avinode::client::config::AvinodeSettings;
use serde_json::json;

use super::setup::{
    MESSAGE, fetch_until_idle, fetching_worker, live, live_of, make_due, notify, outcomes, punctual, quoted,
    step_until_asked_for, step_until_called,
};
use crate::support::cluster::Db;
use crate::support::fake_avinode::{FakeAvinode, Fault};
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::{dead_jobs, dead_reasons};

/// A session with a quote that was notified.
async fn notified_quote() -> (Db, FakeAvinode, uuid::Uuid) {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    (db, stub, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_fetched_too_early_is_fetched_again() {
    let (db, stub, session) = notified_quote().await;
    stub.fail(MESSAGE, Fault::of(404));
    stub.fail(MESSAGE, Fault::of(404));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for times in 1..=3 {
        make_due(&db.pool).await;
        step_until_called(&worker, &stub, times).await;
    }
    assert_eq!((quote_count(&db.pool, session).await, stub.count(MESSAGE)), (1, 3));
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_not_found_for_half_an_hour_is_dead_lettered_and_a_deleted_one_is_no_error() {
    let (db, stub, _) = notified_quote().await;
    stub.fail_always(Some(Fault::of(404)));
    db.run("UPDATE avinode_ingest.jobs SET created_at = created_at - interval '31 minutes'")
        .await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    stub.fail_always(Some(Fault::of(410)));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    fetch_until_idle(&worker).await;
    let found = outcomes(&db.pool).await;
    assert!(found[0].0 == "dead" && found[0].1.contains("404"), "{found:?}");
    assert!(found[1].0 == "gone" && found[1].1.contains("410"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_retried_and_cost_nothing_but_time() {
    let (db, stub, session) = notified_quote().await;
    let soft = Fault {
        body: json!({"data": {}, "meta": {"errors": [{"title": "busy", "code": 503}]}}),
        ..Fault::of(200)
    };
    stub.fail(MESSAGE, soft);
    stub.fail(MESSAGE, Fault::of(500));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!((quote_count(&db.pool, session).await, stub.count(MESSAGE)), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_429_nothing_is_called_for_as_long_as_retry_after_says() {
    let (db, stub, session) = notified_quote().await;
    stub.fail(MESSAGE, Fault::of(429).with("retry-after", "600"));
    notify(&db.pool, &[stub.thin("rfqs/arfq-9", None)]).await;
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() + interval '1 hour' WHERE key = 'arfq-9'")
        .await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    step_until_called(&worker, &stub, 1).await;
    make_due(&db.pool).await;
    let step = worker.step("w").await.unwrap();
    assert_eq!(step.batches, 0);
    assert!(step.wait.unwrap() > Duration::from_secs(590), "{step:?}");
    assert!(
        live(&db.pool).await.iter().all(|(_, attempts, ..)| *attempts == 0),
        "which is no job's fault"
    );
    worker.limiter.let_pass();
    step_until_called(&worker, &stub, 3).await;
    assert_eq!((quote_count(&db.pool, session).await, stub.count(MESSAGE)), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_called_while_the_servers_quota_is_used_up() {
    let (db, stub, session) = notified_quote().await;
    let body = json!({"data": quoted("asellermsg-1", "aquote-1", None, 10_000), "meta": {}});
    let last = Fault { body, ..Fault::of(200) };
    stub.fail(
        MESSAGE,
        last.with("x-rate-limit-remaining", "0")
            .with("x-rate-limit-reset", "600"),
    );
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    step_until_called(&worker, &stub, 1).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    notify(&db.pool, &[stub.thin("rfqs/arfq-9", None)]).await;
    let step = worker.step("w").await.unwrap();
    assert!(
        step.batches == 0 && step.wait.unwrap() > Duration::from_secs(590),
        "{step:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_credentials_suspend_fetching_until_they_are_accepted_again() {
    let (db, stub, session) = notified_quote().await;
    stub.fail_always(Some(Fault::of(401)));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    step_until_called(&worker, &stub, 1).await;
    for _ in 0..3 {
        make_due(&db.pool).await;
        assert_eq!(worker.step("w").await.unwrap().batches, 0);
    }
    assert_eq!(stub.calls().len(), 1);
    let waiting = live(&db.pool).await;
    assert!(
        waiting[0].1 == 0 && waiting[0].3.as_ref().unwrap().contains("401"),
        "{waiting:?}"
    );

    stub.fail_always(None);
    worker.limiter.let_pass();
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_opens_when_avinode_is_down_and_probes_with_one_call() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let bodies: Vec<_> = (0..20).map(|n| stub.thin(&format!("rfqs/arfq-{n}"), None)).collect();
    notify(&db.pool, &bodies).await;
    stub.fail_always(Some(Fault::of(503)));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    step_until_called(&worker, &stub, 5).await;
    let first = stub.calls().len();
    make_due(&db.pool).await;
    assert_eq!(worker.step("w").await.unwrap().batches, 0, "open");
    worker.limiter.let_pass();
    make_due(&db.pool).await;
    step_until_called(&worker, &stub, first + 1).await;
    assert_eq!(stub.calls().len(), first + 1, "a probe");
    stub.fail_always(Some(Fault::of(410)));
    worker.limiter.let_pass();
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(outcomes(&db.pool).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_resource_that_always_fails_holds_up_no_other() {
    let (db, stub, session) = notified_quote().await;
    let broken = [Fault::of(500), Fault::of(503)];
    let nothing = Fault {
        body: json!({"data": null, "meta": {}}),
        ..Fault::of(200)
    };
    for times in 0..7 {
        stub.fail("rfqs/arfq-9", broken[times % 2].clone());
        stub.fail("rfqs/arfq-9", nothing.clone());
    }
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() + interval '1 hour'")
        .await;
    notify(&db.pool, &[stub.thin("rfqs/arfq-9", None)]).await;
    for times in 1..=12 {
        make_due_key(&db.pool, "arfq-9").await;
        step_until_called(&worker, &stub, times).await;
    }
    assert_eq!(stub.count("rfqs/arfq-9"), 12);
    make_due_key(&db.pool, "asellermsg-1").await;
    worker.step("w").await.unwrap();
    assert_eq!(quote_count(&db.pool, session).await, 1, "immediately");
}

/// Makes the jobs of a key due.
async fn make_due_key(pool: &Pool, key: &str) {
    sqlx::query("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() WHERE key = $1")
        .bind(key)
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_alone_is_refused_is_dead_lettered_and_the_others_are_fetched() {
    for status in [401, 403] {
        refused_alone(status).await;
    }
}

async fn refused_alone(status: u16) {
    let (db, stub, session) = notified_quote().await;
    let worker = fetching_worker(&db.pool, &punctual(stub.settings(100.0, 100))).await;
    fetch_until_idle(&worker).await;
    notify(&db.pool, &[stub.thin("rfqs/arfq-9", Some("A1B2C3"))]).await;
    for _ in 0..30 {
        stub.fail("rfqs/arfq-9", Fault::of(status));
    }
    let refused = "rfqs/arfq-9";
    for times in 1..=5 {
        // Its turn comes while credentials are taken: it is put off for ten minutes.
        make_due_key(&db.pool, "arfq-9").await;
        step_until_asked_for(&worker, &stub, refused, stub.count(refused) + 1).await;
        if times == 5 {
            break;
        }
        let after: f64 = sqlx::query_scalar(
            "SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM avinode_ingest.jobs WHERE key = 'arfq-9'",
        )
        .fetch_one(&db.pool)
        .await
        .unwrap();
        assert!((500.0..=600.0).contains(&after), "{after}");
        assert_eq!(live_of(&db.pool, "arfq-9").await[0].1, times, "an attempt each");
        // While nothing else is answered, no single resource is blamed.
        make_due_key(&db.pool, "arfq-9").await;
        step_until_asked_for(&worker, &stub, refused, stub.count(refused) + 1).await;
        assert_eq!(live_of(&db.pool, "arfq-9").await[0].1, times, "but not for these");
        // Another one is fetched immediately, and is answered.
        let quote = format!("aquote-{}", times + 1);
        stub.show(MESSAGE, quoted("asellermsg-1", &quote, None, 10_000));
        notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
        step_until_asked_for(&worker, &stub, MESSAGE, stub.count(MESSAGE) + 1).await;
        assert_eq!(quote_count(&db.pool, session).await, times + 1);
    }
    let dead = dead_reasons(&db.pool).await;
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(
        dead[0].starts_with(&format!(
            "Avinode refuses this resource ({status}) though it answers others: "
        )) && dead[0].contains("arfq-9"),
        "{dead:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_before_or_after_its_fetch_loses_nothing() {
    let (db, stub, session) = notified_quote().await;
    let settings = AvinodeSettings {
        api_lag: Duration::from_millis(1),
        ..stub.settings(100.0, 100)
    };
    let worker = fetching_worker(&db.pool, &settings).await;
    // Before: only the claim was made.
    let lose = async || {
        worker
            .claimer
            .claim(&worker.pool, "died", 8, Duration::ZERO)
            .await
            .unwrap()
    };
    assert_eq!(lose().await.batches.len(), 1);
    fetch_until_idle(&worker).await;
    assert_eq!((quote_count(&db.pool, session).await, stub.count(MESSAGE)), (1, 1));

    // After: its document is stored, and the next worker uses it.
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-2", None, 20_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let lost = lose().await.batches.remove(0);
    let taken_over = worker.step("w").await.unwrap();
    assert_eq!(taken_over.jobs, 1);
    assert_eq!(
        worker.handler.perform(&lost).await.unwrap(),
        vec![],
        "the one that lost its lease changes nothing"
    );
    assert_eq!((quote_count(&db.pool, session).await, stub.count(MESSAGE)), (2, 2));
}
