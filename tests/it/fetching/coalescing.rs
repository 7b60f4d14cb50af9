//! One fetch for many notifications, and for every notification one that began after it came (invariant 4).

use std::time::Duration;

use avinode_ingest::jobs::maintenance;
use avinode_ingest::queue::admin;
use serde_json::json;

use super::setup::{fetch_until_idle, fetching_worker, live, make_due, notify, now, outcomes, price, quoted, rfq};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::{run_until_idle, worker_at};

const MESSAGE: &str = "tripmsgs/asellermsg-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_thin_notification_is_fetched_and_its_quote_is_counted() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert_eq!(stub.count(MESSAGE), 1);
    let outcomes = outcomes(&db.pool).await;
    assert_eq!(outcomes[0].0, "applied", "{outcomes:?}");
    assert!(outcomes[0].1.contains("quote_received aquote-1"), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_notifications_of_one_resource_make_two_fetches_at_most() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    let thin = stub.thin("rfqs/arfq-1", Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    notify(&db.pool, &vec![thin.clone(); 20]).await;
    stub.hold();
    let stepping = {
        let worker = worker.clone();
        tokio::spawn(async move { worker.step("w").await.unwrap() })
    };
    stub.called(1).await;
    notify(&db.pool, &vec![thin; 30]).await;
    stub.release();
    assert_eq!(stepping.await.unwrap().jobs, 20);
    fetch_until_idle(&worker).await;
    assert_eq!(stub.calls().len(), 2);
    let served = count(
        &db.pool,
        "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'fetch_notified'",
    )
    .await;
    assert_eq!(served, 50);
    assert_eq!(live(&db.pool).await, [], "nor is it looked at again later");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_notifications_one_after_another_make_two_fetches_as_well() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    let thin = stub.thin("rfqs/arfq-1", Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for _ in 0..50 {
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        worker.step("w").await.unwrap();
    }
    fetch_until_idle(&worker).await;
    assert_eq!(stub.calls().len(), 2, "the first at once, and one that sees all of it");
    assert_eq!(live(&db.pool).await, []);
}

/// Some time has passed since everything was fetched.
async fn let_settle(pool: &Pool) {
    sqlx::query("UPDATE avinode_ingest.documents SET requested_at = requested_at - interval '1 minute'")
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_envelope_is_no_change_of_the_document() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for request in ["one", "two"] {
        let data = quoted("asellermsg-1", "aquote-1", None, 10_000);
        let body = json!({"meta": {"infos": [{"title": request}]}, "data": data});
        stub.fail(
            MESSAGE,
            crate::support::fake_avinode::Fault {
                body,
                ..crate::support::fake_avinode::Fault::of(200)
            },
        );
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        fetch_until_idle(&worker).await;
        let_settle(&db.pool).await;
    }
    assert_eq!(
        live(&db.pool).await,
        [("fetch_follow_up".to_owned(), 0, false, None)],
        "it may have been too early"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_that_is_served_too_early_is_fetched_a_second_time() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, &vec![thin; 12]).await;
    fetch_until_idle(&worker).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 9_000));
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!((stub.count(MESSAGE), live(&db.pool).await), (2, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_fetch_of_a_document_is_stored_with_it_and_survives_a_failed_apply() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, std::slice::from_ref(&thin)).await;
    fetch_until_idle(&worker).await;
    let_settle(&db.pool).await;
    // It is kept, and cannot be applied: its trip is locked.
    let mut holder = db.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM avinode_ingest.trips FOR UPDATE")
        .execute(&mut holder)
        .await
        .unwrap();
    notify(&db.pool, &[thin]).await;
    worker.step("w").await.unwrap();
    let kinds: Vec<String> = live(&db.pool).await.into_iter().map(|job| job.0).collect();
    assert_eq!(kinds, ["fetch_notified", "fetch_follow_up"]);
    holder.rollback().await.unwrap();
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 9_000));
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!(live(&db.pool).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_comes_during_a_fetch_gets_a_fetch_of_its_own() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    notify(&db.pool, std::slice::from_ref(&thin)).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    // The first answer is made before the price changes, and arrives afterwards.
    stub.fail(MESSAGE, slow_answer());
    stub.hold();
    let stepping = {
        let worker = worker.clone();
        tokio::spawn(async move { worker.step("w").await.unwrap() })
    };
    stub.called(1).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 9_000));
    notify(&db.pool, &[thin]).await;
    assert_eq!(worker.step("another").await.unwrap().batches, 0, "one at a time");
    stub.release();
    stepping.await.unwrap();
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("10000"));
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count(MESSAGE), 2);
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

/// What was shown before the change.
fn slow_answer() -> crate::support::fake_avinode::Fault {
    let body = json!({"data": quoted("asellermsg-1", "aquote-1", None, 10_000), "meta": {}});
    crate::support::fake_avinode::Fault {
        body,
        ..crate::support::fake_avinode::Fault::of(200)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_unchanged_right_after_its_notification_is_fetched_a_second_time() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    notify(&db.pool, std::slice::from_ref(&thin)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(live(&db.pool).await, []);

    let_settle(&db.pool).await;
    notify(&db.pool, &[thin]).await;
    fetch_until_idle(&worker).await; // too early: Avinode still shows the old price
    let again = live(&db.pool).await;
    assert_eq!(again, [("fetch_follow_up".to_owned(), 0, false, None)]);
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 9_000));
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!(
        (stub.count(MESSAGE), live(&db.pool).await),
        (3, vec![]),
        "once, and not for ever"
    );
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_with_both_ids_known_is_fetched_a_second_time_as_well() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let trip = json!({"id": "atrip-64956150", "tripId": "A1B2C3"});
    stub.show("trips/atrip-64956150", trip.clone());
    let thin = stub.thin("trips/atrip-64956150", Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    notify(&db.pool, &vec![thin; 2]).await;
    fetch_until_idle(&worker).await;
    let mut cancelled = trip;
    cancelled["canceled"] = json!(true);
    stub.show("trips/atrip-64956150", cancelled);
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count("trips/atrip-64956150"), 2);
    let status: Option<String> = sqlx::query_scalar("SELECT status FROM avinode_ingest.trips WHERE status IS NOT NULL")
        .fetch_optional(&db.pool)
        .await
        .unwrap();
    assert_eq!(status.as_deref(), Some("cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_names_no_trip_waits_for_its_rfq_and_is_not_fetched_again() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert_eq!((stub.count(MESSAGE), stub.count("rfqs/arfq-1")), (1, 1));
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_names_no_trip_has_its_rfq_fetched_however_long_it_has_waited() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    // There were no credentials for a day.
    db.run("UPDATE avinode_ingest.jobs SET created_at = created_at - interval '1 day', due_at = clock_timestamp()")
        .await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    worker.step("w").await.unwrap();
    make_due(&db.pool).await;
    // Nor is the RFQ there yet.
    worker.step("w").await.unwrap();
    assert_eq!((stub.count("rfqs/arfq-1"), dead_jobs(&db.pool).await), (1, 0));
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert_eq!((stub.count(MESSAGE), dead_jobs(&db.pool).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_its_rfq_is_dead_lettered_in_time_and_served_when_retried() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    worker.step("w").await.unwrap();
    for table in [
        "jobs SET created_at = created_at",
        "documents SET requested_at = requested_at",
    ] {
        let later = format!("UPDATE avinode_ingest.{table} - interval '41 minutes'");
        db.run(&later).await;
    }
    for _ in 0..3 {
        make_due(&db.pool).await;
        worker.step("w").await.unwrap();
    }
    assert_eq!((dead_jobs(&db.pool).await, live(&db.pool).await), (1, vec![]));

    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    let dead = admin::dead_ids(&db.pool.service(), None).await.unwrap();
    admin::retry(&db.pool.service(), &dead).await.unwrap();
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_which_an_rfq_shows_only_the_id_is_fetched_for_each_notification() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let mut answered = rfq("arfq-1", "A1B2C3");
    answered["sellerLift"] = json!([{"id": "alift-1", "sourcingStatus": 2, "sourcingDisplayStatus": "Accepted",
        "links": {"quotes": [{"id": "aquote-1"}]}}]);
    stub.show("rfqs/arfq-1", answered);
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for amount in [10_000, 9_000] {
        let price = json!({"price": amount, "currency": "USD"});
        stub.show("quotes/aquote-1", json!({"id": "aquote-1", "sellerPrice": price}));
        notify(&db.pool, &[stub.thin("rfqs/arfq-1", Some("A1B2C3"))]).await;
        fetch_until_idle(&worker).await;
        let_settle(&db.pool).await;
    }
    assert_eq!(stub.count("quotes/aquote-1"), 2);
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ids_of_a_trip_are_learned_from_a_document_and_sessions_with_either_are_found() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let by_short = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let by_resource = SessionBuilder::of_trip("64956150").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    let mut both = rfq("arfq-1", "A1B2C3");
    both["links"] = json!({"trips": [{"id": "atrip-64956150"}]});
    stub.show("rfqs/arfq-1", both);
    let bodies = [
        stub.thin(MESSAGE, Some("A1B2C3")),
        stub.thin("rfqs/arfq-1", Some("A1B2C3")),
    ];
    notify(&db.pool, &bodies).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    let service = worker_at(&db.pool, avinode_ingest::clock::Clock::System);
    run_until_idle(&service).await;
    assert_eq!(
        (
            quote_count(&db.pool, by_short).await,
            quote_count(&db.pool, by_resource).await
        ),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_link_is_dead_lettered_and_the_other_notifications_of_its_resource_are_served() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let good = stub.thin(MESSAGE, Some("A1B2C3"));
    let mut evil = good.clone();
    evil["href"] = json!("https://sandbox.avinode.com.evil.example/api/tripmsgs/asellermsg-1");
    let mut leads = good.clone();
    leads["type"] = json!("leads");
    notify(&db.pool, &[evil, good, leads]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    let found = outcomes(&db.pool).await;
    assert!(
        found[0].0 == "dead" && found[0].1.starts_with("link not followed"),
        "{found:?}"
    );
    assert_eq!(
        (found[1].0.as_str(), found[2].0.as_str()),
        ("applied", "nothing"),
        "{found:?}"
    );
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_documents_of_a_resource_are_stored_and_old_ones_only_by_their_digest() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for price in [1, 2, 3, 4, 5, 6, 7, 7] {
        stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, price));
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        fetch_until_idle(&worker).await;
        let_settle(&db.pool).await;
    }
    let kept = || async {
        sqlx::query_as::<_, (i32, bool)>(
            "SELECT fetch_count, body IS NOT NULL FROM avinode_ingest.documents ORDER BY requested_at DESC",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap()
    };
    assert_eq!(kept().await, [(2, true), (1, true), (1, true), (1, true), (1, true)]);
    maintenance::full_round(&db.pool, "a test", Duration::from_secs(3600), true)
        .await
        .unwrap();
    assert_eq!(kept().await.len(), 5, "none is old");
    db.run("UPDATE avinode_ingest.documents SET stored_at = stored_at - interval '31 days'")
        .await;
    maintenance::full_round(&db.pool, "a test", Duration::from_secs(3600), true)
        .await
        .unwrap();
    assert_eq!(kept().await, [(2, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_a_quote_is_fetched_one_job_waits_for_its_expiry() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    // Without a stamp what is said again is a newer fact each time.
    let until = |days| {
        let mut message = quoted("asellermsg-1", "aquote-1", None, 10_000);
        message["sellerQuote"].as_object_mut().unwrap().remove("createdOn");
        message["sellerQuote"]["validUntil"] = json!(now() + chrono::TimeDelta::days(days));
        stub.show(MESSAGE, message);
    };
    let expiries = async || {
        count(
            &db.pool,
            "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'",
        )
        .await
    };
    until(2);
    for _ in 0..6 {
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        fetch_until_idle(&worker).await;
    }
    assert_eq!(stub.count(MESSAGE), 6);
    assert_eq!(expiries().await, 1);
    until(3);
    notify(&db.pool, &[thin]).await;
    fetch_until_idle(&worker).await;
    assert_eq!(expiries().await, 2, "another moment has a job of its own");
}
