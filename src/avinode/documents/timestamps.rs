//! The times in a document, and what they are good for.
//!
//! A creation stamp tells when something happened first; it stays when the thing changes (a new price under an old quote id),
//! so it never orders two readings of a thing. An update stamp does, and without one the moment at which the GET began.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::UnassignedEvent;
use super::json_access;
use crate::avinode::timestamp;
use crate::domain::event::{EventKind, FactSource, FactVersion, Party, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId};

/// Names of creation stamps. Only the first has been seen.
const CREATED: [&str; 4] = ["createdOn", "created", "createdAt", "sentOn"];

/// Names of update stamps. None has been seen; they are what an API with a `createdOn` would call them.
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

/// The stamps of one thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentTimestamps {
    created: Option<DateTime<Utc>>,
    updated: Option<DateTime<Utc>>,
    began_at: DateTime<Utc>,
}

impl DocumentTimestamps {
    /// Of a thing in a document whose GET began then. A time that would have to be guessed is none.
    pub(super) fn of(thing: &Value, began_at: DateTime<Utc>) -> Self {
        let read = |keys: &[&str]| {
            keys.iter()
                .find_map(|key| json_access::text(thing, &[key]).and_then(|text| timestamp::lenient(&text)))
        };
        Self {
            created: read(&CREATED),
            updated: read(&UPDATED),
            began_at: micros(began_at),
        }
    }

    /// The creation stamp of this thing, or else of the one that holds it.
    pub(super) fn or_created(mut self, other: Self) -> Self {
        self.created = self.created.or(other.created);
        self
    }

    /// States something that began with the creation stamp and may have changed since: ordered by its update stamp, else by
    /// the GET.
    pub(super) fn changing(self, what: EventKind) -> UnassignedEvent {
        let ordered_by = self.updated.unwrap_or(self.began_at);
        self.state(self.updated.or(self.created), ordered_by, what)
    }

    /// States that a quote stood when it was made, where it has changed since: the policy `first` goes by that.
    pub(super) fn made(self, quote: &QuoteId, request: Option<RfqId>) -> Option<UnassignedEvent> {
        let made = self.created.filter(|_| self.updated.is_some())?;
        let quote = quote.clone();
        Some(self.state(Some(made), made, EventKind::QuoteReaffirmed { quote, request }))
    }

    /// States something that was so once and for all when it was written, as a message was: ordered by its own stamp.
    pub(super) fn settled(self, what: EventKind) -> UnassignedEvent {
        let at = self.created.or(self.updated);
        self.state(at, at.unwrap_or(self.began_at), what)
    }

    /// States what was so already when it was written, since nobody knows when: ordered by its own stamp, and no news where it is
    /// known.
    pub(super) fn shown(self, what: EventKind) -> UnassignedEvent {
        let by = self.created.or(self.updated);
        self.state(None, by.unwrap_or(self.began_at), what)
    }

    /// States what has become so after the creation: by the update stamp, else the GET tells by when.
    pub(super) fn grown(self, what: EventKind) -> UnassignedEvent {
        self.state(self.updated, self.updated.unwrap_or(self.began_at), what)
    }

    /// States what is so at the moment of the GET, whenever it grew so, and without a word of its own.
    pub(super) fn standing(self, what: EventKind) -> UnassignedEvent {
        self.state(None, self.began_at, what)
    }

    /// The digest is of the fact alone: what else stands in the document makes no difference to it.
    fn state(self, at: Option<DateTime<Utc>>, ordered_by: DateTime<Utc>, what: EventKind) -> UnassignedEvent {
        UnassignedEvent {
            at,
            version: FactVersion {
                at: Some(ordered_by),
                source: FactSource::Document,
                digest: Sha256::digest(content(&what).to_string()).into(),
            },
            what,
        }
    }
}

/// Whole microseconds, as Postgres keeps them.
fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

/// What is said, in a form that stays the same from release to release.
fn content(what: &EventKind) -> Value {
    let of = |operator: &Party| json!([operator.id, operator.name]);
    let described = |details: &QuoteDetails| {
        json!({
            "quote": details.quote,
            "rfq": details.request,
            "price": details.price.as_ref().map(|price| json!([price.amount.to_string(), price.currency])),
            "operator": of(&details.operator),
            "aircraft": [details.aircraft_type, details.aircraft_tail],
            "until": details.valid_until.map(|until| until.timestamp_micros()),
        })
    };
    match what {
        EventKind::QuoteReceived(details) => json!(["quote", described(details)]),
        EventKind::QuoteObserved(details) => json!(["described", described(details)]),
        EventKind::QuoteReaffirmed { quote, request } => json!(["stands", quote, request]),
        EventKind::RfqDeclined {
            request,
            quote,
            reason,
            operator,
        } => json!(["declined", request, quote, reason, of(operator)]),
        EventKind::MessageReceived {
            message,
            sender,
            request,
        } => json!(["message", message, of(sender), request]),
        EventKind::TripRequested { request } => json!(["requested", request]),
        EventKind::TripChanged { request, status } => json!(["trip", status.as_str(), request]),
    }
}
