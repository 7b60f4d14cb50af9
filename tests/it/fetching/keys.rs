//! Claiming by key: all jobs of a key together, by the leader only, and as many keys as there are permits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::queue::claim::{self, Claim, Claimer};
use avinode_ingest::queue::claim_by_key::ClaimByKey;
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::{ClaimedJob, JobError};
use avinode_ingest::queue::job_kind::JobKind::{self, FetchNotified, Reconcile};
use avinode_ingest::queue::leader::LeaderLease;
use avinode_ingest::queue::outcomes::{self, JobOutcome};
use avinode_ingest::queue::rate_limit::limiter::Permit;
use avinode_ingest::queue::rate_limit::state::{CallOutcome, RemainingQuota};
use avinode_ingest::queue::rate_limit::token_bucket::RateLimit;
use avinode_ingest::queue::release;
use avinode_ingest::queue::worker::Worker;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::setup::{TestLimiter, lease};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
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
    }
}

/// Claims with this burst, and with nothing to serve them.
async fn claims(pool: &Pool, burst: u32) -> ClaimByKey {
    claimer(pool, &limiter(burst), Notes::new(pool)).await
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
                name: "contested",
                holder: holder.clone(),
            };
            let leads = lease.hold(LEASE, None).await.unwrap().is_some();
            let claimer = ClaimByKey {
                kinds: &KINDS,
                handler: Notes::new(&pool),
                limiter: limiter(31).limiter,
                lease,
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
async fn rejected_credentials_hold_back_every_key() {
    let db = Db::new().await;
    let claimer = claims(&db.pool, 10).await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0), (FetchNotified, "b", 0.0)]).await;
    let claimed = claim(&db.pool, &claimer, 1, "w").await;
    let rejected = CallOutcome::Unauthorized {
        reason: "401".to_owned(),
    };
    let call = permit(&claimed.batches[0]).start().unwrap();
    call.report(&rejected, RemainingQuota::default());
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

/// Notes the keys that it serves, and finishes their jobs.
struct Notes {
    pool: Pool,
    served: Mutex<Vec<(String, usize)>>,
    running: Mutex<Vec<(String, bool)>>,
    /// Pairs of keys that were served at the same time, and one of them was isolated.
    overlaps: Mutex<Vec<(String, String)>>,
}

impl Notes {
    fn new(pool: &Pool) -> Arc<Self> {
        Arc::new(Self {
            pool: pool.clone(),
            served: Mutex::default(),
            running: Mutex::default(),
            overlaps: Mutex::default(),
        })
    }

    fn begin(&self, batch: &JobBatch) {
        let (key, isolated) = (key(batch).to_owned(), batch.is_isolated());
        let mut running = self.running.lock().unwrap();
        let beside = running.iter().filter(|(_, other)| isolated || *other);
        let overlaps = beside.map(|(other, _)| (key.clone(), other.clone()));
        self.overlaps.lock().unwrap().extend(overlaps);
        running.push((key.clone(), isolated));
        self.served.lock().unwrap().push((key, batch.jobs.len()));
    }

    fn end(&self, batch: &JobBatch) {
        self.running.lock().unwrap().retain(|(other, _)| other != key(batch));
    }
}

impl JobHandler for Notes {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            drop(permit(batch).start().unwrap());
            self.begin(batch);
            let mut tx = self.pool.begin().await?;
            let held = claim::lock_held(&mut tx, &batch.jobs).await?;
            let outcome = |job| JobOutcome {
                job,
                outcome: "nothing",
                detail: String::new(),
            };
            outcomes::complete(&mut tx, &held.into_iter().map(outcome).collect::<Vec<_>>()).await?;
            tx.commit().await?;
            self.end(batch);
            Ok(vec![])
        }
        .boxed()
    }
}

fn worker(pool: &Pool, claimer: ClaimByKey) -> Worker {
    Worker {
        concurrency: 8,
        poll: Duration::from_millis(20),
        ..Worker::new(pool.service(), pool.service(), claimer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_taken_over_is_served_whole_and_while_nothing_else_is() {
    let db = Db::new().await;
    for _ in 0..50 {
        queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    }
    queue(&db.pool, &[(FetchNotified, "b", 0.0)]).await;
    let notes = Notes::new(&db.pool);
    let claimer = claimer(&db.pool, &limiter(10), notes.clone()).await;
    let lost = claimer.claim(&db.pool, "died", 1, Duration::ZERO).await.unwrap();
    assert_eq!(keys(&lost), [("a", 50)]);
    drop(lost);
    let step = worker(&db.pool, claimer).step("w").await.unwrap();
    assert_eq!((step.batches, step.jobs), (2, 51));
    assert_eq!(
        *notes.served.lock().unwrap(),
        [("b".to_owned(), 1), ("a".to_owned(), 50)]
    );
    assert_eq!(*notes.overlaps.lock().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_serves_a_key_that_was_taken_over_while_nothing_else_is() {
    let db = Db::new().await;
    let notes = Notes::new(&db.pool);
    let claimer = claimer(&db.pool, &limiter(100), notes.clone()).await;
    for n in 0..3 {
        queue(&db.pool, &[(FetchNotified, &format!("lost{n}"), 0.0)]).await;
    }
    let lost = claimer.claim(&db.pool, "died", 3, Duration::ZERO).await.unwrap();
    assert_eq!(lost.batches.len(), 3);
    drop(lost);
    for n in 0..20 {
        queue(&db.pool, &[(FetchNotified, &format!("k{n}"), 0.0)]).await;
    }
    let worker = Arc::new(worker(&db.pool, claimer));
    let shutdown = CancellationToken::new();
    let heartbeat = HeartbeatRegistry::new().register("a worker", Duration::from_secs(60));
    let (running, stop) = (worker.clone(), shutdown.clone());
    let running = tokio::spawn(async move { running.work("w", &heartbeat, &stop).await });
    eventually(PATIENCE, "all keys are served", async || {
        equal(notes.served.lock().unwrap().len(), 23)
    })
    .await;
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(*notes.overlaps.lock().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_crash_while_isolated_counts_towards_death() {
    let db = Db::new().await;
    let notes = Notes::new(&db.pool);
    let claimer = claimer(&db.pool, &limiter(50), notes.clone()).await;
    queue(
        &db.pool,
        &[(FetchNotified, "deadly", 0.0), (FetchNotified, "beside", 0.0)],
    )
    .await;
    let lose = || async { claimer.claim(&db.pool, "died", 8, Duration::ZERO).await.unwrap() };
    assert_eq!(lose().await.batches.len(), 2);
    for crashes in 0..3 {
        let claimed = lose().await;
        let deadly: Vec<&ClaimedJob> = claimed.jobs().collect();
        assert!(deadly.iter().all(|job| job.isolated));
        let deadly = deadly.iter().find(|job| job.key.as_deref() == Some("deadly")).unwrap();
        assert_eq!(deadly.crashes, crashes);
        assert!(
            release::begin_isolated(&db.pool, std::slice::from_ref(*deadly))
                .await
                .unwrap()
        );
    }
    let step = worker(&db.pool, claimer).step("w").await.unwrap();
    assert_eq!((step.batches, step.settled.dead), (2, 1));
    assert_eq!(*notes.served.lock().unwrap(), [("beside".to_owned(), 1)]);
    let dead: Vec<String> = sqlx::query_scalar("SELECT reason FROM avinode_ingest.dead_jobs")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(dead, ["its worker died 3 times while it ran isolated"]);
}

/// Calls for longer than its lease allows work for.
struct Slow;

impl JobHandler for Slow {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let call = permit(batch).start().unwrap();
            // The call is slower than its lease allows: there is no condition to wait for.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            drop(call);
            let failed = |job: &ClaimedJob| (job.id, JobError::fail("its call was awaited"));
            Ok(batch.jobs.iter().map(failed).collect())
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_longer_than_the_work_limit_of_the_leases_is_awaited() {
    let db = Db::new().await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    let claimer = claimer(&db.pool, &limiter(10), Arc::new(Slow)).await;
    let worker = Worker {
        lease: Duration::from_millis(200),
        min_work_limit: Duration::from_secs(10),
        ..worker(&db.pool, claimer)
    };
    worker.step("w").await.unwrap();
    let dead: Vec<String> = sqlx::query_scalar("SELECT reason FROM avinode_ingest.dead_jobs")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(dead, ["its call was awaited"]);
}
