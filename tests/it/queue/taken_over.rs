//! Jobs that are taken over after a crash.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::claim::Claim;
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::release::{self, RescheduledJob};
use avinode_ingest::queue::worker::{Worker, WorkerStep};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::support::cluster::Db;
use crate::support::sql::{count, text};
use crate::support::worker::finish;

const JOBS: usize = 400;

/// Finishes its jobs, or stands still.
struct Finish {
    pool: transaction::Pool,
    sizes: Mutex<Vec<usize>>,
    stands_still: Option<Notify>,
}

impl JobHandler for Finish {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            self.sizes.lock().unwrap().push(batch.jobs.len());
            if let Some(begun) = &self.stands_still {
                begun.notify_one();
                return std::future::pending().await;
            }
            finish(&self.pool, batch).await
        }
        .boxed()
    }
}

/// A crowd of jobs under the leases of a worker that has died.
struct Crowd {
    db: Db,
    handler: Arc<Finish>,
    worker: Worker,
}

impl Crowd {
    async fn taken_over() -> Self {
        Self::of(JOBS, None).await
    }

    async fn of(jobs: usize, stands_still: Option<Notify>) -> Self {
        let db = Db::new().await;
        db.run(&format!(
            "INSERT INTO avinode_ingest.jobs (kind) SELECT 'full_event' FROM generate_series(1, {jobs})"
        ))
        .await;
        let handler = Arc::new(Finish {
            pool: db.pool.service(),
            sizes: Mutex::default(),
            stands_still,
        });
        let claimer = ClaimByKind::new(vec![KindHandler {
            kind: JobKind::FullEvent,
            batch_size: jobs.try_into().unwrap(),
            handler: handler.clone(),
        }]);
        let worker = Worker::new(db.pool.service(), db.pool.service(), claimer);
        let crowd = Self { db, handler, worker };
        assert_eq!(crowd.claim().await.batches.len(), 1, "all together at first");
        crowd.crash().await;
        crowd
    }

    async fn claim(&self) -> Claim {
        let Worker { claimer, lease, .. } = &self.worker;
        claimer
            .claim(&self.db.pool.service(), "doomed", 1, *lease)
            .await
            .unwrap()
    }

    async fn crash(&self) {
        release::expire_leases(&self.db.pool.service(), "doomed").await.unwrap();
    }

    async fn step(&self) -> WorkerStep {
        self.worker.step("a worker").await.unwrap()
    }

    fn sizes(&self) -> Vec<usize> {
        std::mem::take(&mut self.handler.sizes.lock().unwrap())
    }
}

/// By the marks that the worker itself sets when a run begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_a_small_batch_makes_its_jobs_suspected_and_one_of_a_run_alone_counts() {
    let marks = "SELECT concat_ws(' ', count(isolated_since), count(*) FILTER (WHERE suspected), sum(crashes))
        FROM avinode_ingest.jobs";
    for (jobs, begun, crashed) in [(JOBS, "20 0 0", "0 20 0"), (5, "1 1 0", "0 1 1")] {
        let crowd = Crowd::of(jobs, Some(Notify::new())).await;
        tokio::select! {
            _ = crowd.worker.step("doomed") => unreachable!("it stands still"),
            () = crowd.handler.stands_still.as_ref().unwrap().notified() => {}
        }
        assert_eq!(text(&crowd.db.pool, marks).await.as_deref(), Some(begun), "{jobs} jobs");
        crowd.crash().await;
        let claimed = crowd.claim().await;
        assert_eq!(
            text(&crowd.db.pool, marks).await.as_deref(),
            Some(crashed),
            "{jobs} jobs"
        );
        // Served to an end, they are no more suspected than others.
        let again = claimed.jobs().map(|job| RescheduledJob {
            job: job.clone(),
            delay: Duration::ZERO,
            counts_attempt: true,
            note: Some("failed".to_owned()),
        });
        release::reschedule(&crowd.db.pool.service(), &again.collect::<Vec<_>>())
            .await
            .unwrap();
        let suspected = "SELECT count(*) FROM avinode_ingest.jobs WHERE suspected OR isolated";
        assert_eq!(count(&crowd.db.pool, suspected).await, 0);
    }
}

/// One by one, they held up new events for longer than the ten seconds of guarantee 13.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_batch_whose_worker_died_is_redone_in_small_batches() {
    let crowd = Crowd::taken_over().await;
    let step = crowd.step().await;
    assert_eq!((step.jobs, step.settled.dead), (JOBS, 0));
    assert_eq!(crowd.sizes(), [20; 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadly_job_of_a_large_batch_is_found_by_one_more_crash_and_only_runs_alone_count() {
    let crowd = Crowd::taken_over().await;
    let deadly = count(&crowd.db.pool, "SELECT min(id) + 150 FROM avinode_ingest.jobs").await;
    let mut of_the_deadly = Vec::new();
    for _ in 0..=crowd.worker.retry.max_crashes {
        let claim = crowd.claim().await;
        for batch in &claim.batches {
            assert!(batch.jobs.iter().all(|job| job.id == deadly || job.crashes == 0));
            assert!(
                release::begin_isolated(&crowd.db.pool.service(), &batch.jobs, batch.is_alone())
                    .await
                    .unwrap()
            );
            if batch.jobs.iter().any(|job| job.id == deadly) {
                of_the_deadly.push(batch.jobs.len());
                break;
            }
            assert_eq!(batch.handler.perform(batch).await.unwrap(), []);
        }
        crowd.crash().await;
    }
    assert_eq!(of_the_deadly, [20, 1, 1, 1]);
    crowd.sizes();
    let step = crowd.step().await;
    assert_eq!(
        (step.settled.dead, step.jobs),
        (1, 1),
        "the others were finished before the deadly one ran again"
    );
    let dead = "SELECT id FROM avinode_ingest.dead_jobs WHERE crashes = 3";
    assert_eq!(count(&crowd.db.pool, dead).await, deadly);
    let finished = "SELECT count(*) FROM avinode_ingest.outcomes WHERE outcome = 'nothing'";
    assert_eq!(
        usize::try_from(count(&crowd.db.pool, finished).await).unwrap(),
        JOBS - 1
    );
}
