//! A handler that records the keys it serves.

use std::sync::{Arc, Mutex};

use avinode_ingest::queue::claim::{self};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::outcomes::{self, JobOutcome};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{key, permit};
use crate::support::pool::Pool;

/// RecordingHandler the keys that it serves, and finishes their jobs.
pub struct RecordingHandler {
    pool: Pool,
    pub served: Mutex<Vec<(String, usize)>>,
    running: Mutex<Vec<(String, bool)>>,
    /// Pairs of keys that were served at the same time, and one of them was isolated.
    pub overlaps: Mutex<Vec<(String, String)>>,
}

impl RecordingHandler {
    pub fn new(pool: &Pool) -> Arc<Self> {
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

impl JobHandler for RecordingHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            drop(permit(batch).start().unwrap());
            self.begin(batch);
            let mut tx = self.pool.begin().await?;
            let held = claim::lock_held(&mut tx, &batch.jobs).await?;
            let outcome = |job| JobOutcome::new(job, "nothing", "");
            outcomes::complete(&mut tx, &held.into_iter().map(outcome).collect::<Vec<_>>()).await?;
            tx.commit().await?;
            self.end(batch);
            Ok(vec![])
        }
        .boxed()
    }
}
