//! Claimed jobs together with the content that they apply.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::avinode::unread_property::UnreadProperty;
use crate::domain::event::Event;
use crate::domain::ids::{EventId, QuoteId, RfqId, TripId};
use crate::domain::trip::Provenance;
use crate::queue::enqueue::NewJob;
use crate::queue::job::ClaimedJob;
use crate::store::deliveries::StoredDelivery;
use crate::store::event_keys::EventKey;

/// The outcome of a job with a redacted delivery.
pub const REDACTED_DELIVERY: &str = "its delivery was redacted: nothing is read from it";

/// The content of a job.
#[derive(Debug, Clone)]
pub enum JobPayload {
    /// The events of a delivery, or the statements of a fetched document about its trip.
    Events {
        /// `None` for a document, an event without an `eventId`, or one that is replayed past the event keys.
        key: Option<EventKey>,
        /// Also of an event that is replayed.
        event_id: Option<EventId>,
        /// For the job's outcome: `it`, or a resource such as `rfqs/arfq-12345678`.
        source: String,
        /// Every id of the trip that a document shows: two or more are one trip from now on.
        same_trip: Vec<TripId>,
        events: Vec<Event>,
        /// When the notification was received, or when the GET began that no notification caused.
        provenance: Provenance,
        /// The fetches that a document calls for; inserted in the same transaction.
        follow_ups: Vec<NewJob>,
        /// The delivery of the events; `None` for a document.
        delivery: Option<Arc<StoredDelivery>>,
        /// Parts that were sent and not understood.
        unread: Vec<UnreadProperty>,
    },
    /// A known event that has no meaning for sessions.
    Ignored { reason: String, event_id: Option<EventId> },
    /// Another job of the batch applies the document that this one waits for.
    Shared { with: i64 },
    /// Compare a session with everything known about its trip.
    Rematch { session: Uuid },
    /// A quote expires.
    QuoteExpiry {
        trip: String,
        quote: QuoteId,
        valid_until: DateTime<Utc>,
    },
}

/// A claimed job and its content.
#[derive(Debug, Clone)]
pub struct ClaimedWork {
    pub job: ClaimedJob,
    pub payload: JobPayload,
}

/// Returns the pairs of trip and RFQ, in normal form, that events name together.
pub fn trips_with_rfqs(works: &[&ClaimedWork]) -> Vec<(String, String)> {
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    for work in works {
        named.extend(work.events().iter().filter_map(|event| {
            let rfq = event.kind.rfq()?;
            Some((event.trip.as_str().to_owned(), RfqId::normalized(rfq)))
        }));
    }
    named.into_iter().collect()
}

impl ClaimedWork {
    pub fn new(job: &ClaimedJob, payload: JobPayload) -> Self {
        let job = job.clone();
        Self { job, payload }
    }

    /// Returns the event key to enter.
    pub fn event_key(&self) -> Option<&EventKey> {
        match &self.payload {
            JobPayload::Events { key, .. } => key.as_ref(),
            _ => None,
        }
    }

    /// Returns the id of a full event.
    pub fn event_id(&self) -> Option<&EventId> {
        match &self.payload {
            JobPayload::Events { event_id, .. } | JobPayload::Ignored { event_id, .. } => event_id.as_ref(),
            _ => None,
        }
    }

    /// Returns the parts of a delivery or a document that were not understood.
    pub fn unread(&self) -> &[UnreadProperty] {
        match &self.payload {
            JobPayload::Events { unread, .. } => unread,
            _ => &[],
        }
    }

    /// Returns the session to rematch.
    pub fn session(&self) -> Option<Uuid> {
        match self.payload {
            JobPayload::Rematch { session } => Some(session),
            _ => None,
        }
    }

    /// Returns the events of a delivery or a document.
    pub fn events(&self) -> &[Event] {
        match &self.payload {
            JobPayload::Events { events, .. } => events,
            _ => &[],
        }
    }

    /// Returns the ids that a document shows to be one trip.
    pub fn same_trip(&self) -> Vec<String> {
        match &self.payload {
            JobPayload::Events { same_trip, .. } => same_trip.iter().map(TripId::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns every trip id that the work names.
    pub fn trips(&self) -> Vec<String> {
        let mut trips = self.same_trip();
        trips.extend(self.events().iter().map(|event| event.trip.to_string()));
        if let JobPayload::QuoteExpiry { trip, .. } = &self.payload {
            trips.push(trip.clone());
        }
        trips
    }

    /// Drops the fetches of resources that the events describe already: where no process has credentials of Avinode's API, they
    /// would wait for ever.
    pub fn drop_optional_follow_ups(&mut self) {
        if let JobPayload::Events { events, follow_ups, .. } = &mut self.payload
            && events.len() >= follow_ups.len()
        {
            follow_ups.clear();
        }
    }

    /// Returns the fetches that a document calls for.
    pub fn follow_ups(&self) -> &[NewJob] {
        match &self.payload {
            JobPayload::Events { follow_ups, .. } => follow_ups,
            _ => &[],
        }
    }
}
