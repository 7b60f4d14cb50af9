//! Order does not matter for trips with two ids: events under either id, the documents that show both, and the sessions may
//! come in any order (guarantee 3).
//!
//! In addition to what `order` leaves out, the comparison leaves out timeline entries of events before a session got its
//! trip, and the request under which a quote was first projected, which never changes.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use proptest::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::cluster::Db;
use crate::support::deliveries::store_at;
use crate::support::documents::{enqueue_merges, worker_with_documents};
use crate::support::generators::{self, LATE_TRIP, ReceivedBody};
use crate::support::pool::Pool;
use crate::support::sessions::set_trip_id;
use crate::support::snapshot::{assert_same, dead_jobs, snapshot};
use crate::support::worker::run_until_idle;
use crate::support::worker_pool::WorkerPool;

/// Every case needs new databases.
const CASES: u32 = 6;
/// The ids of the generators' trips, by number.
const IDS: [&str; 4] = ["atrip-64956150", "A1B2C3", "atrip-777", "Z9Y8X7"];

#[derive(Debug, Clone)]
enum Step {
    Receive(ReceivedBody),
    /// A document shows that two trips are one.
    Merge(usize, usize),
    /// The last session gets its trip id.
    SetTripId,
}

#[derive(Debug, Clone)]
struct Runs {
    policy: PrimaryQuotePolicy,
    in_order: Vec<Step>,
    shuffled: Vec<Step>,
    workers: usize,
}

/// Replaces the ids of quotes, RFQs and messages by those of the canonical trip, so that trips that are merged share some
/// ids.
fn with_shared_ids(body: &Value, canonical: &[usize]) -> Value {
    let mut text = body.to_string();
    for (trip, canonical) in canonical.iter().enumerate() {
        for word in ["aquote", "arfq", "amsg"] {
            text = text.replace(&format!("\"{word}-{trip}"), &format!("\"{word}-{canonical}"));
        }
    }
    serde_json::from_str(&text).unwrap()
}

fn runs() -> impl Strategy<Value = Runs> {
    let pairs = prop::collection::vec((0..4_usize, 0..4_usize), 1..4);
    let steps = (generators::deliveries(), pairs).prop_flat_map(|(bodies, pairs)| {
        let mut canonical = [0, 1, 2, 3];
        for (one, other) in &pairs {
            let (one, other) = (canonical[*one], canonical[*other]);
            canonical = canonical.map(|trip| if trip == one.max(other) { one.min(other) } else { trip });
        }
        let flags = prop::collection::vec(prop::bool::weighted(0.5), bodies.len());
        flags.prop_map(move |flags| {
            let received = bodies.iter().zip(flags).map(|((body, at), share_ids)| {
                let body = if share_ids {
                    with_shared_ids(body, &canonical)
                } else {
                    body.clone()
                };
                Step::Receive((body, *at))
            });
            let merges = pairs.iter().map(|(one, other)| Step::Merge(*one, *other));
            received.chain(merges).chain([Step::SetTripId]).collect::<Vec<_>>()
        })
    });
    let shuffled = steps.prop_flat_map(|steps| {
        let twice = [steps.clone(), steps.clone()].concat();
        (Just(steps), Just(twice).prop_shuffle())
    });
    let policy = prop::sample::select(
        &[
            PrimaryQuotePolicy::Latest,
            PrimaryQuotePolicy::First,
            PrimaryQuotePolicy::LowestPrice,
        ][..],
    );
    (shuffled, policy, 1..4_usize).prop_map(|((in_order, shuffled), policy, workers)| Runs {
        policy,
        in_order,
        shuffled,
        workers,
    })
}

async fn perform(db: &Db, late: uuid::Uuid, step: &Step) {
    match step {
        Step::Receive((body, at)) => store_at(&db.pool, &serde_json::to_vec(body).unwrap(), *at).await,
        Step::Merge(one, other) => enqueue_merges(&db.pool, &[&[IDS[*one], IDS[*other]]]).await,
        Step::SetTripId => set_trip_id(&db.pool, late, Some(LATE_TRIP)).await,
    }
}

/// Works off all jobs after each step.
async fn run_in_order(db: &Db, runs: &Runs) {
    let late = generators::sessions(&db.pool).await;
    let worker = worker_with_documents(&db.pool, runs.policy, Clock::Fixed(generators::now()));
    for step in &runs.in_order {
        perform(db, late, step).await;
        run_until_idle(&worker).await;
    }
}

/// Performs every step twice, shuffled, with concurrent workers.
async fn run_shuffled(db: &Db, runs: &Runs) {
    let late = generators::sessions(&db.pool).await;
    let worker = worker_with_documents(&db.pool, runs.policy, Clock::Fixed(generators::now()));
    let workers = WorkerPool::start(&worker, runs.workers);
    for step in &runs.shuffled {
        perform(db, late, step).await;
    }
    workers.finish().await;
}

/// The part of a snapshot that does not depend on the order.
async fn comparable(pool: &Pool) -> Vec<(&'static str, Value)> {
    let mut parts = snapshot(pool).await;
    for (name, part) in &mut parts {
        match (*name, part) {
            ("projected quotes", Value::Object(quotes)) => {
                for quote in quotes.values_mut() {
                    quote.as_object_mut().unwrap().remove("session");
                }
            }
            ("timeline", Value::Array(entries)) => entries.retain(|entry| entry[1] == "quote_received"),
            _ => {}
        }
    }
    parts
}

#[test]
fn events_under_either_id_and_merges_in_any_order_end_in_the_same_sessions() {
    let runtime = Runtime::new().unwrap();
    generators::check(CASES, &runs(), |runs| {
        runtime.block_on(async {
            let (reference, db) = (Db::new().await, Db::new().await);
            tokio::join!(run_in_order(&reference, &runs), run_shuffled(&db, &runs));
            assert_same(&comparable(&reference.pool).await, &comparable(&db.pool).await);
            assert_eq!((dead_jobs(&reference.pool).await, dead_jobs(&db.pool).await), (0, 0));
        });
    });
}
