//! What a piece of work is about, as each step of the way asks it: its key, its events, its trips, its session.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::facts::DuplicateEvent;
use super::{ClaimedWork, JobPayload};
use crate::domain::event::Event;
use crate::queue::enqueue::NewJob;

/// The trips and RFQs, in normal form, that events name together.
pub(super) fn named(works: &[&ClaimedWork]) -> Vec<(String, String)> {
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    for work in works {
        named.extend(work.events().iter().filter_map(|event| {
            let rfq = event.kind.rfq()?;
            Some((event.trip.as_str().to_owned(), rfq.normalized()))
        }));
    }
    named.into_iter().collect()
}

impl ClaimedWork {
    /// The event id to be entered, with what tells one body from another.
    pub(super) fn event_key(&self) -> (Option<&str>, Option<Uuid>, Option<[u8; 32]>) {
        match &self.content {
            JobPayload::Events {
                event_id: Some(event_id),
                body_sha256,
                ..
            } => (Some(event_id.as_str()), self.job.delivery_id, Some(*body_sha256)),
            _ => (None, None, None),
        }
    }

    /// What is left of it when its event was applied before.
    pub(super) fn as_duplicate(&self) -> Option<DuplicateEvent> {
        match &self.content {
            JobPayload::Events {
                events, received_at, ..
            } => Some(DuplicateEvent {
                events: events.clone(),
                received_at: *received_at,
            }),
            _ => None,
        }
    }

    /// The session to be matched.
    pub(super) fn session(&self) -> Option<Uuid> {
        match self.content {
            JobPayload::Rematch { session } => Some(session),
            _ => None,
        }
    }

    /// The events of a delivery or a document.
    pub(super) fn events(&self) -> &[Event] {
        match &self.content {
            JobPayload::Events { events, .. } | JobPayload::Document { events, .. } => events,
            JobPayload::Shared { .. } | JobPayload::Rematch { .. } | JobPayload::Expire { .. } => &[],
        }
    }

    /// The ids that a document shows to be of one trip.
    pub(super) fn same_trip(&self) -> Vec<String> {
        match &self.content {
            JobPayload::Document { trips, .. } => trips.iter().map(|trip| trip.as_str().to_owned()).collect(),
            _ => Vec::new(),
        }
    }

    /// All ids of trips that it names.
    pub(super) fn trips(&self) -> Vec<String> {
        let mut trips = self.same_trip();
        trips.extend(self.events().iter().map(|event| event.trip.as_str().to_owned()));
        if let JobPayload::Expire { trip, .. } = &self.content {
            trips.push(trip.clone());
        }
        trips
    }

    /// What is to be fetched in turn.
    pub(super) fn follow(&self) -> &[NewJob] {
        match &self.content {
            JobPayload::Document { follow, .. } => follow,
            _ => &[],
        }
    }
}
