//! Order does not matter: any permutation, duplication and split of the same deliveries over workers ends in the same
//! sessions, facts and ledger (invariants 2 and 3), for each policy.
//!
//! Compared is everything visible, with three exceptions that follow from what is being told. `quote_changed` and
//! `rfq_declined` lines say that a fact is newer than the one known, which depends on what was known. A row of
//! `public.quotes` keeps the last price that was ever shown where the newest fact has none. And `received_at` there is
//! the earliest fact at the time of its first showing.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::demo_data;
use chrono::Duration;
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::support::bodies::{at, base, quote};
use crate::support::cluster::Db;
use crate::support::generators::{self, LATE_TRIP, Sent, deliveries};
use crate::support::service::{drain, keep, shift};
use crate::support::snapshot::{assert_same, dead_jobs, everything};
use crate::support::worker_pool::Crew;

/// Databases are made anew for every case: few cases, each with a score of deliveries.
const CASES: u32 = 8;

/// How the same deliveries come another time.
#[derive(Debug, Clone)]
struct Otherwise {
    /// In another order, some of them more than once.
    sent: Vec<Sent>,
    /// How many are received in one commit, in turn.
    together: Vec<usize>,
    workers: usize,
    /// When the late session gets its trip id: after so many commits.
    late: usize,
}

fn otherwise() -> impl Strategy<Value = (Vec<Sent>, Otherwise)> {
    let cases = deliveries().prop_flat_map(|sent| {
        let copies = prop::collection::vec(prop::sample::select(&[1_usize, 1, 2, 3][..]), sent.len());
        (Just(sent), copies)
    });
    cases.prop_flat_map(|(sent, copies)| {
        let again: Vec<Sent> = sent
            .iter()
            .zip(copies)
            .flat_map(|(one, times)| vec![one.clone(); times])
            .collect();
        let together = prop::collection::vec(1..12_usize, 1..4);
        let other = (Just(again).prop_shuffle(), together, 2..4_usize, 0..6_usize).prop_map(
            |(sent, together, workers, late)| Otherwise {
                sent,
                together,
                workers,
                late,
            },
        );
        (Just(sent), other)
    })
}

/// One after the other, by one worker.
async fn in_order(db: &Db, policy: PrimaryQuotePolicy, sent: &[Sent]) {
    let late = generators::sessions(&db.pool).await;
    demo_data::set_trip_id(&db.pool, late, LATE_TRIP).await.unwrap();
    let shift = shift(&db.pool, policy, Clock::Fixed(generators::now()));
    for (body, received_at) in sent {
        keep(&db.pool, std::slice::from_ref(body), *received_at).await;
        drain(&shift, "the only one").await;
    }
}

/// Shuffled and repeated, in several commits, while several workers work.
async fn as_it_comes(db: &Db, policy: PrimaryQuotePolicy, other: &Otherwise) {
    let late = generators::sessions(&db.pool).await;
    let crew = Crew::start(&shift(&db.pool, policy, Clock::Fixed(generators::now())), other.workers);
    let mut sizes = other.together.iter().cycle();
    let mut rest = &other.sent[..];
    let mut commits = 0;
    loop {
        if commits == other.late {
            demo_data::set_trip_id(&db.pool, late, LATE_TRIP).await.unwrap();
        }
        if rest.is_empty() && commits >= other.late {
            break;
        }
        let (chunk, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        for (body, received_at) in chunk {
            keep(&db.pool, std::slice::from_ref(body), *received_at).await;
        }
        rest = later;
        commits += 1;
    }
    crew.finish().await;
}

fn any_order_ends_in_the_same_sessions(policy: PrimaryQuotePolicy) {
    let runtime = Runtime::new().unwrap();
    generators::check(CASES, &otherwise(), |(sent, other)| {
        runtime.block_on(async {
            let (reference, db) = (Db::new().await, Db::new().await);
            tokio::join!(in_order(&reference, policy, &sent), as_it_comes(&db, policy, &other));
            assert_same(&everything(&reference.pool).await, &everything(&db.pool).await);
            assert_eq!((dead_jobs(&reference.pool).await, dead_jobs(&db.pool).await), (0, 0));
        });
    });
}

#[test]
fn any_order_ends_in_the_same_sessions_by_the_policy_latest() {
    any_order_ends_in_the_same_sessions(PrimaryQuotePolicy::Latest);
}

#[test]
fn any_order_ends_in_the_same_sessions_by_the_policy_first() {
    any_order_ends_in_the_same_sessions(PrimaryQuotePolicy::First);
}

#[test]
fn any_order_ends_in_the_same_sessions_by_the_policy_lowest_price() {
    any_order_ends_in_the_same_sessions(PrimaryQuotePolicy::LowestPrice);
}

/// A quote whose older fact is valid for an hour and whose newer fact has expired, in both orders, and the expiry job of the
/// older fact runs when its time has come.
#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_a_newer_fact_replaced_adds_nothing_to_the_timeline() {
    let valid_until = |event_id: &str, sent: i64, until: i64| {
        let mut body = quote(event_id, "64956150", "arfq-1", "aquote-1", sent, "100", "USD");
        body["data"]["quote"]["validUntil"] = json!(at(until));
        (body, generators::now())
    };
    let older = valid_until("evt-1", 1, 3600);
    let newer = valid_until("evt-2", 2, 20);
    let mut seen = Vec::new();
    for sent in [[older.clone(), newer.clone()], [newer, older]] {
        let db = Db::new().await;
        in_order(&db, PrimaryQuotePolicy::Latest, &sent).await;
        sqlx::query("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp()")
            .execute(&db.pool)
            .await
            .unwrap();
        let later = Clock::Fixed(base() + Duration::seconds(3600));
        drain(&shift(&db.pool, PrimaryQuotePolicy::Latest, later), "a worker").await;
        assert_eq!(dead_jobs(&db.pool).await, 0);
        seen.push(everything(&db.pool).await);
    }
    assert_same(&seen[0], &seen[1]);
}
