//! Claims by RFQ ids, and by the trip id of a trip that another agent has through an RFQ.

use serde_json::Value;

use super::setup::{Seen, brokers};
use crate::support::bodies::{message, quote};
use crate::support::deliveries::receive;
use crate::support::snapshot::dead_jobs;

const RFQ: &str = "arfq-7770001";
const TRIP: &str = "5550001";

fn body(id: &str, seconds: i64) -> Value {
    quote(&format!("evt-{id}"), TRIP, RFQ, id, seconds, "10000", "USD")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rfq_that_another_agent_was_given_brings_nothing() {
    for column in ["avinode_rfq_id", "avinode_rfp_id"] {
        for first in [false, true] {
            let (db, bob, mallory) = brokers().await;
            let claim = format!("{column} = '{RFQ}', created_at = '2001-01-01'");
            if first {
                mallory.update(&db, &claim).await;
            }
            bob.update_by_server(&db, &format!("{column} = '{RFQ}'")).await;
            receive(&db.pool, &[body("q1", 0)]).await;
            if !first {
                mallory.update(&db, &claim).await;
            }
            receive(&db.pool, &[body("q2", 1), message("evt-m", TRIP, "message-1", 2)]).await;
            assert_eq!(mallory.seen(&db).await, Seen::nothing());
            assert_eq!(mallory.timeline(&db).await, "");
            assert_eq!(bob.seen(&db).await, Seen::all(&["q1", "q2"]));
            assert_eq!(dead_jobs(&db.pool).await, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rfq_of_a_trip_that_another_agent_has_brings_nothing() {
    let (db, bob, mallory) = brokers().await;
    bob.update_by_server(&db, &format!("avinode_trip_id = '{TRIP}', avinode_rfq_id = '{RFQ}'"))
        .await;
    receive(&db.pool, &[body("q1", 0)]).await;
    mallory.update(&db, &format!("avinode_rfq_id = '{RFQ}'")).await;
    receive(&db.pool, &[body("q2", 1)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1", "q2"]));
    // Nor do the RFQs of a trip that it only names.
    mallory
        .update(&db, &format!("avinode_rfq_id = NULL, avinode_trip_id = '{TRIP}'"))
        .await;
    let elsewhere = quote("evt-q3", "A1B2C3", RFQ, "q3", 3, "10000", "USD");
    receive(&db.pool, &[elsewhere]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1", "q2", "q3"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trip_id_of_a_trip_that_another_agent_has_by_its_rfq_brings_nothing() {
    for first in [false, true] {
        let (db, bob, mallory) = brokers().await;
        let claim = format!("avinode_trip_id = '{TRIP}', created_at = '2001-01-01'");
        if first {
            mallory.update(&db, &claim).await;
        }
        bob.update_by_server(&db, &format!("avinode_rfq_id = '{RFQ}'")).await;
        receive(&db.pool, &[body("q1", 0)]).await;
        if !first {
            mallory.update(&db, &claim).await;
        }
        // One batch each: a message names no RFQ.
        receive(&db.pool, &[message("evt-m", TRIP, "message-1", 2)]).await;
        receive(&db.pool, &[body("q2", 3)]).await;
        assert_eq!(mallory.seen(&db).await, Seen::nothing());
        assert_eq!(mallory.timeline(&db).await, "trip_withheld");
        assert_eq!(bob.seen(&db).await, Seen::all(&["q1", "q2"]));
        assert_eq!(
            bob.timeline(&db).await,
            "quote_received message_received quote_received"
        );
        assert_eq!(dead_jobs(&db.pool).await, 0);
    }
}
