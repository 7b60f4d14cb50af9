//! Subjects of notifications that end without a document: gone, ignored, or dead-lettered.

use super::request::FetchRequest;
use crate::jobs::unread_subject;
use crate::queue::handler::UnfinishedJobs;
use crate::queue::job::{ClaimedJob, JobError};
use crate::store::delivery_subjects::DeliverySubject;

/// The subjects of the jobs that have a delivery, by the resource that it notifies.
pub(super) fn of_jobs<'a>(
    request: &'a FetchRequest,
    jobs: impl Iterator<Item = &'a ClaimedJob> + 'a,
) -> impl Iterator<Item = DeliverySubject> + 'a {
    jobs.filter_map(|job| {
        let delivery = job.delivery_id?;
        Some(DeliverySubject {
            delivery,
            job: job.id,
            subject: unread_subject::of_resource(job.key.as_deref()?, request.trip.as_ref()),
            sessions: Vec::new(),
        })
    })
}

/// The subjects of the jobs that another attempt cannot help.
pub(super) fn of_failed(
    request: &FetchRequest,
    jobs: &[ClaimedJob],
    unfinished: &UnfinishedJobs,
) -> Vec<DeliverySubject> {
    let is_failed = |job: &&ClaimedJob| {
        let mut errors = unfinished.iter().filter(|(id, _)| *id == job.id);
        errors.any(|(_, error)| matches!(error, JobError::Fail(_)))
    };
    of_jobs(request, jobs.iter().filter(is_failed)).collect()
}
