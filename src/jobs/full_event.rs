//! Full events: a delivery is parsed into events, which are applied once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::apply::JobApplier;
use super::fetch::status;
use super::work::{ClaimedWork, JobPayload, REDACTED_DELIVERY};
use super::{kinds, unread_subject};
use crate::avinode::full_event;
use crate::avinode::notification::Notification;
use crate::avinode::parse_error::ParseError;
use crate::domain::ids::EventId;
use crate::domain::trip::Provenance;
use crate::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::rate_limit::status::LimiterStatus;
use crate::store::deliveries::{self, StoredDelivery};
use crate::store::delivery_subjects::{self, DeliverySubject};
use crate::store::event_keys::EventKey;

pub struct FullEventHandler {
    pub applier: Arc<JobApplier>,
    /// Ignores the event keys.
    pub replay: bool,
}

impl JobHandler for FullEventHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let ids: Vec<_> = batch.jobs.iter().filter_map(|job| job.delivery_id).collect();
            let mut begun = self.applier.begin(&batch.jobs).await?;
            let stored = deliveries::read(&mut begun.tx, &ids).await?;
            let stored: HashMap<Uuid, Arc<StoredDelivery>> = stored
                .into_iter()
                .map(|(id, delivery)| (id, Arc::new(delivery)))
                .collect();
            let mut unfinished = Vec::new();
            let mut unread = Vec::new();
            let mut works = Vec::with_capacity(batch.jobs.len());
            for job in &batch.jobs {
                let delivery = job.delivery_id.and_then(|id| stored.get(&id));
                let read = delivery.map(|it| read(it, self.replay));
                match read.unwrap_or_else(|| Err(JobError::fail("its delivery was deleted"))) {
                    Ok(payload) => works.push(ClaimedWork::new(job, payload)),
                    Err(error) => {
                        unread.extend(delivery.map(|it| unread_delivery(job, it)));
                        unfinished.push((job.id, error));
                    }
                }
            }
            let names_resources = works.iter().any(|work| !work.follow_ups().is_empty());
            if names_resources {
                // No second connection while one is held.
                drop(begun);
                if status::read(&self.applier.pool).await? == LimiterStatus::Unserved {
                    works.iter_mut().for_each(ClaimedWork::drop_optional_follow_ups);
                }
                begun = self.applier.begin(&batch.jobs).await?;
            }
            self.applier.apply(begun, &works, None).await?;
            if !unread.is_empty() {
                let mut tx = self.applier.pool.begin().await?;
                delivery_subjects::insert(&mut tx, &unread).await?;
                tx.commit().await?;
            }
            Ok(unfinished)
        }
        .boxed()
    }
}

/// The subject of a delivery that will be dead-lettered.
fn unread_delivery(job: &ClaimedJob, stored: &StoredDelivery) -> DeliverySubject {
    DeliverySubject {
        delivery: stored.id,
        job: job.id,
        subject: unread_subject::of_body(&stored.body),
        sessions: Vec::new(),
    }
}

/// Parses a stored full event; `replay`: past the event keys.
pub(super) fn read(stored: &Arc<StoredDelivery>, replay: bool) -> Result<JobPayload, JobError> {
    if stored.is_redacted {
        return Ok(JobPayload::Ignored {
            reason: REDACTED_DELIVERY.to_owned(),
            event_id: None,
        });
    }
    let fail = |error: ParseError| JobError::fail(error.to_string());
    let Notification::Full(full) = Notification::parse(&stored.body).map_err(fail)? else {
        return Err(JobError::fail("expected a full event, found a thin notification"));
    };
    let parsed = full_event::read(&full, stored.received_at).map_err(fail)?;
    if parsed.is_ignored {
        let reason = format!("{} has no meaning for sessions", full.event);
        let event_id = full.event_id;
        return Ok(JobPayload::Ignored { reason, event_id });
    }
    let key = |event_id: EventId| EventKey {
        event_id: event_id.to_string(),
        delivery_id: stored.id,
        body_sha256: Sha256::digest(&stored.body).to_vec(),
    };
    Ok(JobPayload::Events {
        event_id: full.event_id.clone(),
        key: full.event_id.filter(|_| !replay).map(key),
        source: "the event".to_owned(),
        same_trip: Vec::new(),
        events: parsed.events,
        provenance: Provenance::Notified(stored.received_at),
        follow_ups: parsed
            .to_fetch
            .iter()
            .map(|it| kinds::follow_up(it, Duration::ZERO))
            .collect(),
        delivery: Some(Arc::clone(stored)),
        unread: parsed.unread,
    })
}
