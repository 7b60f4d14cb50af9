//! A worker that lost its lease changes nothing and finishes nothing (invariant 6); one that works on keeps it.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::job_kind::JobKind;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::registry::registry;
use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::claim;
use avinode_ingest::queue::job::{ClaimedJob, JobError, JobHandler};
use avinode_ingest::queue::release::{self, RescheduledJob};
use avinode_ingest::queue::retry::RetryPolicy;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::store::admin;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service::{keep, session};
use crate::support::snapshot::everything;

async fn claim(pool: &Pool, limit: i64, worker: &str, lease: Duration) -> Vec<ClaimedJob> {
    claim::claim(pool, &[(JobKind::FullEvent, limit)], worker, lease)
        .await
        .unwrap()
}

fn handler(pool: &Pool) -> Arc<dyn JobHandler> {
    let handlers = registry(pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base()));
    handlers
        .into_iter()
        .find(|handler| handler.kind() == JobKind::FullEvent)
        .unwrap()
}

async fn live(pool: &Pool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'full_event'")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn outcomes(pool: &Pool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.outcomes")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn counted(pool: &Pool, session: Uuid) -> i32 {
    admin::sessions(pool, &[session]).await.unwrap()[0].quotes_received_count
}

async fn kept(pool: &Pool, quotes: usize) {
    let bodies: Vec<_> = (0..quotes)
        .map(|n| {
            let (event, rfq, id) = (format!("evt-{n}"), format!("arfq-{n}"), format!("q{n}"));
            quote(&event, "atrip-1", &rfq, &id, 0, "10000", "USD")
        })
        .collect();
    keep(pool, &bodies, base()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_lease_was_taken_over_changes_nothing_and_finishes_nothing() {
    let db = Db::new().await;
    let session = session(&db.pool, Some("atrip-1")).await;
    kept(&db.pool, 3).await;
    let late = claim(&db.pool, 10, "late", Duration::ZERO).await;
    let holder = claim(&db.pool, 10, "holder", Duration::from_secs(60)).await;
    assert_eq!((late.len(), holder.len()), (3, 3));
    assert!(
        holder
            .iter()
            .all(|job| job.isolated && !late.iter().any(|one| one.token == job.token))
    );
    let before = everything(&db.pool).await;

    let handler = handler(&db.pool);
    assert_eq!(handler.perform(&late).await, Ok(vec![]));
    assert_eq!(everything(&db.pool).await, before, "applied nothing");
    for job in &late {
        assert!(
            !release::begin_isolated(&db.pool, std::slice::from_ref(job))
                .await
                .unwrap()
        );
        let back = RescheduledJob {
            job: job.clone(),
            delay: Duration::ZERO,
            counts: true,
            noted: Some("late".to_owned()),
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

    assert_eq!(handler.perform(&holder).await, Ok(vec![]));
    assert_eq!((counted(&db.pool, session).await, outcomes(&db.pool).await), (3, 3));
    let after = everything(&db.pool).await;
    assert_eq!(handler.perform(&late).await, Ok(vec![]));
    assert_eq!(everything(&db.pool).await, after, "nor after its jobs have gone");
    assert_eq!(outcomes(&db.pool).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_some_of_its_jobs_applies_the_others() {
    let db = Db::new().await;
    let session = session(&db.pool, Some("atrip-1")).await;
    kept(&db.pool, 3).await;
    let late = claim(&db.pool, 10, "late", Duration::ZERO).await;
    let holder = claim(&db.pool, 1, "holder", Duration::from_secs(60)).await;
    assert_eq!(handler(&db.pool).perform(&late).await, Ok(vec![]));
    assert_eq!((counted(&db.pool, session).await, live(&db.pool).await), (2, 1));
    assert_eq!(handler(&db.pool).perform(&holder).await, Ok(vec![]));
    assert_eq!((counted(&db.pool, session).await, live(&db.pool).await), (3, 0));
}

/// Works until it is told to end.
struct Slow {
    begun: Notify,
    end: Notify,
    pool: transaction::Pool,
}

impl JobHandler for Slow {
    fn kind(&self) -> JobKind {
        JobKind::FullEvent
    }

    fn batch_size(&self) -> i64 {
        2
    }

    fn perform<'a>(&'a self, jobs: &'a [ClaimedJob]) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>> {
        async move {
            self.begun.notify_one();
            self.end.notified().await;
            let mut tx = self.pool.begin().await?;
            let held = claim::lock_held(&mut tx, jobs).await?;
            assert_eq!(held.len(), jobs.len());
            Ok(jobs.iter().map(|job| (job.id, JobError::fail("enough"))).collect())
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_keep_the_leases_of_work_that_takes_longer_than_a_lease() {
    let db = Db::new().await;
    kept(&db.pool, 2).await;
    let lease = Duration::from_millis(900);
    let slow = Arc::new(Slow {
        begun: Notify::new(),
        end: Notify::new(),
        pool: db.pool.service(),
    });
    let shift = Arc::new(Worker {
        pool: db.pool.service(),
        leases: db.pool.service(),
        handlers: vec![slow.clone()],
        lease,
        poll: Duration::from_millis(20),
        retry: RetryPolicy::default(),
        wake: Arc::new(Notify::new()),
    });
    let stepping = tokio::spawn(async move { shift.step("slow", &CancellationToken::new()).await.unwrap() });
    slow.begun.notified().await;
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < lease * 3 {
        assert_eq!(claim(&db.pool, 10, "eager", lease).await, []);
        tokio::time::sleep(lease / 20).await;
    }
    slow.end.notify_one();
    let step = stepping.await.unwrap();
    assert_eq!((step.claimed, step.died), (2, 2));
}
