//! The kinds of jobs take turns: a flood of one holds up the others for one batch at a time.

use std::sync::Arc;

use avinode_ingest::queue::claim::Claimer;
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::worker::Worker;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::support::cluster::Db;

struct NoWork;

impl JobHandler for NoWork {
    fn perform<'a>(&'a self, _: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async { Ok(vec![]) }.boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_has_its_turn_and_an_idle_worker_begins_with_the_most_urgent() {
    let db = Db::new().await;
    let insert = "INSERT INTO avinode_ingest.jobs (kind, key) SELECT";
    db.run(&format!(
        "{insert} 'rematch', n::text FROM generate_series(1, 3) AS n; {insert} 'quote_expiry', 'a'"
    ))
    .await;
    let kinds = [JobKind::FullEvent, JobKind::Rematch, JobKind::QuoteExpiry];
    let claimer = ClaimByKind::new(
        kinds
            .map(|kind| KindHandler {
                kind,
                batch_size: 1,
                handler: Arc::new(NoWork),
            })
            .into(),
    );
    let pool = db.pool.service();
    let mut claimed = Vec::new();
    for round in 0..7 {
        if round == 5 {
            db.run(&format!("{insert} 'quote_expiry', 'b'; {insert} 'rematch', '4'"))
                .await;
        }
        let claim = claimer
            .claim(&pool, "a worker", 1, Worker::DEFAULT_LEASE)
            .await
            .unwrap();
        claimed.push(claim.jobs().next().map(|job| job.kind.as_str()));
    }
    let (rematch, expiry) = (Some("rematch"), Some("quote_expiry"));
    assert_eq!(claimed, [rematch, expiry, rematch, rematch, None, rematch, expiry]);
}
