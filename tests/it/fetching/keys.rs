//! Claiming by key: all jobs of a key together, by the leader only, and as many keys as there are permits.

mod failed;
mod recording_handler;
mod running;

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::queue::claim::{Claim, Claimer};
use avinode_ingest::queue::claim_by_key::ClaimByKey;
use avinode_ingest::queue::handler::{JobBatch, JobHandler};
use avinode_ingest::queue::job_kind::JobKind::{self, FetchNotified, Reconcile};
use avinode_ingest::queue::leader::LeaderLease;
use avinode_ingest::queue::rate_limit::limiter::Permit;
use avinode_ingest::queue::rate_limit::state::{CallOutcome, RemainingQuota};
use avinode_ingest::queue::rate_limit::token_bucket::RateLimit;
use avinode_ingest::queue::release;
use recording_handler::RecordingHandler;
use tokio::task::JoinSet;

use super::setup::{TestLimiter, lease};
use crate::support::cluster::Db;
use crate::support::pool::Pool;

const KINDS: [JobKind; 2] = [FetchNotified, Reconcile];
const LEASE: Duration = Duration::from_secs(60);

/// One call in a thousand seconds: a test sees the burst and no more.
fn limiter(burst: u32) -> TestLimiter {
    TestLimiter::new(RateLimit {
        per_second: 0.001,
        burst,
    })
}

async fn claimer(pool: &Pool, limiter: &TestLimiter, handler: Arc<dyn JobHandler>) -> ClaimByKey {
    ClaimByKey {
        kinds: &KINDS,
        handler,
        limiter: limiter.limiter.clone(),
        lease: lease(pool, "a test").await,
        max_failed: 2,
        max_speculative: 2,
        spare_permits: 0,
    }
}

/// Claims with this burst, and with nothing to serve them.
async fn claims(pool: &Pool, burst: u32) -> ClaimByKey {
    claimer(pool, &limiter(burst), RecordingHandler::new(pool)).await
}

async fn claim(pool: &Pool, claimer: &ClaimByKey, most: usize, worker: &str) -> Claim {
    claimer.claim(pool, worker, most, LEASE).await.unwrap()
}

fn permit(batch: &JobBatch) -> &Permit {
    batch.permit.as_ref().unwrap()
}

/// Jobs by kind, key and seconds until they are due.
async fn queue(pool: &Pool, jobs: &[(JobKind, &str, f64)]) {
    for (kind, key, due_in) in jobs {
        sqlx::query(
            "INSERT INTO avinode_ingest.jobs (kind, key, due_at)
             VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))",
        )
        .bind(kind.as_str())
        .bind(key)
        .bind(due_in)
        .execute(pool)
        .await
        .unwrap();
    }
}

fn key(batch: &JobBatch) -> &str {
    batch.jobs[0].key.as_deref().unwrap()
}

fn keys(claim: &Claim) -> Vec<(&str, usize)> {
    let counts = claim.batches.iter().map(|batch| (key(batch), batch.jobs.len()));
    counts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_jobs_of_a_key_are_claimed_together_with_its_retries_that_are_not_due() {
    let db = Db::new().await;
    let limiter = claims(&db.pool, 10).await;
    let later = 3600.0;
    queue(
        &db.pool,
        &[
            (FetchNotified, "a", 0.0),
            (FetchNotified, "b", later),
            (FetchNotified, "a", later),
            (Reconcile, "a", 0.0),
        ],
    )
    .await;
    let claimed = claim(&db.pool, &limiter, 10, "w").await;
    assert_eq!(keys(&claimed), [("a", 3)]);
    assert!(claimed.jobs().all(|job| job.created_at < job.claimed_at));
    assert_eq!(keys(&claim(&db.pool, &limiter, 10, "w").await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_come_while_their_key_is_served_are_claimed_afterwards() {
    let db = Db::new().await;
    let limiter = claims(&db.pool, 10).await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    let first = claim(&db.pool, &limiter, 10, "w").await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0), (FetchNotified, "b", 0.0)]).await;
    let second = claim(&db.pool, &limiter, 10, "x").await;
    assert_eq!(keys(&second), [("b", 1)], "and holds up no other key");
    release::release(&db.pool, first.jobs()).await.unwrap();
    assert_eq!(keys(&claim(&db.pool, &limiter, 10, "x").await), [("a", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_urgent_kind_comes_first_and_then_the_longest_due() {
    let db = Db::new().await;
    let limiter = claims(&db.pool, 10).await;
    let jobs = [
        (Reconcile, "r", -90.0),
        (FetchNotified, "late", -1.0),
        (FetchNotified, "early", -60.0),
        (Reconcile, "late", -99.0),
    ];
    queue(&db.pool, &jobs).await;
    let claimed = claim(&db.pool, &limiter, 2, "w").await;
    // A key is as urgent as its most urgent job, and due since the first of them.
    assert_eq!(keys(&claimed), [("late", 2), ("early", 1)]);
    assert_eq!(keys(&claim(&db.pool, &limiter, 2, "w").await), [("r", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_takes_no_more_keys_than_there_are_permits_and_returns_how_long_until_the_next() {
    let db = Db::new().await;
    let claimer = claims(&db.pool, 3).await;
    let names: Vec<String> = (0..6).map(|n| format!("k{n}")).collect();
    for name in &names {
        queue(&db.pool, &[(FetchNotified, name, 0.0)]).await;
    }
    let mut claimed = claim(&db.pool, &claimer, 10, "w").await;
    assert_eq!(claimed.batches.len(), 3);
    let waiting = claim(&db.pool, &claimer, 10, "w").await;
    let wait = waiting.wait.unwrap();
    assert!(
        waiting.batches.is_empty() && wait == Duration::from_secs(1000),
        "{wait:?}"
    );
    drop(claimed.batches.pop());
    let mut next = claim(&db.pool, &claimer, 10, "w").await;
    assert_eq!(next.batches.len(), 1, "what was not called is there again");

    drop(permit(&next.batches[0]).start().unwrap());
    assert!(permit(&next.batches[0]).start().is_none(), "one call each");
    drop(next.batches.pop());
    let waiting = claim(&db.pool, &claimer, 10, "w").await;
    let wait = waiting.wait.unwrap();
    assert!(waiting.batches.is_empty(), "and what was called is used");
    assert!(
        (Duration::from_secs(990)..Duration::from_secs(1000)).contains(&wait),
        "{wait:?}: it refills since the call's end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_compete_one_leads_and_the_others_claim_nothing() {
    let db = Db::new().await;
    for n in 0..40 {
        let key = format!("k{n}");
        queue(
            &db.pool,
            &[
                (FetchNotified, &key, 0.0),
                (FetchNotified, &key, 0.0),
                (Reconcile, &key, 0.0),
            ],
        )
        .await;
    }
    let mut processes = JoinSet::new();
    for process in 0..6 {
        let pool = db.pool.clone();
        processes.spawn(async move {
            let holder = format!("p{process}");
            let lease = LeaderLease {
                pool: pool.service(),
                name: "contested".into(),
                holder: holder.clone(),
            };
            let leads = lease.hold(LEASE, None).await.unwrap().is_some();
            let claimer = ClaimByKey {
                kinds: &KINDS,
                handler: RecordingHandler::new(&pool),
                limiter: limiter(31).limiter,
                lease,
                max_failed: 2,
                max_speculative: 2,
                spare_permits: 0,
            };
            let mut taken = Vec::new();
            for _ in 0..16 {
                taken.extend(claim(&pool, &claimer, 3, &holder).await.batches);
            }
            (leads, taken)
        });
    }
    let (leaders, others): (Vec<_>, Vec<_>) = processes.join_all().await.into_iter().partition(|(leads, _)| *leads);
    assert_eq!(leaders.len(), 1);
    assert!(
        others.iter().all(|(_, taken)| taken.is_empty()),
        "whatever they believe"
    );
    let taken = &leaders[0].1;
    let mut distinct: Vec<&str> = taken.iter().map(key).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(
        (taken.len(), distinct.len()),
        (31, 31),
        "as many as there are permits, each key once"
    );
    assert!(taken.iter().all(|batch| batch.jobs.len() == 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_credentials_hold_back_the_keys_that_were_refused_and_all_once_there_is_no_other() {
    let db = Db::new().await;
    let claimer = claims(&db.pool, 10).await;
    queue(
        &db.pool,
        &[
            (FetchNotified, "a", 0.0),
            (FetchNotified, "b", 0.0),
            (FetchNotified, "c", 0.0),
        ],
    )
    .await;
    // While only untried keys are claimed, the newest comes first.
    for refused in ["a", "c", "b"] {
        let claimed = claim(&db.pool, &claimer, 1, "w").await;
        assert_eq!(keys(&claimed), [(refused, 1)]);
        let rejected = CallOutcome::Unauthorized {
            key: refused.to_owned(),
            reason: "401".to_owned(),
            retried: false,
        };
        let call = permit(&claimed.batches[0]).start().unwrap();
        call.report(&rejected, RemainingQuota::default());
        release::release(&db.pool.service(), claimed.jobs()).await.unwrap();
    }
    for _ in 0..2 {
        assert!(claim(&db.pool, &claimer, 10, "w").await.batches.is_empty());
    }
    let claimed = claim(&db.pool, &claimer, 10, "w").await;
    assert!(claimed.batches.is_empty() && claimed.wait.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_long_queue_nor_a_flood_for_one_key_makes_a_claim_slow() {
    let db = Db::new().await;
    let limiter = claims(&db.pool, 40).await;
    for (key, jobs) in [("'flood'", 20_000), ("'k' || n", 50_000)] {
        let insert = format!(
            "INSERT INTO avinode_ingest.jobs (kind, key) SELECT 'fetch_notified', {key} FROM generate_series(1, {jobs}) AS jobs (n)"
        );
        db.run(&insert).await;
    }
    let first = claim(&db.pool, &limiter, 8, "w").await;
    assert_eq!(keys(&first), [("flood", 256)], "the others have the next turn");
    let mut took = Vec::new();
    for _ in 0..3 {
        let began = std::time::Instant::now();
        let claimed = claim(&db.pool, &limiter, 8, "w").await;
        took.push(began.elapsed());
        assert_eq!(claimed.batches.len(), 8, "though the flood came first");
    }
    // On a quiet machine some 20 ms, most of it for passing over the flood.
    assert!(took.iter().min().unwrap() < &Duration::from_millis(400), "{took:?}");
}
