//! What the jobs of a key ask for: each notification is read and its link vouched for, and what cannot be served ends here,
//! without harming the others of its key.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::avinode::notification::{Notification, ThinNotification};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::avinode::resource_id::ResourceId;
use crate::domain::ids::TripId;
use crate::domain::job_kind::JobKind;
use crate::queue::job::{ClaimedJob, JobError, JobOutcome};
use crate::store::deliveries::StoredDelivery;

/// Types of resources that are notified of and are about no trip.
const NOT_FOLLOWED: [&str; 2] = ["emptylegs", "leads"];

/// What the jobs of a key ask for.
#[derive(Debug, Default)]
pub(super) struct FetchRequest {
    /// What is to be fetched; `None` where no job is left that asks for anything.
    pub(super) resource: Option<Resource>,
    /// The jobs that ask for it, oldest first.
    pub(super) jobs: Vec<ClaimedJob>,
    /// When the last of their notifications was received; `None` where nobody told.
    pub(super) received_at: Option<DateTime<Utc>>,
    /// When they were claimed, by the database's clock: before anything is called for them.
    pub(super) asked_at: DateTime<Utc>,
    /// The trip that a notification names; the newest word counts.
    pub(super) trip: Option<TripId>,
    /// Jobs that ask for nothing.
    pub(super) outcomes: Vec<JobOutcome>,
    /// Jobs that cannot be served, and those of the same id that ask for another resource and have to wait for their turn.
    pub(super) unfinished: Vec<(i64, JobError)>,
}

impl FetchRequest {
    /// Reads the jobs of a key. `vouch` tells why a link is not one to the resource.
    pub(super) fn read(
        key: &str,
        jobs: &[ClaimedJob],
        asked_at: DateTime<Utc>,
        deliveries: &HashMap<Uuid, StoredDelivery>,
        vouch: impl Fn(&str, &Resource) -> Result<(), String>,
    ) -> Self {
        let mut asked = Self {
            asked_at,
            ..Self::default()
        };
        for job in jobs {
            match read(key, job, deliveries, &vouch) {
                Ok(JobRequest::Nothing(why)) => asked.outcomes.push(JobOutcome {
                    job: job.id,
                    outcome: "nothing",
                    detail: why,
                }),
                Ok(JobRequest::This {
                    resource,
                    received_at,
                    trip,
                }) => {
                    if asked.resource.get_or_insert_with(|| resource.clone()) == &resource {
                        asked.jobs.push(job.clone());
                        asked.received_at = asked.received_at.max(received_at);
                        asked.trip = trip.or(asked.trip.take());
                    } else {
                        let wait =
                            JobError::wait("another resource of the same id comes first", Duration::from_secs(1));
                        asked.unfinished.push((job.id, wait));
                    }
                }
                Err(error) => asked.unfinished.push((job.id, error)),
            }
        }
        asked
    }

    /// When the newest of the jobs was queued.
    pub(super) fn newest(&self) -> DateTime<Utc> {
        let newest = self.jobs.iter().map(|job| job.created_at).max();
        newest.unwrap_or(DateTime::UNIX_EPOCH)
    }
}

enum JobRequest {
    Nothing(String),
    This {
        resource: Resource,
        received_at: Option<DateTime<Utc>>,
        trip: Option<TripId>,
    },
}

fn read(
    key: &str,
    job: &ClaimedJob,
    deliveries: &HashMap<Uuid, StoredDelivery>,
    vouch: impl Fn(&str, &Resource) -> Result<(), String>,
) -> Result<JobRequest, JobError> {
    if job.kind != JobKind::FetchNotified {
        let resource = ResourceId::parse(key).ok().and_then(|id| Resource::by_id(&id));
        return Ok(JobRequest::This {
            resource: resource.ok_or_else(|| JobError::fail("its key is no resource"))?,
            received_at: None,
            trip: None,
        });
    }
    let stored = job.delivery_id.and_then(|id| deliveries.get(&id));
    let stored = stored.ok_or_else(|| JobError::fail("its delivery is gone"))?;
    let thin = match Notification::parse(&stored.body) {
        Ok(Notification::Thin(thin)) => thin,
        Ok(Notification::Full(_)) => {
            return Err(JobError::fail(
                "not understood: a full event in a thin notification's place",
            ));
        }
        Err(why) => return Err(JobError::fail(why.to_string())),
    };
    let kind = thin.kind.as_deref().map(str::trim);
    if let Some(other) = NOT_FOLLOWED
        .iter()
        .find(|other| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(other)))
    {
        return Ok(JobRequest::Nothing(format!(
            "{other} are not followed: they are about no trip"
        )));
    }
    let resource = resource(&thin)?;
    vouch(&thin.href, &resource).map_err(|why| JobError::fail(format!("its link is not followed: {why}")))?;
    Ok(JobRequest::This {
        resource,
        received_at: Some(stored.received_at),
        trip: thin.trip,
    })
}

/// By its type, or, where it has none, by its id.
fn resource(thin: &ThinNotification) -> Result<Resource, JobError> {
    let Some(word) = &thin.kind else {
        let resource = Resource::by_id(&thin.id);
        return resource.ok_or_else(|| JobError::fail("not understood: it has no type, and its id tells none"));
    };
    let kind = ResourceKind::parse(word).ok_or_else(|| {
        // At most some words of the sender's, printable.
        let word: String = word.chars().filter(|c| !c.is_control()).take(100).collect();
        JobError::fail(format!("not understood: unknown type of resource `{word}`"))
    })?;
    let other = Resource::by_id(&thin.id).filter(|known| known.kind != kind);
    if let Some(other) = other {
        return Err(JobError::fail(format!(
            "not understood: its type is `{kind}`, its id that of `{other}`"
        )));
    }
    Ok(Resource {
        kind,
        id: thin.id.clone(),
    })
}

#[cfg(test)]
mod tests;
