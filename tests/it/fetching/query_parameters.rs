//! GETs ask for the parts that the reader reads, and do without where Avinode refuses that.

use super::setup::{fetch_until_idle, fetching_worker, live, notify, outcomes, rfq};
use crate::support::cluster::Db;
use crate::support::fake_avinode::{FakeAvinode, Fault};

#[tokio::test(flavor = "multi_thread")]
async fn an_rfq_is_asked_for_its_latest_quotes_messages_and_times() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    notify(&db.pool, &[stub.thin("rfqs/arfq-1", Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    worker.step("w").await.unwrap();
    let query = &stub.queries()[0];
    for part in ["latestquote=true", "sellermessagelinks=true", "timestamps=true"] {
        assert!(query.split('&').any(|parameter| parameter == part), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_refused_are_left_out_of_the_repeated_call_and_of_those_after_it() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.refuse_queries(true);
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for n in 0..3 {
        let id = format!("arfq-{n}");
        stub.show(&format!("rfqs/{id}"), rfq(&id, "A1B2C3"));
        // Of long ago, so that each is fetched once.
        notify(&db.pool, &[stub.thin(&format!("rfqs/{id}"), Some("A1B2C3"))]).await;
        db.run(
            "UPDATE avinode_ingest.jobs SET created_at = created_at - interval '1 hour' WHERE kind = 'fetch_notified'",
        )
        .await;
        fetch_until_idle(&worker).await;
    }
    let with_query: Vec<bool> = stub
        .calls()
        .iter()
        .zip(stub.queries())
        .filter(|((_, called), _)| called.starts_with("rfqs/"))
        .map(|(_, query)| !query.is_empty())
        .collect();
    assert_eq!(with_query, [true, false, false, false]);
    let applied = outcomes(&db.pool).await;
    assert_eq!(
        applied.iter().filter(|(outcome, _)| outcome == "applied").count(),
        3,
        "{applied:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_refused_with_and_without_parameters_is_retried_as_any_other() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.fail("rfqs/arfq-1", Fault::of(400));
    stub.fail("rfqs/arfq-1", Fault::of(400));
    notify(&db.pool, &[stub.thin("rfqs/arfq-1", Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(
        stub.queries().iter().map(String::is_empty).collect::<Vec<_>>(),
        [false, true]
    );
    let waiting = live(&db.pool).await;
    assert_eq!(
        (waiting[0].1, waiting[0].2),
        (1, false),
        "one attempt, and minutes until the next: {waiting:?}"
    );
}
