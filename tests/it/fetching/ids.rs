//! The two ids of a trip: if a session has one and notifications name the other, the trip itself is fetched.

use avinode_ingest::clock::Clock;
use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::setup::{MESSAGE, fetch_until_idle, fetching_worker, live, make_due, notify, quoted, rfq};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::worker::{run_until_idle, worker_at};

/// A message with a quote, its RFQ that shows this of its trip, and the trip.
fn show(stub: &FakeAvinode, trip: &serde_json::Value) {
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    let mut of_trip = rfq("arfq-1", "");
    of_trip.as_object_mut().unwrap().remove("tripId");
    of_trip
        .as_object_mut()
        .unwrap()
        .extend(trip.as_object().unwrap().clone());
    stub.show("rfqs/arfq-1", of_trip);
    stub.show(
        "trips/atrip-64956150",
        json!({"id": "atrip-64956150", "tripId": "A1B2C3", "type": "trips"}),
    );
}

async fn notified(pool: &Pool, stub: &FakeAvinode, session: Uuid) -> i32 {
    let worker = fetching_worker(pool, &stub.settings(100.0, 100)).await;
    run_until_idle(&worker_at(pool, Clock::System)).await;
    let bodies = [
        stub.thin("rfqs/arfq-1", Some("A1B2C3")),
        stub.thin(MESSAGE, Some("A1B2C3")),
    ];
    notify(pool, &bodies).await;
    for _ in 0..2 {
        fetch_until_idle(&worker).await;
        run_until_idle(&worker_at(pool, Clock::System)).await;
        make_due(pool).await;
    }
    assert_eq!(live(pool).await, []);
    quote_count(pool, session).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_resource_id_has_the_quotes_of_a_trip_notified_by_its_short_id() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("64956150").insert(&db.pool).await;
    show(&stub, &json!({"tripId": "A1B2C3"}));
    assert_eq!(notified(&db.pool, &stub, session).await, 1);
    assert_eq!(stub.count("trips/atrip-64956150"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_short_id_has_the_quotes_of_a_trip_whose_documents_show_its_resource_id() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    show(&stub, &json!({"links": {"trips": [{"id": "atrip-64956150"}]}}));
    assert_eq!(notified(&db.pool, &stub, session).await, 1);
    assert_eq!(stub.count("trips/atrip-64956150"), 1, "and it is asked for once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_is_not_fetched_if_both_ids_are_known_by_then_or_if_no_process_fetches() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let first = SessionBuilder::of_trip("64956150").insert(&db.pool).await;
    run_until_idle(&worker_at(&db.pool, Clock::System)).await;
    assert_eq!(live(&db.pool).await, [], "there are no credentials");

    show(
        &stub,
        &json!({"tripId": "A1B2C3", "links": {"trips": [{"id": "atrip-64956150"}]}}),
    );
    let second = SessionBuilder::of_trip("64956150").insert(&db.pool).await;
    assert_eq!(notified(&db.pool, &stub, second).await, 1);
    assert_eq!(quote_count(&db.pool, first).await, 1);
    assert_eq!(stub.count("trips/atrip-64956150"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_short_id_is_found_where_only_the_resource_id_is_notified_and_shown() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    // The lease of fetching is held: the session's trip is asked for by its short id.
    run_until_idle(&worker_at(&db.pool, Clock::System)).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    // Without the RFQ the document would not show that it is about the trip that was asked for.
    let rfqs = json!([{"id": "arfq-7", "tripId": "A1B2C3"}]);
    stub.show("trips/A1B2C3", json!({"id": "atrip-64956150", "rfqs": rfqs}));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("atrip-64956150"))]).await;
    for _ in 0..2 {
        fetch_until_idle(&worker).await;
        run_until_idle(&worker_at(&db.pool, Clock::System)).await;
        make_due(&db.pool).await;
    }
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert!(stub.count("trips/A1B2C3") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_a_trips_rfqs_that_is_notified_by_an_id_of_the_trip_is_applied() {
    for (id, typed) in [("A1B2C3", true), ("A1B2C3", false), ("atrip-64956150", true)] {
        let (db, stub) = (Db::new().await, FakeAvinode::start().await);
        let sessions = [
            SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await,
            SessionBuilder::of_trip("64956150").insert(&db.pool).await,
        ];
        let accepted = |n: u32| {
            let mut rfq = rfq(&format!("arfq-{n}"), "A1B2C3");
            rfq["links"] = json!({"trips": [{"id": "atrip-64956150"}]});
            rfq["sellerLift"] = json!([{
                "id": format!("alift-{n}"), "sourcingStatus": 2, "sourcingDisplayStatus": "Accepted",
                "latestQuote": {"id": format!("aquote-{n}"), "sellerPrice": {"price": 10_000, "currency": "USD"}},
            }]);
            rfq
        };
        // Before the second fetch there is another RFQ.
        let list = format!("rfqs/{id}");
        stub.show(&list, json!([accepted(1), accepted(2)]));
        let mut notification = stub.thin(&list, None);
        if !typed {
            notification.as_object_mut().unwrap().remove("type");
        }
        notify(&db.pool, &[notification]).await;
        let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
        worker.step("w").await.unwrap();
        for session in sessions {
            assert_eq!(quote_count(&db.pool, session).await, 2, "{id}");
        }
        stub.show(&list, json!([accepted(1), accepted(2), accepted(3)]));
        let lag = stub.settings(100.0, 100).api_lag * 2;
        let later = format!(
            "UPDATE avinode_ingest.jobs SET created_at = created_at - interval '{0} ms', due_at = clock_timestamp();
             UPDATE avinode_ingest.documents SET requested_at = requested_at - interval '{0} ms'",
            lag.as_millis()
        );
        sqlx::raw_sql(AssertSqlSafe(later)).execute(&db.pool).await.unwrap();
        fetch_until_idle(&worker).await;
        assert_eq!(stub.count(&list), 2, "{id}");
        for session in sessions {
            assert_eq!(quote_count(&db.pool, session).await, 3, "{id}");
        }
        // A trip has the same id, and is another document.
        let trip = format!("trips/{id}");
        stub.show(
            &trip,
            json!({"id": "atrip-64956150", "tripId": "A1B2C3", "canceled": true}),
        );
        notify(&db.pool, &[stub.thin(&trip, None)]).await;
        make_due(&db.pool).await;
        fetch_until_idle(&worker).await;
        assert!(stub.count(&trip) > 0, "{id}");
    }
}
