//! A cancelled RFQ of several calls no trip off, and in every order of deliveries the session shows the same.

use serde_json::{Value, json};

use crate::support::bodies::{quote, trip, trip_cancelled};
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, view};
use crate::support::snapshot::dead_jobs;

const TRIP: &str = "atrip-1";

/// Three RFQs, two of them with a quote.
fn requested() -> Vec<Value> {
    vec![
        trip("evt-1", TRIP, "arfq-1", "created", 1),
        trip("evt-2", TRIP, "arfq-2", "created", 2),
        trip("evt-3", TRIP, "arfq-3", "created", 3),
        quote("evt-4", TRIP, "arfq-1", "aquote-1", 10, "30000", "USD"),
        quote("evt-5", TRIP, "arfq-2", "aquote-2", 11, "40000", "USD"),
    ]
}

fn cancelled(rfq: usize) -> Value {
    let (event, seconds) = (format!("evt-cancelled-{rfq}"), 20 + i64::try_from(rfq).unwrap());
    trip(&event, TRIP, &format!("arfq-{rfq}"), "cancelled", seconds)
}

/// Receives the bodies one after the other in each of these orders, on a database of its own, and returns what the session shows,
/// which must be the same.
async fn shown_in_every_order(bodies: &[Value]) -> Value {
    let backwards = || bodies.iter().rev().cloned().collect();
    let (front, back) = bodies.split_at(bodies.len() / 2);
    let mut shown = Vec::new();
    for order in [bodies.to_vec(), backwards(), [back, front].concat()] {
        let db = Db::new().await;
        let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
        for body in order {
            receive(&db.pool, &[body]).await;
        }
        assert_eq!(dead_jobs(&db.pool).await, 0);
        let seen = view(&db.pool, session).await;
        let cancellations = cancellations(&db.pool).await;
        shown.push(json!({
            "status": seen.avinode_trip_status, "state": workflow_state(&db.pool).await, "primary": seen.primary_quote,
            "received": seen.quotes_received_count, "expected": seen.quotes_expected_count, "timeline": cancellations,
        }));
    }
    shown.dedup();
    assert_eq!(shown.len(), 1, "{shown:#?}");
    shown.remove(0)
}

async fn workflow_state(pool: &Pool) -> Value {
    let state = "SELECT coalesce(workflow_state, '{}') FROM public.chat_sessions";
    sqlx::query_scalar(state).fetch_one(pool).await.unwrap()
}

async fn cancellations(pool: &Pool) -> Vec<String> {
    let entries = "SELECT concat_ws(' ', kind, detail ->> 'rfq') FROM avinode_ingest.timeline
        WHERE kind LIKE '%cancelled' ORDER BY 1";
    sqlx::query_scalar(entries).fetch_all(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_cancelled_rfq_of_several_leaves_the_trip_its_count_and_its_quotes() {
    let shown = shown_in_every_order(&[requested(), vec![cancelled(2)]].concat()).await;
    let expected = json!({"status": null, "state": {}, "primary": "aquote-2", "received": 2, "expected": 3,
        "timeline": ["rfq_cancelled arfq-2"]});
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_is_called_off_with_its_last_rfq_and_goes_on_with_another() {
    let all = [requested(), vec![cancelled(1), cancelled(2), cancelled(3)]].concat();
    let shown = shown_in_every_order(&all).await;
    assert_eq!(
        (&shown["status"], &shown["primary"]),
        (&json!("cancelled"), &json!("aquote-2"))
    );
    let entries = ["rfq_cancelled arfq-1", "rfq_cancelled arfq-2", "rfq_cancelled arfq-3"];
    assert_eq!(shown["timeline"], json!(entries));

    let another = trip("evt-6", TRIP, "arfq-4", "created", 30);
    let shown = shown_in_every_order(&[all, vec![another]].concat()).await;
    assert_eq!(
        (&shown["status"], &shown["state"], &shown["expected"]),
        (&Value::Null, &json!({}), &json!(4))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_trip_is_called_off_whatever_its_rfqs_are() {
    let shown =
        shown_in_every_order(&[requested(), vec![trip_cancelled("evt-6", TRIP, 20), cancelled(1)]].concat()).await;
    assert_eq!(shown["status"], "cancelled");
    assert_eq!(shown["timeline"], json!(["rfq_cancelled arfq-1", "trip_cancelled"]));
}
