//! The timestamps in a document, and the event times and versions that follow from them.
//!
//! A creation timestamp says when something happened first. It stays when the thing changes (a new price under the same quote
//! id), so it never orders two observations of a changing thing. An update timestamp does, and without one the time at which
//! the GET began.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::UnassignedEvent;
use super::json_access;
use crate::timestamp;
use ingest_domain::event::{EventKind, FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails};
use ingest_domain::ids::{QuoteId, RfqId};

/// Names of creation timestamps. Only the first has been seen.
const CREATED: [&str; 4] = ["createdOn", "created", "createdAt", "sentOn"];

/// Names of update timestamps. None has been seen; they follow the pattern of `createdOn`.
const UPDATED: [&str; 8] = [
    "updatedOn",
    "modifiedOn",
    "lastModifiedOn",
    "lastUpdatedOn",
    "lastModified",
    "lastUpdated",
    "updatedAt",
    "modifiedAt",
];

/// The timestamps of one object in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentTimestamps {
    created: Option<DateTime<Utc>>,
    updated: Option<DateTime<Utc>>,
    began_at: DateTime<Utc>,
}

impl DocumentTimestamps {
    /// Reads the timestamps of an object in a document; `began_at`: the time at which its GET began. An ambiguous timestamp
    /// is `None`.
    pub(super) fn read(object: &Value, began_at: DateTime<Utc>) -> Self {
        let read = |keys: &[&str]| {
            keys.iter()
                .find_map(|key| json_access::text(object, &[key]).and_then(|text| timestamp::lenient(&text)))
        };
        Self {
            created: read(&CREATED),
            updated: read(&UPDATED),
            began_at: whole_microseconds(began_at),
        }
    }

    /// With the creation timestamp of the containing object, if this object has none.
    pub(super) fn or_created(mut self, container: Self) -> Self {
        self.created = self.created.or(container.created);
        self
    }

    /// A fact about a thing that began at its creation and may have changed since: ordered by the update timestamp, else the
    /// GET.
    pub(super) fn mutable(self, kind: EventKind) -> UnassignedEvent {
        let ordered_by = self.updated.unwrap_or(self.began_at);
        self.event(self.updated.or(self.created), ordered_by, kind)
    }

    /// The creation of a quote that was updated since, as a reaffirmation: the policy `first` reads its time.
    pub(super) fn reaffirmed_at_creation(self, quote: &QuoteId, rfq: Option<RfqId>) -> Option<UnassignedEvent> {
        let created = self.created.filter(|_| self.updated.is_some())?;
        let quote = quote.clone();
        Some(self.event(Some(created), created, EventKind::QuoteReaffirmed { quote, rfq }))
    }

    /// A fact that never changes after its creation, such as a message: ordered by its own timestamp.
    pub(super) fn immutable(self, kind: EventKind) -> UnassignedEvent {
        let at = self.created.or(self.updated);
        self.event(at, at.unwrap_or(self.began_at), kind)
    }

    /// A fact that was true when the document was created, and began at an unknown earlier time: ordered by the document's
    /// timestamp, and without a time of its own.
    pub(super) fn undated(self, kind: EventKind) -> UnassignedEvent {
        let ordered_by = self.created.or(self.updated);
        self.event(None, ordered_by.unwrap_or(self.began_at), kind)
    }

    /// A fact that became true after the creation: at the update timestamp, or at an unknown time before the GET.
    pub(super) fn after_creation(self, kind: EventKind) -> UnassignedEvent {
        self.event(self.updated, self.updated.unwrap_or(self.began_at), kind)
    }

    /// A fact that is true at the time of the GET, without a time of its own.
    pub(super) fn as_of_fetch(self, kind: EventKind) -> UnassignedEvent {
        self.event(None, self.began_at, kind)
    }

    fn event(self, at: Option<DateTime<Utc>>, ordered_by: DateTime<Utc>, kind: EventKind) -> UnassignedEvent {
        UnassignedEvent {
            at,
            version: FactVersion {
                at: Some(ordered_by),
                source: FactSource::Document,
                digest: Sha256::digest(digest_input(&kind).to_string()).into(),
            },
            kind,
        }
    }
}

/// Cut to whole microseconds, as Postgres stores them.
fn whole_microseconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

/// The complete content of a fact, in a form that is stable across releases. The rest of the document is not part of it.
fn digest_input(kind: &EventKind) -> Value {
    match kind {
        EventKind::QuoteReceived(details) => json!(["quote_received", quote_input(details)]),
        EventKind::QuoteObserved(details) => json!(["quote_observed", quote_input(details)]),
        EventKind::QuoteReaffirmed { quote, rfq } => json!(["quote_reaffirmed", quote, rfq]),
        EventKind::RfqDeclined {
            rfq,
            quote,
            reason,
            operator,
        } => json!(["rfq_declined", rfq, quote, reason, party_input(operator)]),
        EventKind::MessageReceived { message, sender, rfq } => {
            json!(["message_received", message, party_input(sender), rfq])
        }
        EventKind::TripRequested { rfq } => json!(["trip_requested", rfq]),
        EventKind::TripChanged { rfq, status } => json!(["trip_changed", status.as_str(), rfq]),
    }
}

fn quote_input(details: &QuoteDetails) -> Value {
    let QuoteDetails {
        quote,
        rfq,
        price,
        operator,
        aircraft_type,
        aircraft_tail,
        valid_until,
        description,
    } = details;
    let mut input = json!({
        "quote": quote,
        "rfq": rfq,
        "price": price.as_ref().map(|Money { amount, currency }| json!([amount.to_string(), currency])),
        "operator": party_input(operator),
        "aircraft": [aircraft_type, aircraft_tail],
        "until": valid_until.map(|until| until.timestamp_micros()),
    });
    // Left out where it is empty: the digests of older releases have none.
    if !description.is_empty() {
        input["description"] = description_input(description);
    }
    input
}

fn description_input(description: &QuoteDescription) -> Value {
    let QuoteDescription {
        aircraft_model,
        aircraft_capacity,
        departure_time,
        arrival_time,
        message,
        contact,
    } = description;
    json!({
        "aircraft": [aircraft_model, aircraft_capacity],
        "schedule": [departure_time, arrival_time],
        "message": message,
        "contact": party_input(contact),
    })
}

fn party_input(Party { id, name }: &Party) -> Value {
    json!([id, name])
}
