//! The timestamps in a document, and the event times and versions that follow from them.
//!
//! A message is written once, and may show its quote as it was then or as it is now: facts of messages are ordered by the time at
//! which they were written. Other documents show the current state of something that was created once and changes later, so
//! their creation timestamp says only when it began. An update timestamp orders them, and without one the GET.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::UnassignedEvent;
use super::json_access;
use crate::timestamp;
use ingest_domain::event::{EventKind, FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails};

/// Names of creation timestamps. Only the first has been seen.
pub(super) const CREATED: [&str; 4] = ["createdOn", "created", "createdAt", "sentOn"];

/// Names of update timestamps. None has been seen; they follow the pattern of `createdOn`.
pub(super) const UPDATED: [&str; 8] = [
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
    /// The creation of the message that contains the object.
    written: Option<DateTime<Utc>>,
    began_at: DateTime<Utc>,
}

impl DocumentTimestamps {
    /// Reads the timestamps of an object in a document; `began_at`: the time at which its GET began. An ambiguous timestamp
    /// is `None`.
    pub(super) fn read(object: &Value, began_at: DateTime<Utc>) -> Self {
        Self {
            created: created(object),
            updated: first_timestamp(object, &UPDATED),
            written: None,
            began_at: whole_microseconds(began_at),
        }
    }

    /// The timestamps of an object in a message.
    pub(super) fn within(mut self, message: Self) -> Self {
        self.written = message.created;
        self.created = self.created.or(message.created);
        self
    }

    /// A fact about something that began at its creation and may have changed since: ordered by the update timestamp, else by
    /// the message that states it, else by the GET.
    pub(super) fn mutable(self, kind: EventKind) -> UnassignedEvent {
        self.event(self.updated.or(self.created), self.updated.or(self.written), kind)
    }

    /// A fact that never changes after its creation, such as a message: ordered by its own timestamp.
    pub(super) fn immutable(self, kind: EventKind) -> UnassignedEvent {
        let at = self.created.or(self.updated);
        self.event(at, at, kind)
    }

    /// A fact that became true after the creation: at the update timestamp, or at an unknown time before the GET.
    pub(super) fn after_creation(self, kind: EventKind) -> UnassignedEvent {
        self.event(self.updated, self.updated, kind)
    }

    /// A fact that is true as long as the mutable fact beside it, without a time of its own.
    pub(super) fn beside_mutable(self, kind: EventKind) -> UnassignedEvent {
        self.event(None, self.updated.or(self.written), kind)
    }

    /// A fact that is true at the time of the GET, without a time of its own.
    pub(super) fn as_of_fetch(self, kind: EventKind) -> UnassignedEvent {
        self.event(None, None, kind)
    }

    /// `at`: when it happened; `ordered_by`: the sender's time in the fact's version.
    fn event(self, at: Option<DateTime<Utc>>, ordered_by: Option<DateTime<Utc>>, kind: EventKind) -> UnassignedEvent {
        UnassignedEvent {
            at,
            version: FactVersion {
                at: ordered_by,
                seen_at: self.began_at,
                source: FactSource::Document,
                digest: Sha256::digest(digest_input(&kind).to_string()).into(),
            },
            kind,
        }
    }
}

/// The creation timestamp of an object.
pub(super) fn created(object: &Value) -> Option<DateTime<Utc>> {
    first_timestamp(object, &CREATED)
}

fn first_timestamp(object: &Value, keys: &[&str]) -> Option<DateTime<Utc>> {
    keys.iter()
        .find_map(|key| json_access::text(object, &[key]).and_then(|text| timestamp::lenient(&text)))
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
        EventKind::QuoteOrigin { quote, rfq, origin } => {
            json!(["quote_origin", <&str>::from(origin), quote, rfq])
        }
        EventKind::RfqDeclined {
            rfq,
            quote,
            reason,
            operator,
        } => json!(["rfq_declined", rfq, quote, reason, party_input(operator)]),
        EventKind::MessageReceived {
            message,
            sender,
            rfq,
            text,
        } => {
            json!(["message_received", message, party_input(sender), rfq, text])
        }
        EventKind::QuoteAccepted { quote, rfq } => json!(["quote_accepted", quote, rfq]),
        EventKind::TripRequested { rfq } => json!(["trip_requested", rfq]),
        EventKind::RfqCancelled { rfq } => json!(["rfq_cancelled", rfq]),
        EventKind::TripChanged { rfq, status } => json!(["trip_changed", status.as_str(), rfq]),
    }
}

fn quote_input(details: &QuoteDetails) -> Value {
    let QuoteDetails {
        quote,
        rfq,
        price,
        unread_price,
        operator,
        aircraft_type,
        aircraft_tail,
        valid_until,
        created_at,
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
    // Left out where it is absent, so that the digests of earlier releases stay.
    if let Some(created_at) = created_at {
        input["created"] = json!(created_at.timestamp_micros());
    }
    if let Some(unread) = unread_price {
        input["unread_price"] = json!(unread);
    }
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
