//! Claiming by key: all jobs of a key at once, one worker a key, and as many keys as there are slots.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avinode_ingest::domain::job_kind::JobKind::{self, FetchNotified, Reconcile};
use avinode_ingest::queue::claim_by_key::{self, KeyBatch, KeyClaim, KeyHandler};
use avinode_ingest::queue::job::{ClaimedJob, JobError, JobOutcome};
use avinode_ingest::queue::limit::pace::Limit;
use avinode_ingest::queue::limit::{Left, Verdict};
use avinode_ingest::queue::limiter::Limiter;
use avinode_ingest::queue::rate_limited_worker::RateLimitedWorker;
use avinode_ingest::queue::retry::RetryPolicy;
use avinode_ingest::queue::{claim, release};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use crate::support::cluster::Db;
use crate::support::pool::Pool;

const KINDS: [JobKind; 2] = [FetchNotified, Reconcile];
const LEASE: Duration = Duration::from_secs(60);

async fn limiter(pool: &Pool, burst: u32) -> Limiter {
    let limiter = Limiter {
        name: "a test's",
        // One in a thousand seconds: a test sees the burst and no more.
        limit: Limit {
            per_second: 0.001,
            burst,
        },
        caller: "me".to_owned(),
        call_within: Duration::from_secs(30),
        ended: Arc::default(),
    };
    limiter.register(pool).await.unwrap();
    limiter
}

async fn claim(pool: &Pool, limiter: &Limiter, most: u32, worker: &str) -> KeyClaim {
    claim_by_key::claim(pool, limiter, &KINDS, most, worker, LEASE)
        .await
        .unwrap()
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

fn keys(claim: &KeyClaim) -> Vec<(&str, usize)> {
    claim
        .groups
        .iter()
        .map(|group| (group.key.as_str(), group.jobs.len()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_jobs_of_a_key_are_claimed_together_and_its_waiting_retries_with_them() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 10).await;
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
    assert!(
        claimed.groups[0]
            .jobs
            .iter()
            .all(|job| job.created_at < claimed.groups[0].claimed_at)
    );
    assert_eq!(keys(&claim(&db.pool, &limiter, 10, "w").await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_a_key_is_served_has_a_turn_of_its_own_afterwards() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 10).await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    let first = claim(&db.pool, &limiter, 10, "w").await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0), (FetchNotified, "b", 0.0)]).await;
    let second = claim(&db.pool, &limiter, 10, "x").await;
    assert_eq!(keys(&second), [("b", 1)], "and holds up no other key");
    release::release(&db.pool, &first.groups[0].jobs).await.unwrap();
    assert_eq!(keys(&claim(&db.pool, &limiter, 10, "x").await), [("a", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_urgent_kind_comes_first_and_what_is_due_for_longest() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 10).await;
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
async fn a_claim_takes_no_more_keys_than_there_are_slots_and_tells_how_long_until_the_next() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 3).await;
    let names: Vec<String> = (0..6).map(|n| format!("k{n}")).collect();
    for name in &names {
        queue(&db.pool, &[(FetchNotified, name, 0.0)]).await;
    }
    let mut claimed = claim(&db.pool, &limiter, 10, "w").await;
    assert_eq!(claimed.groups.len(), 3);
    let waiting = claim(&db.pool, &limiter, 10, "w").await;
    let wait = waiting.wait.unwrap();
    assert!(
        waiting.groups.is_empty() && wait == Duration::from_secs(1000),
        "{wait:?}"
    );
    drop(claimed.groups.pop());
    let mut next = claim(&db.pool, &limiter, 10, "w").await;
    assert_eq!(next.groups.len(), 1, "what was not called is there again");

    drop(next.groups[0].slot.start().unwrap());
    drop(next.groups.pop());
    let waiting = claim(&db.pool, &limiter, 10, "w").await;
    let wait = waiting.wait.unwrap();
    assert!(waiting.groups.is_empty(), "and what was called is used");
    assert!(
        (Duration::from_secs(990)..Duration::from_secs(1000)).contains(&wait),
        "{wait:?}: it fills since the call's end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_slot_is_told_to_all_with_the_next_claim_or_at_the_end_of_work() {
    let db = Db::new().await;
    let one = limiter(&db.pool, 2).await;
    let other = Limiter {
        ended: Arc::default(),
        ..one.clone()
    };
    for key in ["a", "b", "c", "d", "e"] {
        queue(&db.pool, &[(FetchNotified, key, 0.0)]).await;
    }
    let mut claimed = claim(&db.pool, &one, 10, "one").await;
    drop(claimed.groups.pop());
    assert_eq!(keys(&claim(&db.pool, &other, 10, "other").await), [], "not known yet");
    // This one says so in its claim, and takes the slot again.
    let again = claim(&db.pool, &one, 10, "one").await;
    assert_eq!(again.groups.len(), 1);
    drop(again);
    one.tell(&db.pool).await.unwrap();
    assert_eq!(claim(&db.pool, &other, 10, "other").await.groups.len(), 1);
    // What could not be told is not forgotten.
    drop(claimed);
    db.run("ALTER TABLE avinode_ingest.limiters RENAME TO away").await;
    assert!(one.tell(&db.pool).await.is_err());
    db.run("ALTER TABLE avinode_ingest.away RENAME TO limiters").await;
    one.tell(&db.pool).await.unwrap();
    assert_eq!(claim(&db.pool, &other, 10, "other").await.groups.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_claim_at_once_never_take_one_key_twice_nor_one_slot() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 31).await;
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
    let mut workers = JoinSet::new();
    for worker in 0..6 {
        let (pool, limiter) = (db.pool.clone(), limiter.clone());
        workers.spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..8 {
                let claimed = claim(&pool, &limiter, 3, &format!("w{worker}")).await;
                taken.extend(claimed.groups);
            }
            taken
        });
    }
    let taken: Vec<KeyBatch> = workers.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<&String> = taken.iter().map(|group| &group.key).collect();
    assert_eq!(taken.len(), distinct.len(), "{taken:?}");
    assert_eq!(taken.len(), 31, "as many as there are slots");
    assert!(taken.iter().all(|group| group.jobs.len() == 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_holds_up_all_workers_of_those_credentials() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 10).await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    let refused = Verdict::Refused("401".to_owned());
    limiter.hear(&db.pool, &refused, Left::default()).await.unwrap();
    let claimed = claim(&db.pool, &limiter, 10, "w").await;
    assert!(claimed.groups.is_empty() && claimed.wait.is_some());
    let other = Limiter {
        caller: "other".to_owned(),
        ..limiter
    };
    assert_eq!(keys(&claim(&db.pool, &other, 10, "w").await), [("a", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_long_queue_nor_a_flood_for_one_key_makes_a_claim_slow() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 40).await;
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
        assert_eq!(claimed.groups.len(), 8, "though the flood came first");
    }
    // On a quiet machine some 20 ms, most of it for passing over the flood.
    assert!(took.iter().min().unwrap() < &Duration::from_millis(400), "{took:?}");
}

/// Notes what it is given and finishes it.
struct Notes {
    pool: Pool,
    served: Mutex<Vec<(String, usize)>>,
}

impl KeyHandler for Notes {
    fn kinds(&self) -> &'static [JobKind] {
        &KINDS
    }

    fn perform<'a>(&'a self, group: &'a KeyBatch) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>> {
        async move {
            let under_way = group.slot.start().unwrap();
            drop(under_way);
            self.served.lock().unwrap().push((group.key.clone(), group.jobs.len()));
            let mut tx = self.pool.begin().await?;
            let held = claim::lock_held(&mut tx, &group.jobs).await?;
            let outcome = |job| JobOutcome {
                job,
                outcome: "nothing",
                detail: String::new(),
            };
            claim::complete(&mut tx, &held.into_iter().map(outcome).collect::<Vec<_>>()).await?;
            tx.commit().await?;
            Ok(vec![])
        }
        .boxed()
    }
}

fn paced(pool: &Pool, limiter: Limiter, handler: Arc<Notes>) -> RateLimitedWorker {
    RateLimitedWorker {
        pool: pool.service(),
        leases: pool.service(),
        limiter,
        handler,
        at_once: 8,
        lease: LEASE,
        poll: Duration::from_millis(20),
        retry: RetryPolicy::default(),
        bell: Arc::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_taken_over_is_served_whole_and_while_nothing_else_is() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 10).await;
    for _ in 0..50 {
        queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    }
    queue(&db.pool, &[(FetchNotified, "b", 0.0)]).await;
    let lost = claim_by_key::claim(&db.pool, &limiter, &KINDS, 1, "died", Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(keys(&lost), [("a", 50)]);
    let handler = Arc::new(Notes {
        pool: db.pool.clone(),
        served: Mutex::default(),
    });
    let worker = paced(&db.pool, limiter, handler.clone());
    assert_eq!(worker.step("w").await.unwrap().jobs, 50);
    assert_eq!(worker.step("w").await.unwrap().jobs, 1);
    assert_eq!(
        *handler.served.lock().unwrap(),
        [("a".to_owned(), 50), ("b".to_owned(), 1)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_crash_while_alone_counts_towards_death() {
    let db = Db::new().await;
    let limiter = limiter(&db.pool, 50).await;
    queue(
        &db.pool,
        &[(FetchNotified, "deadly", 0.0), (FetchNotified, "beside", 0.0)],
    )
    .await;
    let lose = || async {
        claim_by_key::claim(&db.pool, &limiter, &KINDS, 9, "died", Duration::ZERO)
            .await
            .unwrap()
    };
    assert_eq!(lose().await.groups.len(), 2);
    for crashes in 0..3 {
        let claimed = lose().await;
        let deadly: Vec<&ClaimedJob> = claimed.groups.iter().flat_map(|group| &group.jobs).collect();
        assert!(deadly.iter().all(|job| job.isolated));
        let deadly = deadly.iter().find(|job| job.key.as_deref() == Some("deadly")).unwrap();
        assert_eq!(deadly.crashes, crashes);
        assert!(
            release::begin_isolated(&db.pool, std::slice::from_ref(*deadly))
                .await
                .unwrap()
        );
    }
    let handler = Arc::new(Notes {
        pool: db.pool.clone(),
        served: Mutex::default(),
    });
    let worker = paced(&db.pool, limiter.clone(), handler.clone());
    for _ in 0..2 {
        worker.step("w").await.unwrap();
    }
    assert_eq!(*handler.served.lock().unwrap(), [("beside".to_owned(), 1)]);
    let dead: Vec<String> = sqlx::query_scalar("SELECT reason FROM avinode_ingest.dead_jobs")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(dead, ["its worker died 3 times while its key ran alone"]);
}

/// Calls for longer than its lease allows work for.
struct Slow;

impl KeyHandler for Slow {
    fn kinds(&self) -> &'static [JobKind] {
        &KINDS
    }

    fn perform<'a>(&'a self, group: &'a KeyBatch) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>> {
        async move {
            let under_way = group.slot.start().unwrap();
            tokio::time::sleep(Duration::from_millis(1500)).await;
            drop(under_way);
            Ok(group
                .jobs
                .iter()
                .map(|job| (job.id, JobError::fail("its call was heard out")))
                .collect())
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_longer_than_leases_are_given_work_for_is_heard_out() {
    let db = Db::new().await;
    let limiter = Limiter {
        call_within: Duration::from_secs(5),
        ..limiter(&db.pool, 10).await
    };
    queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    let notes = Arc::new(Notes {
        pool: db.pool.clone(),
        served: Mutex::default(),
    });
    let worker = RateLimitedWorker {
        handler: Arc::new(Slow),
        lease: Duration::from_millis(200),
        ..paced(&db.pool, limiter, notes)
    };
    worker.step("w").await.unwrap();
    let dead: Vec<String> = sqlx::query_scalar("SELECT reason FROM avinode_ingest.dead_jobs")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(dead, ["its call was heard out"]);
}
