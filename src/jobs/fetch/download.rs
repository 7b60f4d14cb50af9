//! Asking Avinode for a resource, where it has to be asked at all and at this moment, and keeping what it answers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::request::FetchRequest;
use super::{FetchHandler, FetchedDocument, Unfinished, all, errors, follow_up};
use crate::avinode::client::avinode_client::ApiDocument;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::ids::TripId;
use crate::domain::job_kind::JobKind;
use crate::queue::claim_by_key::KeyBatch;
use crate::queue::enqueue::{self, InsertOptions};
use crate::queue::job::{ClaimedJob, JobError, JobOutcome};
use crate::queue::limit::Left;
use crate::store::{documents, trip_lookup};

impl FetchHandler {
    /// Asks for a resource and keeps its document. The inner error: there is none, and what is left unfinished.
    pub(super) async fn ask(
        &self,
        group: &KeyBatch,
        asked: &FetchRequest,
        resource: &Resource,
        fetched_at: Option<DateTime<Utc>>,
    ) -> Result<Result<FetchedDocument, Unfinished>, JobError> {
        // A second look is due whatever is known: what was to be learned of the trip by asking was its ids only.
        if fetched_at.is_none()
            && let Some(why) = self.needless(asked, resource).await?
        {
            self.finish(&asked.jobs, &nothing(&asked.jobs, why)).await?;
            return Ok(Err(Vec::new()));
        }
        if let Some(wait) = follow_up::leave_alone(fetched_at, &asked.jobs, asked.asked_at, self.settle) {
            let wait = JobError::wait(
                "it was fetched a moment ago; what is told of it since shares a call",
                wait,
            );
            return Ok(Err(all(&asked.jobs, &wait)));
        }
        let Some(under_way) = group.slot.start() else {
            let late = JobError::wait("its turn to call had passed", Duration::ZERO);
            return Ok(Err(all(&asked.jobs, &late)));
        };
        let fetched = self.client.get(resource).await;
        drop(under_way);
        tracing::debug!(%resource, jobs = asked.jobs.len(), error = ?fetched.result.as_ref().err(), "fetched");
        let left = Left {
            limit: fetched.budget.limit,
            remaining: fetched.budget.remaining,
            reset: fetched.budget.reset,
        };
        let error = fetched.result.as_ref().err();
        let was_stopped = self.tell(group, errors::verdict(&group.key, error), left).await;
        let refused = self.refused_before(error, &asked.jobs, was_stopped).await?;
        match fetched.result {
            Ok(document) => Ok(Ok(self.keep(asked, resource, document, fetched.began_at).await?)),
            Err(error) => {
                let now = self.applier.clock.now();
                let (outcomes, unfinished) = errors::remedies(&error, &asked.jobs, &refused, now);
                self.finish(&asked.jobs, &outcomes).await?;
                Ok(Err(unfinished))
            }
        }
    }

    /// Why nothing is to be fetched, where that is so: what it was to tell is known by now.
    async fn needless(&self, asked: &FetchRequest, resource: &Resource) -> Result<Option<&'static str>, JobError> {
        if resource.kind != ResourceKind::Trips || asked.jobs.iter().any(|job| job.kind != JobKind::FetchFollowUp) {
            return Ok(None);
        }
        let Ok(trip) = TripId::parse(resource.id.as_str()) else {
            return Ok(None);
        };
        let mut tx = self.applier.pool.begin().await?;
        let joined = trip_lookup::is_joined(&mut tx, trip.as_str()).await?;
        tx.commit().await?;
        Ok(joined.then_some("it is known by now whose the trip is"))
    }

    /// Keeps a document, durably, before anything is made of it, and with it that it is to be looked at once more.
    async fn keep(
        &self,
        asked: &FetchRequest,
        resource: &Resource,
        document: ApiDocument,
        began_at: DateTime<Utc>,
    ) -> Result<FetchedDocument, JobError> {
        let fetched = documents::NewDocument {
            resource: resource.id.as_str(),
            kind: resource.kind.as_str(),
            asked_at: asked.asked_at,
            began_at,
            // Not of the whole body: what stands around the data differs with each answer. A map's names are in order.
            digest: Sha256::digest(document.data.to_string()).into(),
            body: &document.body,
        };
        let mut tx = self.applier.pool.begin().await?;
        let same = documents::keep(&mut tx, &fetched).await?;
        if follow_up::is_doubtful(same, &asked.jobs, asked.asked_at, self.settle) {
            let again = follow_up::look_again(resource, self.settle);
            enqueue::insert(&mut tx, &[again], InsertOptions::default()).await?;
        }
        tx.commit().await?;
        Ok(FetchedDocument {
            data: document.data,
            asked_at: asked.asked_at,
            began_at,
            same,
        })
    }
}

fn nothing(jobs: &[ClaimedJob], why: &str) -> Vec<JobOutcome> {
    let outcome = |job: &ClaimedJob| JobOutcome {
        job: job.id,
        outcome: "nothing",
        detail: why.to_owned(),
    };
    jobs.iter().map(outcome).collect()
}
