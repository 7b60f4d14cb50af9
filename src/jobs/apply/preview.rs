//! Applies deliveries in a transaction that is rolled back, to find the sessions that a replay would change. It takes the steps of a
//! worker, with jobs that no other transaction sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::refused::ApplyError;
use super::{ApplyTx, JobApplier};
use crate::jobs::full_event;
use crate::jobs::replay;
use crate::jobs::work::ClaimedWork;
use crate::queue::enqueue::{self, NewJob};
use crate::queue::job::JobError;
use crate::store::write_mode::WriteMode;
use crate::store::{deliveries, timeline, tx};

/// The result of a preview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreviewedDeliveries {
    /// Sessions of which the row would change, or which would get an entry in their timeline.
    pub sessions: BTreeSet<Uuid>,
    /// Deliveries that would be dead-lettered.
    pub unreadable: usize,
}

impl JobApplier {
    /// Applies stored full events as their replay would, and rolls back.
    ///
    /// # Errors
    /// Nothing was changed, as ever.
    pub async fn preview(&self, ids: &[Uuid]) -> Result<PreviewedDeliveries, JobError> {
        match self.preview_as(ids, WriteMode::Together).await {
            Ok(previewed) => return Ok(previewed),
            Err(ApplyError::Job(error)) => return Err(error),
            Err(ApplyError::Refused(_)) => {}
        }
        match self.preview_as(ids, WriteMode::Separately).await {
            Ok(previewed) => Ok(previewed),
            Err(ApplyError::Job(error)) => Err(error),
            Err(ApplyError::Refused(error)) => Err(error.into()),
        }
    }

    async fn preview_as(&self, ids: &[Uuid], mode: WriteMode) -> Result<PreviewedDeliveries, ApplyError> {
        let began = Instant::now();
        let mut tx = tx::begin(&self.pool).await?;
        let mut stored: Vec<_> = deliveries::read(&mut tx, ids)
            .await?
            .into_values()
            .map(Arc::new)
            .collect();
        stored.sort_by_key(|delivery| delivery.id);
        let jobs: Vec<NewJob> = stored.iter().map(|it| replay::job(it.id, &it.body)).collect();
        let jobs = enqueue::insert_claimed(&mut tx, &jobs).await?;
        let mut previewed = PreviewedDeliveries::default();
        let mut works = Vec::with_capacity(jobs.len());
        for job in &jobs {
            let delivery = stored.iter().find(|delivery| Some(delivery.id) == job.delivery_id);
            match delivery.map(|delivery| full_event::read(delivery, true)) {
                Some(Ok(payload)) => works.push(ClaimedWork::new(job, payload)),
                Some(Err(_)) | None => previewed.unreadable += 1,
            }
        }
        if !works.is_empty() {
            let held: Vec<i64> = works.iter().map(|work| work.job.id).collect();
            let mut begun = ApplyTx { tx, held, began };
            let works: Vec<&ClaimedWork> = works.iter().collect();
            let applied = self.apply_in(&mut begun.tx, &begun.held, &works, mode).await?;
            let written: Vec<Uuid> = applied.sessions.written.iter().copied().collect();
            previewed.sessions = applied.sessions.rows;
            previewed
                .sessions
                .extend(timeline::sessions_with_new_entries(&mut begun.tx, &written).await?);
            begun.tx.rollback().await?;
        }
        Ok(previewed)
    }
}
