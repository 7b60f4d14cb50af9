//! The subjects of the deliveries of a batch, as admins look for them.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::ids::EventId;
use crate::domain::subject::Subject;
use crate::jobs::unread_subject;
use crate::jobs::work::{ClaimedWork, JobPayload};
use crate::store::delivery_subjects::DeliverySubject;
use crate::store::sessions::LockedSession;

/// Returns the subject of each delivery, duplicates included. A job that shares the document of another one is about the same.
pub(super) fn of_batch(
    works: &[&ClaimedWork],
    key_of: &BTreeMap<String, String>,
    sessions: &[LockedSession],
) -> Vec<DeliverySubject> {
    let mut sessions_of: BTreeMap<&String, Vec<Uuid>> = BTreeMap::new();
    for session in sessions {
        for key in session.trip_keys() {
            sessions_of.entry(key).or_default().push(session.snapshot.id);
        }
    }
    let of_work = |work: &&ClaimedWork| {
        let delivery = work.job.delivery_id?;
        let applied = match &work.payload {
            JobPayload::Shared { with } => works.iter().find(|other| other.job.id == *with).unwrap_or(work),
            _ => work,
        };
        let mut subject = match (applied.events(), &applied.payload, &work.job.key) {
            (
                [],
                JobPayload::Events {
                    delivery: Some(stored), ..
                },
                _,
            ) => unread_subject::of_body(&stored.body),
            ([], _, Some(key)) => unread_subject::of_resource(key, None),
            (events, _, _) => Subject::of_events(events),
        };
        subject.event_id = work.event_id().map(EventId::to_string);
        subject.trip = subject.trip.map(|trip| key_of.get(&trip).cloned().unwrap_or(trip));
        let sessions = subject.trip.as_ref().and_then(|key| sessions_of.get(key));
        Some(DeliverySubject {
            delivery,
            job: work.job.id,
            sessions: sessions.cloned().unwrap_or_default(),
            subject,
        })
    };
    works.iter().filter_map(of_work).collect()
}
