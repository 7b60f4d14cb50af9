//! Work that goes wrong: a handler that panics or never ends, and locks that last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::claim;
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::outcomes::{self, JobOutcome};
use avinode_ingest::queue::retry::RetryPolicy;
use avinode_ingest::queue::worker::Worker;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::PATIENCE;
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::pool::Pool;

/// The fault of the bad job.
#[derive(Clone, Copy)]
enum Fault {
    Panics,
    NeverEnds,
    MeetsLocks,
}

/// Finishes its jobs, but for the bad one (the second that was queued), which goes wrong so many times first.
struct FaultyHandler {
    wrong: Fault,
    times: AtomicUsize,
    bad: i64,
    pool: transaction::Pool,
    begun: Mutex<Vec<Vec<i64>>>,
    finished: mpsc::UnboundedSender<i64>,
}

impl JobHandler for FaultyHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let ids: Vec<i64> = batch.jobs.iter().map(|job| job.id).collect();
            self.begun.lock().unwrap().push(ids.clone());
            let again = |left: usize| left.checked_sub(1);
            if ids.contains(&self.bad)
                && self
                    .times
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, again)
                    .is_ok()
            {
                match self.wrong {
                    Fault::Panics => panic!("as a test wants it"),
                    Fault::NeverEnds => std::future::pending().await,
                    Fault::MeetsLocks => {
                        let contended = |id| (id, JobError::Contention("a lock".to_owned()));
                        return Ok(ids.into_iter().map(contended).collect());
                    }
                }
            }
            let mut tx = self.pool.begin().await?;
            let held = claim::lock_held(&mut tx, &batch.jobs).await?;
            let outcome = |job| JobOutcome::new(job, "nothing", "");
            outcomes::complete(&mut tx, &held.iter().copied().map(outcome).collect::<Vec<_>>()).await?;
            tx.commit().await?;
            for id in held {
                self.finished.send(id).unwrap();
            }
            Ok(vec![])
        }
        .boxed()
    }
}

/// Three jobs, the handler that the second of them meets, and what it finished.
async fn three_jobs(
    db: &Db,
    wrong: Fault,
    times: usize,
) -> (Arc<FaultyHandler>, Vec<i64>, mpsc::UnboundedReceiver<i64>) {
    store_deliveries(
        &db.pool,
        &[json!({"event": "a"}), json!({"event": "b"}), json!({"event": "c"})],
        base(),
    )
    .await;
    db.run("UPDATE avinode_ingest.jobs SET kind = 'full_event'").await;
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM avinode_ingest.jobs ORDER BY id")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    let (finished, finished_ids) = mpsc::unbounded_channel();
    let handler = FaultyHandler {
        wrong,
        times: AtomicUsize::new(times),
        bad: ids[1],
        pool: db.pool.service(),
        begun: Mutex::default(),
        finished,
    };
    (Arc::new(handler), ids, finished_ids)
}

fn worker(pool: &Pool, handler: &Arc<FaultyHandler>, lease: Duration) -> Arc<Worker> {
    let claimer = ClaimByKind::new(vec![KindHandler {
        kind: JobKind::FullEvent,
        batch_size: 10,
        handler: handler.clone(),
    }]);
    Arc::new(Worker {
        lease,
        poll: Duration::from_millis(10),
        retry: RetryPolicy {
            base: Duration::from_millis(4),
            max: Duration::from_millis(20),
            ..RetryPolicy::default()
        },
        ..Worker::new(pool.service(), pool.service(), claimer)
    })
}

/// Attempts of finished jobs, in order of id.
async fn attempts(db: &Db) -> Vec<i32> {
    sqlx::query_scalar("SELECT attempts FROM avinode_ingest.outcomes WHERE outcome = 'nothing' ORDER BY job_id")
        .fetch_all(&db.pool)
        .await
        .unwrap()
}

/// State of the bad job, which is not finished: held, attempts, failures.
async fn waiting(db: &Db) -> (bool, i32, Vec<String>) {
    sqlx::query_as("SELECT lease_token IS NOT NULL, attempts, history FROM avinode_ingest.jobs")
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_leaves_its_worker_alive_and_its_job_retried() {
    let db = Db::new().await;
    // In the batch, alone after it, and once more as a retry.
    let (handler, ids, mut finished) = three_jobs(&db, Fault::Panics, 3).await;
    let worker = worker(&db.pool, &handler, Duration::from_secs(60));
    let shutdown = CancellationToken::new();
    let pulse = HeartbeatRegistry::new().register("a worker", PATIENCE);
    let stop = shutdown.clone();
    let worker = tokio::spawn(async move { worker.work("a worker", &pulse, &stop).await });
    let mut done = Vec::new();
    while done.len() < ids.len() {
        let next = tokio::time::timeout(PATIENCE, finished.recv());
        done.push(next.await.expect("the job is tried again").unwrap());
    }
    assert!(!worker.is_finished());
    shutdown.cancel();
    worker.await.expect("the worker ends in order");
    assert_eq!(done, [ids[0], ids[2], ids[1]], "the neighbours did not wait for it");
    assert_eq!(attempts(&db).await, [1, 3, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_noted_in_the_history_of_its_job() {
    let db = Db::new().await;
    let (handler, ..) = three_jobs(&db, Fault::Panics, 2).await;
    let worker = worker(&db.pool, &handler, Duration::from_secs(60));
    let step = worker.step("a worker").await.unwrap();
    assert_eq!((step.jobs, step.settled.rescheduled, step.settled.dead), (3, 1, 0));
    let noted = vec!["the handler panicked, see the log for the place".to_owned()];
    assert_eq!(waiting(&db).await, (false, 1, noted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_outlasts_five_leases_is_given_up_and_retried() {
    let db = Db::new().await;
    let (handler, ids, _finished) = three_jobs(&db, Fault::NeverEnds, 2).await;
    let lease = Duration::from_millis(40);
    let worker = worker(&db.pool, &handler, lease);
    let began = std::time::Instant::now();
    let step = tokio::time::timeout(PATIENCE, worker.step("a worker"))
        .await
        .expect("it is given up")
        .unwrap();
    assert!(began.elapsed() >= lease * 5 * 2, "{:?}", began.elapsed());
    assert_eq!((step.jobs, step.settled.rescheduled, step.settled.dead), (3, 1, 0));
    let each: Vec<Vec<i64>> = ids.iter().map(|id| vec![*id]).collect();
    assert_eq!(*handler.begun.lock().unwrap(), [vec![ids.clone()], each].concat());
    let (held, counted, history) = waiting(&db).await;
    assert!(!held && counted == 1 && history.len() == 1, "{history:?}");
    assert!(history[0].starts_with("not finished within"), "{history:?}");

    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp()")
        .await;
    let step = worker.step("a worker").await.unwrap();
    assert_eq!((step.jobs, step.settled.rescheduled), (1, 0));
    assert_eq!(attempts(&db).await, [1, 2, 1]);
}

async fn clock(db: &Db) -> DateTime<Utc> {
    sqlx::query_scalar("SELECT clock_timestamp()")
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

/// The moment at which a job that was put back `at` is due: a twentieth of its age later, and two seconds at most.
fn due(at: DateTime<Utc>, created_at: DateTime<Utc>) -> DateTime<Utc> {
    at + ((at - created_at) / 20).min(chrono::Duration::seconds(2))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contended_job_waits_a_twentieth_of_its_age_and_two_seconds_at_most() {
    let db = Db::new().await;
    let (handler, ids, _finished) = three_jobs(&db, Fault::MeetsLocks, 1).await;
    for (id, seconds) in ids.iter().zip([10.0, 30.0, 3600.0]) {
        sqlx::query(
            "UPDATE avinode_ingest.jobs SET created_at = clock_timestamp() - make_interval(secs => $2) WHERE id = $1",
        )
        .bind(id)
        .bind(seconds)
        .execute(&db.pool)
        .await
        .unwrap();
    }
    let before = clock(&db).await;
    let worker = worker(&db.pool, &handler, Duration::from_secs(60));
    let step = worker.step("a worker").await.unwrap();
    let after = clock(&db).await;
    assert_eq!((step.jobs, step.settled.rescheduled, step.settled.dead), (3, 3, 0));
    let found: Vec<(i64, DateTime<Utc>, DateTime<Utc>, bool)> = sqlx::query_as(
        "SELECT id, created_at, due_at, lease_token IS NULL AND attempts = 0 AND history = '{}'
         FROM avinode_ingest.jobs ORDER BY id",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    // Postgres rounds the twentieth to a microsecond.
    let rounding = chrono::Duration::microseconds(2);
    let mut wrong = BTreeMap::new();
    for (id, created_at, due_at, clean) in found {
        assert!(clean, "contention costs no attempt and leaves no note");
        if due_at < due(before, created_at) - rounding || due_at > due(after, created_at) + rounding {
            wrong.insert(id, (before - created_at, due_at - before));
        }
    }
    assert_eq!(
        wrong,
        BTreeMap::new(),
        "age and wait of jobs that wait too long or not long enough"
    );
}
