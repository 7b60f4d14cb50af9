//! A worker that lost its lease changes nothing and finishes nothing (invariant 6); one that works on keeps it.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::registry;
use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::claim;
use avinode_ingest::queue::claim_by_kind::{self, ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::{ClaimedJob, JobError};
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::release::{self, RescheduledJob};
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::store::session_changes::SessionChanges;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::snapshot;
use crate::support::sql::count;
use crate::support::throughout::throughout;

async fn claim(pool: &Pool, limit: i64, worker: &str, lease: Duration) -> Vec<ClaimedJob> {
    claim_by_kind::claim(pool, &[(JobKind::FullEvent, limit)], worker, lease, false)
        .await
        .unwrap()
}

/// Performs full events under these claims.
async fn perform(pool: &Pool, jobs: &[ClaimedJob]) -> Result<UnfinishedJobs, JobError> {
    let handlers = registry::handlers(
        pool,
        PrimaryQuotePolicy::Latest,
        Clock::Fixed(base()),
        &SessionChanges::default(),
    );
    let handler = handlers.into_iter().find(|it| it.kind == JobKind::FullEvent).unwrap();
    let batch = JobBatch {
        handler: handler.handler.clone(),
        jobs: jobs.to_vec(),
        permit: None,
    };
    handler.handler.perform(&batch).await
}

async fn live(pool: &Pool) -> i64 {
    count(
        pool,
        "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'full_event'",
    )
    .await
}

async fn outcomes(pool: &Pool) -> i64 {
    count(pool, "SELECT count(*) FROM avinode_ingest.outcomes").await
}

/// Stores deliveries of so many quotes.
async fn store_quotes(pool: &Pool, quotes: usize) {
    let bodies: Vec<_> = (0..quotes)
        .map(|n| {
            let (event, rfq, id) = (format!("evt-{n}"), format!("arfq-{n}"), format!("q{n}"));
            quote(&event, "atrip-1", &rfq, &id, 0, "10000", "USD")
        })
        .collect();
    store_deliveries(pool, &bodies, base()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_lease_was_taken_over_changes_nothing_and_finishes_nothing() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    store_quotes(&db.pool, 3).await;
    let late = claim(&db.pool, 10, "late", Duration::ZERO).await;
    let holder = claim(&db.pool, 10, "holder", Duration::from_secs(60)).await;
    assert_eq!((late.len(), holder.len()), (3, 3));
    assert!(
        holder
            .iter()
            .all(|job| job.isolated && !late.iter().any(|one| one.token == job.token))
    );
    let before = snapshot(&db.pool).await;

    assert_eq!(perform(&db.pool, &late).await, Ok(vec![]));
    assert_eq!(snapshot(&db.pool).await, before, "applied nothing");
    for job in &late {
        assert!(
            !release::begin_isolated(&db.pool, std::slice::from_ref(job), true)
                .await
                .unwrap()
        );
        let back = RescheduledJob {
            job: job.clone(),
            delay: Duration::ZERO,
            counts_attempt: true,
            note: Some("late".to_owned()),
        };
        assert_eq!(release::reschedule(&db.pool, &[back]).await.unwrap(), 0);
        assert!(!release::dead_letter(&db.pool, job, "late").await.unwrap());
    }
    assert_eq!(
        claim::renew(&db.pool, &late, Duration::from_secs(600)).await.unwrap(),
        0
    );
    assert_eq!(release::release(&db.pool, &late).await.unwrap(), 0);
    assert_eq!(
        (live(&db.pool).await, outcomes(&db.pool).await),
        (3, 0),
        "finished nothing"
    );

    assert_eq!(perform(&db.pool, &holder).await, Ok(vec![]));
    assert_eq!((quote_count(&db.pool, session).await, outcomes(&db.pool).await), (3, 3));
    let after = snapshot(&db.pool).await;
    assert_eq!(perform(&db.pool, &late).await, Ok(vec![]));
    assert_eq!(snapshot(&db.pool).await, after, "nor after its jobs have gone");
    assert_eq!(outcomes(&db.pool).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_some_of_its_jobs_applies_the_others() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    store_quotes(&db.pool, 3).await;
    let late = claim(&db.pool, 10, "late", Duration::ZERO).await;
    let holder = claim(&db.pool, 1, "holder", Duration::from_secs(60)).await;
    assert_eq!(perform(&db.pool, &late).await, Ok(vec![]));
    assert_eq!((quote_count(&db.pool, session).await, live(&db.pool).await), (2, 1));
    assert_eq!(perform(&db.pool, &holder).await, Ok(vec![]));
    assert_eq!((quote_count(&db.pool, session).await, live(&db.pool).await), (3, 0));
}

/// Works until it is notified to end.
struct Slow {
    begun: Notify,
    end: Notify,
    pool: transaction::Pool,
}

impl JobHandler for Slow {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            self.begun.notify_one();
            self.end.notified().await;
            let mut tx = self.pool.begin().await?;
            let held = claim::lock_held(&mut tx, &batch.jobs).await?;
            assert_eq!(held.len(), batch.jobs.len());
            Ok(batch
                .jobs
                .iter()
                .map(|job| (job.id, JobError::fail("enough")))
                .collect())
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_keep_the_leases_of_work_that_takes_longer_than_a_lease() {
    let db = Db::new().await;
    store_quotes(&db.pool, 2).await;
    let lease = Duration::from_millis(900);
    let slow = Arc::new(Slow {
        begun: Notify::new(),
        end: Notify::new(),
        pool: db.pool.service(),
    });
    let claimer = ClaimByKind::new(vec![KindHandler {
        kind: JobKind::FullEvent,
        batch_size: 2,
        handler: slow.clone(),
    }]);
    let worker = Worker {
        lease,
        ..Worker::new(db.pool.service(), db.pool.service(), claimer)
    };
    let stepping = tokio::spawn(async move { worker.step("slow").await.unwrap() });
    slow.begun.notified().await;
    throughout(lease * 3, async || {
        assert_eq!(claim(&db.pool, 10, "eager", lease).await, []);
    })
    .await;
    slow.end.notify_one();
    let step = stepping.await.unwrap();
    assert_eq!((step.jobs, step.settled.dead), (2, 2));
}
