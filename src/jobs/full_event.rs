//! Full events: a delivery is read into events, which are applied once.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

use super::apply::JobApplier;
use super::work::{ClaimedWork, JobPayload};
use crate::avinode::full_event::events;
use crate::avinode::notification::Notification;
use crate::avinode::parse_error::ParseError;
use crate::domain::job_kind::JobKind;
use crate::queue::job::{ClaimedJob, JobError, JobHandler};
use crate::store::deliveries::{self, StoredDelivery};

/// Applies full events.
pub struct FullEventHandler {
    /// The common way to the sessions.
    pub applier: Arc<JobApplier>,
    pub kind: JobKind,
    /// Past the event keys.
    pub replayed: bool,
}

impl JobHandler for FullEventHandler {
    fn kind(&self) -> JobKind {
        self.kind
    }

    fn batch_size(&self) -> i64 {
        64
    }

    fn perform<'a>(&'a self, jobs: &'a [ClaimedJob]) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>> {
        async move {
            let ids: Vec<_> = jobs.iter().filter_map(|job| job.delivery_id).collect();
            let mut begun = self.applier.begin(jobs).await?;
            let stored = deliveries::read(&mut begun.tx, &ids).await?;
            let mut unfinished = Vec::new();
            let mut works = Vec::with_capacity(jobs.len());
            for job in jobs {
                match job
                    .delivery_id
                    .and_then(|id| stored.get(&id))
                    .ok_or_else(gone)
                    .and_then(|it| self.read(it))
                {
                    Ok(payload) => works.push(ClaimedWork {
                        job: job.clone(),
                        payload,
                    }),
                    Err(error) => unfinished.push((job.id, error)),
                }
            }
            self.applier.apply(begun, &works).await?;
            Ok(unfinished)
        }
        .boxed()
    }
}

impl FullEventHandler {
    fn read(&self, stored: &StoredDelivery) -> Result<JobPayload, JobError> {
        let not_understood = |error: ParseError| JobError::fail(error.to_string());
        let Notification::Full(full) = Notification::parse(&stored.body).map_err(not_understood)? else {
            return Err(JobError::fail(
                "not understood: a thin notification in a full event's place",
            ));
        };
        let events = events(&full).map_err(not_understood)?;
        Ok(JobPayload::Events {
            event_id: full.event_id.filter(|_| !self.replayed),
            body_sha256: Sha256::digest(&stored.body).into(),
            received_at: stored.received_at,
            events,
        })
    }
}

fn gone() -> JobError {
    JobError::fail("its delivery is gone")
}
