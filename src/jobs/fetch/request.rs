//! The fetch that the jobs of a key request. A notification that cannot be served ends here, without harming the others.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::avinode::notification::{Notification, ThinNotification};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::avinode::unread_property::UnreadProperty;
use crate::domain::ids::TripId;
use crate::domain::terminal_text::is_unsafe;
use crate::jobs::work::REDACTED_DELIVERY;
use crate::queue::handler::UnfinishedJobs;
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::JobOutcome;
use crate::store::deliveries::StoredDelivery;

/// Types of resources that are notified and have no meaning for sessions.
const IGNORED_TYPES: [&str; 2] = ["emptylegs", "leads"];

#[derive(Debug, Default, Clone)]
pub(super) struct FetchRequest {
    /// `None` if none of the jobs needs a fetch.
    pub(super) resource: Option<Resource>,
    /// The jobs that need it, oldest first.
    pub(super) jobs: Vec<ClaimedJob>,
    /// When the last of their notifications was received.
    pub(super) received_at: Option<DateTime<Utc>>,
    /// By the database's clock, before anything is called.
    pub(super) claimed_at: DateTime<Utc>,
    /// The trip that the newest notification names.
    pub(super) trip: Option<TripId>,
    /// Parts of the notifications that were sent and not understood.
    pub(super) unread: Vec<UnreadProperty>,
    /// Jobs that need no fetch.
    pub(super) outcomes: Vec<JobOutcome>,
    /// Jobs that cannot be served, and those of the same id that need another resource and wait for their turn.
    pub(super) unfinished: UnfinishedJobs,
}

impl FetchRequest {
    /// Reads the jobs of a key. `verify` returns why a link does not lead to the resource.
    pub(super) fn read(
        key: &str,
        jobs: &[ClaimedJob],
        deliveries: &HashMap<Uuid, StoredDelivery>,
        verify: impl Fn(&str, &Resource) -> Result<(), String>,
    ) -> Self {
        let mut request = Self {
            claimed_at: jobs.iter().map(|job| job.claimed_at).min().unwrap_or_default(),
            ..Self::default()
        };
        for job in jobs {
            match read(key, job, deliveries, &verify) {
                Ok(JobRequest::Ignored(why)) => request.outcomes.push(JobOutcome::new(job.id, "ignored", why)),
                Ok(JobRequest::Fetch {
                    resource,
                    received_at,
                    trip,
                    unread,
                }) => {
                    if request.resource.get_or_insert_with(|| resource.clone()) == &resource {
                        request.jobs.push(job.clone());
                        request.received_at = request.received_at.max(received_at);
                        request.trip = trip.or(request.trip.take());
                        request.unread.extend(unread);
                    } else {
                        let snooze = JobError::snooze(
                            "another resource of the same id is fetched first",
                            Duration::from_secs(1),
                        );
                        request.unfinished.push((job.id, snooze));
                    }
                }
                Err(error) => request.unfinished.push((job.id, error)),
            }
        }
        request
    }

    /// When the newest of the jobs was inserted.
    pub(super) fn newest(&self) -> DateTime<Utc> {
        let newest = self.jobs.iter().map(|job| job.created_at).max();
        newest.unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The same error for all jobs.
    pub(super) fn all_failed(&self, error: &JobError) -> UnfinishedJobs {
        self.jobs.iter().map(|job| (job.id, error.clone())).collect()
    }
}

enum JobRequest {
    Ignored(String),
    /// The resource, and what its notification says.
    Fetch {
        resource: Resource,
        received_at: Option<DateTime<Utc>>,
        trip: Option<TripId>,
        unread: Vec<UnreadProperty>,
    },
}

fn read(
    key: &str,
    job: &ClaimedJob,
    deliveries: &HashMap<Uuid, StoredDelivery>,
    verify: impl Fn(&str, &Resource) -> Result<(), String>,
) -> Result<JobRequest, JobError> {
    if job.kind != JobKind::FetchNotified {
        let resource =
            Resource::by_key(key).ok_or_else(|| JobError::fail(format!("invalid key {key:?}: not a resource id")))?;
        return Ok(JobRequest::Fetch {
            resource,
            received_at: None,
            trip: None,
            unread: Vec::new(),
        });
    }
    let stored = job.delivery_id.and_then(|id| deliveries.get(&id));
    let stored = stored.ok_or_else(|| JobError::fail("its delivery was deleted"))?;
    if stored.is_redacted {
        return Ok(JobRequest::Ignored(REDACTED_DELIVERY.to_owned()));
    }
    let thin = match Notification::parse(&stored.body) {
        Ok(Notification::Thin(thin)) => thin,
        Ok(Notification::Full(_)) => return Err(JobError::fail("expected a thin notification, found a full event")),
        Err(error) => return Err(JobError::fail(error.to_string())),
    };
    let kind = thin.kind.as_deref().map(str::trim).unwrap_or_default();
    if let Some(ignored) = IGNORED_TYPES.iter().find(|ignored| kind.eq_ignore_ascii_case(ignored)) {
        return Ok(JobRequest::Ignored(format!(
            "{ignored} have no meaning for sessions and are not fetched"
        )));
    }
    let mut resource = resource(&thin)?;
    if let Err(why) = verify(&thin.href, &resource) {
        // Without a type, only the link tells a trip from the list of its RFQs.
        resource.kind = ResourceKind::Rfqs;
        let is_list = thin.kind.is_none() && resource.is_rfqs_of_trip() && verify(&thin.href, &resource).is_ok();
        if !is_list {
            return Err(JobError::fail(format!("link not followed: {why}")));
        }
    }
    Ok(JobRequest::Fetch {
        resource,
        received_at: Some(stored.received_at),
        trip: thin.trip,
        unread: thin.unread,
    })
}

/// The resource by the notification's type, or, where it has none, by its id. The type `rfqs` with the id of a trip is the list of
/// the trip's RFQs.
fn resource(thin: &ThinNotification) -> Result<Resource, JobError> {
    let Some(word) = &thin.kind else {
        let resource = Resource::by_id(&thin.id);
        return resource
            .ok_or_else(|| JobError::fail(format!("no type, and none known for the id {}", thin.id.as_str())));
    };
    let kind = ResourceKind::parse(word).ok_or_else(|| {
        // At most a few printable words of the sender's.
        let word: String = word.chars().filter(|c| !is_unsafe(*c)).take(100).collect();
        JobError::fail(format!("unknown type of resource {word:?}"))
    })?;
    let resource = Resource {
        kind,
        id: thin.id.clone(),
    };
    match Resource::by_id(&thin.id).filter(|known| known.kind != kind) {
        Some(other) if !resource.is_rfqs_of_trip() => {
            Err(JobError::fail(format!("type {kind} does not match the id of {other}")))
        }
        _ => Ok(resource),
    }
}

#[cfg(test)]
mod tests;
