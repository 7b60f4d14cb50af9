//! Order does not matter: any permutation, duplication and distribution of the same deliveries over workers ends in the same
//! sessions, facts and ledger (guarantees 2 and 3), for each policy.
//!
//! The snapshots contain everything visible, with three exceptions. Entries `quote_changed` and `rfq_declined` say that a
//! fact is newer than the known one, so they depend on what was known. A row of `public.quotes` keeps the last price ever
//! projected if the newest fact has none. And its `received_at` is the earliest fact at the time of its first projection.

mod polls;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use chrono::Duration;
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;

use self::polls::Poll;
use crate::support::bodies::{at, base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_at;
use crate::support::generators::{self, LATE_TRIP, ReceivedBody, deliveries};
use crate::support::sessions::set_trip_id;
use crate::support::snapshot::{assert_same, dead_jobs, snapshot};
use crate::support::worker::{run_until_idle, worker_at, worker_with_policy};
use crate::support::worker_pool::WorkerPool;

/// Every case needs new databases: few cases, each with about twenty deliveries.
const CASES: u32 = 8;

/// Another run with the same deliveries.
#[derive(Debug, Clone)]
struct ShuffledRun {
    /// Shuffled, some of them more than once.
    bodies: Vec<ReceivedBody>,
    /// The numbers of deliveries received in one commit, in turn.
    commit_sizes: Vec<usize>,
    workers: usize,
    /// The number of commits after which the last session gets its trip id.
    commits_before_trip_id: usize,
}

fn runs() -> impl Strategy<Value = (Vec<ReceivedBody>, ShuffledRun)> {
    let cases = deliveries().prop_flat_map(|bodies| {
        let copies = prop::collection::vec(prop::sample::select(&[1_usize, 1, 2, 3][..]), bodies.len());
        (Just(bodies), copies)
    });
    cases.prop_flat_map(|(bodies, copies)| {
        let copied: Vec<ReceivedBody> = bodies
            .iter()
            .zip(copies)
            .flat_map(|(one, times)| vec![one.clone(); times])
            .collect();
        let commit_sizes = prop::collection::vec(1..12_usize, 1..4);
        let shuffled = (Just(copied).prop_shuffle(), commit_sizes, 2..4_usize, 0..6_usize).prop_map(
            |(bodies, commit_sizes, workers, commits_before_trip_id)| ShuffledRun {
                bodies,
                commit_sizes,
                workers,
                commits_before_trip_id,
            },
        );
        (Just(bodies), shuffled)
    })
}

/// One delivery after the other, by one worker. Each poll of the application comes before the delivery with its number.
async fn run_in_order(db: &Db, policy: PrimaryQuotePolicy, bodies: &[ReceivedBody], polls: &[Poll]) {
    let late = generators::sessions(&db.pool).await;
    set_trip_id(&db.pool, late, Some(LATE_TRIP)).await;
    let worker = worker_with_policy(&db.pool, policy, Clock::Fixed(generators::now()));
    for (number, (body, received_at)) in bodies.iter().enumerate() {
        polls::write(db, polls, number).await;
        store_at(&db.pool, &serde_json::to_vec(body).unwrap(), *received_at).await;
        run_until_idle(&worker).await;
    }
    polls::write_rest(db, polls, bodies.len()).await;
}

/// Shuffled and repeated deliveries, in several commits, with several concurrent workers. Each poll comes before the commit with its
/// number.
async fn run_shuffled(db: &Db, policy: PrimaryQuotePolicy, run: &ShuffledRun, polls: &[Poll]) {
    let late = generators::sessions(&db.pool).await;
    let workers = WorkerPool::start(
        &worker_with_policy(&db.pool, policy, Clock::Fixed(generators::now())),
        run.workers,
    );
    let mut sizes = run.commit_sizes.iter().cycle();
    let mut rest = &run.bodies[..];
    let mut commits = 0;
    loop {
        if commits == run.commits_before_trip_id {
            set_trip_id(&db.pool, late, Some(LATE_TRIP)).await;
        }
        if rest.is_empty() && commits >= run.commits_before_trip_id {
            break;
        }
        polls::write(db, polls, commits).await;
        let (chunk, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        for (body, received_at) in chunk {
            store_at(&db.pool, &serde_json::to_vec(body).unwrap(), *received_at).await;
        }
        rest = later;
        commits += 1;
    }
    polls::write_rest(db, polls, commits).await;
    workers.finish().await;
}

fn any_order_ends_in_the_same_sessions(policy: PrimaryQuotePolicy) {
    let runtime = Runtime::new().unwrap();
    generators::check(CASES, &runs(), |(bodies, shuffled)| {
        runtime.block_on(async {
            let (reference, db) = (Db::new().await, Db::new().await);
            tokio::join!(
                run_in_order(&reference, policy, &bodies, &[]),
                run_shuffled(&db, policy, &shuffled, &[])
            );
            assert_same(&snapshot(&reference.pool).await, &snapshot(&db.pool).await);
            assert_eq!((dead_jobs(&reference.pool).await, dead_jobs(&db.pool).await), (0, 0));
        });
    });
}

#[test]
fn any_order_ends_in_the_same_sessions_with_the_policy_latest() {
    any_order_ends_in_the_same_sessions(PrimaryQuotePolicy::Latest);
}

#[test]
fn any_order_ends_in_the_same_sessions_with_the_policy_first() {
    any_order_ends_in_the_same_sessions(PrimaryQuotePolicy::First);
}

#[test]
fn any_order_ends_in_the_same_sessions_with_the_policy_lowest_price() {
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
        run_in_order(&db, PrimaryQuotePolicy::Latest, &sent, &[]).await;
        db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp()")
            .await;
        let later = Clock::Fixed(base() + Duration::seconds(3600));
        run_until_idle(&worker_at(&db.pool, later)).await;
        assert_eq!(dead_jobs(&db.pool).await, 0);
        seen.push(snapshot(&db.pool).await);
    }
    assert_same(&seen[0], &seen[1]);
}
