//! Whatever comes first, the events of either id, the documents that show both, or the sessions: everything ends alike
//! (invariant 3).
//!
//! Left out are, beside what `order` leaves out, the lines of timelines that tell what a session of the other id was not there
//! to see, as with a session that is matched late, and the request under which a quote was shown first, which is for good.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::demo_data;
use proptest::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::cluster::Db;
use crate::support::documents::{shift_with_documents, show};
use crate::support::generators::{self, LATE_TRIP, Sent};
use crate::support::pool::Pool;
use crate::support::service::{drain, keep};
use crate::support::snapshot::{assert_same, dead_jobs, everything};
use crate::support::worker_pool::Crew;

/// Databases are made anew for every case.
const CASES: u32 = 6;
/// The ids of the world's trips, by their numbers there.
const IDS: [&str; 4] = ["atrip-64956150", "A1B2C3", "atrip-777", "Z9Y8X7"];

/// What comes.
#[derive(Debug, Clone)]
enum Coming {
    Body(Sent),
    /// A document that shows two trips of the world to be one.
    Shown(usize, usize),
    /// The late session gets its trip id.
    Late,
}

#[derive(Debug, Clone)]
struct Orders {
    policy: PrimaryQuotePolicy,
    first: Vec<Coming>,
    other: Vec<Coming>,
    workers: usize,
}

/// What comes of the trips that end as one names the same quotes, RFQs and messages now and then.
fn shared(body: &Value, stands: &[usize]) -> Value {
    let mut text = body.to_string();
    for (trip, stands) in stands.iter().enumerate() {
        for word in ["aquote", "arfq", "amsg"] {
            text = text.replace(&format!("\"{word}-{trip}"), &format!("\"{word}-{stands}"));
        }
    }
    serde_json::from_str(&text).unwrap()
}

fn orders() -> impl Strategy<Value = Orders> {
    let pairs = prop::collection::vec((0..4_usize, 0..4_usize), 1..4);
    let coming = (generators::deliveries(), pairs).prop_flat_map(|(sent, pairs)| {
        let mut stands = [0, 1, 2, 3];
        for (one, other) in &pairs {
            let (kept, gone) = (stands[*one].min(stands[*other]), stands[*one].max(stands[*other]));
            stands = stands.map(|it| if it == gone { kept } else { it });
        }
        let flags = prop::collection::vec(prop::bool::weighted(0.5), sent.len());
        flags.prop_map(move |flags| {
            let bodies = sent.iter().zip(flags).map(|((body, at), flag)| {
                let body = if flag { shared(body, &stands) } else { body.clone() };
                Coming::Body((body, *at))
            });
            let shown = pairs.iter().map(|(one, other)| Coming::Shown(*one, *other));
            bodies.chain(shown).chain([Coming::Late]).collect::<Vec<_>>()
        })
    });
    let shuffled = coming.prop_flat_map(|coming| {
        (
            Just(coming.clone()),
            Just([coming.clone(), coming].concat()).prop_shuffle(),
        )
    });
    let policy = prop::sample::select(
        &[
            PrimaryQuotePolicy::Latest,
            PrimaryQuotePolicy::First,
            PrimaryQuotePolicy::LowestPrice,
        ][..],
    );
    (shuffled, policy, 1..4_usize).prop_map(|((first, other), policy, workers)| Orders {
        policy,
        first,
        other,
        workers,
    })
}

async fn comes(db: &Db, late: uuid::Uuid, coming: &Coming) {
    match coming {
        Coming::Body((body, at)) => drop(keep(&db.pool, std::slice::from_ref(body), *at).await),
        Coming::Shown(one, other) => show(&db.pool, &[&[IDS[*one], IDS[*other]]]).await,
        Coming::Late => demo_data::set_trip_id(&db.pool, late, LATE_TRIP).await.unwrap(),
    }
}

/// One after the other, each worked off before the next comes.
async fn in_order(db: &Db, orders: &Orders) {
    let late = generators::sessions(&db.pool).await;
    let shift = shift_with_documents(&db.pool, orders.policy, Clock::Fixed(generators::now()));
    for coming in &orders.first {
        comes(db, late, coming).await;
        drain(&shift, "the only one").await;
    }
}

/// Shuffled, all of it twice, while several workers work.
async fn as_it_comes(db: &Db, orders: &Orders) {
    let late = generators::sessions(&db.pool).await;
    let shift = shift_with_documents(&db.pool, orders.policy, Clock::Fixed(generators::now()));
    let crew = Crew::start(&shift, orders.workers);
    for coming in &orders.other {
        comes(db, late, coming).await;
    }
    crew.finish().await;
}

/// Everything that must be alike.
async fn comparable(pool: &Pool) -> Vec<(&'static str, Value)> {
    let mut all = everything(pool).await;
    for (name, part) in &mut all {
        match (*name, part) {
            ("shown", Value::Object(quotes)) => {
                for quote in quotes.values_mut() {
                    quote.as_object_mut().unwrap().remove("session");
                }
            }
            ("timeline", Value::Array(lines)) => lines.retain(|line| line[1] == "quote_received"),
            _ => {}
        }
    }
    all
}

#[test]
fn events_of_either_id_and_the_documents_that_join_them_end_alike_in_any_order() {
    let runtime = Runtime::new().unwrap();
    generators::check(CASES, &orders(), |orders| {
        runtime.block_on(async {
            let (reference, db) = (Db::new().await, Db::new().await);
            tokio::join!(in_order(&reference, &orders), as_it_comes(&db, &orders));
            assert_same(&comparable(&reference.pool).await, &comparable(&db.pool).await);
            assert_eq!((dead_jobs(&reference.pool).await, dead_jobs(&db.pool).await), (0, 0));
        });
    });
}
