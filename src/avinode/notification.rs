//! What a delivery says: a *thin* notification (a hint that a resource changed) or a *full* event. Read leniently: only
//! what nothing can be done without makes a notification not understood.
//!
//! The two formats are told apart by their properties, since neither carries a version that could be relied on.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json::{self, text_at};
use super::parse_error::{ParseError, quoted};
use super::resource_id::ResourceId;
use super::{sanitize, timestamp};
use crate::domain::ids::{EventId, IdError, TripId};

/// What a delivery says.
#[derive(Debug, Clone, PartialEq)]
pub enum Notification {
    /// Avinode's own format: fetch the resource to learn what happened.
    Thin(ThinNotification),
    /// A relay's format: what happened is in it.
    Full(FullEvent),
}

/// A thin notification. Two changes of one resource are byte for byte the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinNotification {
    /// The resource that changed.
    pub id: ResourceId,
    /// Where it says the resource is. A stranger's word: to be compared with, not followed.
    pub href: String,
    /// `type`: the type of the resource, for example `rfqs` or `tripmsgs`. In every documented sample.
    pub kind: Option<String>,
    /// `tripId`; missing from older samples.
    pub trip: Option<TripId>,
}

/// A full event.
#[derive(Debug, Clone, PartialEq)]
pub struct FullEvent {
    /// The event's name, for example `TripRequestSellerResponse`; trimmed, of any length.
    pub event: String,
    /// `eventId`: the same one twice is a duplicate.
    pub event_id: Option<EventId>,
    /// `timestamp`, in whole microseconds; `None` when missing or not to be read without guessing.
    pub timestamp: Option<DateTime<Utc>>,
    /// `apiVersion` as sent, made fit to be shown.
    pub api_version: Option<String>,
    /// `data`: always an object.
    pub data: Value,
}

/// Where a delivery goes, as far as the receiver needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryKind {
    /// To be fetched; jobs of one key share a fetch.
    Thin {
        /// The resource's id.
        key: ResourceId,
    },
    /// To be read.
    Full,
    /// Not understood; [`Notification::parse`] says why.
    Unknown,
}

/// The route of a body. Never fails; agrees with [`Notification::parse`] by being made from it: the body is read once
/// whole, which is little beside its hashing and its commit.
pub fn route(body: &[u8]) -> DeliveryKind {
    match Notification::parse(body) {
        Ok(Notification::Thin(ThinNotification { id, .. })) => DeliveryKind::Thin { key: id },
        Ok(Notification::Full(_)) => DeliveryKind::Full,
        Err(_) => DeliveryKind::Unknown,
    }
}

impl Notification {
    /// Reads a body. An object with an `event` is a full event, else one with `id` and `href` is a thin notification;
    /// a missing or odd optional part is `None`, unknown properties are passed over.
    ///
    /// # Errors
    /// Why it is neither. An `eventId` or `id` that is there but cannot be kept is refused rather than dropped: without
    /// it a duplicate could not be told, and cut it might be another's.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut value = json::read(body)?;
        if !value.is_object() {
            return Err(ParseError::NotAnObject);
        }
        if let Some(event) = text_at(&value, &["event"]) {
            let event = event.into_owned();
            let data = value.get_mut("data").map(Value::take).filter(Value::is_object);
            return Ok(Self::Full(FullEvent {
                event_id: id_at(&value, &["eventId"], "eventId", EventId::parse)?,
                timestamp: text_at(&value, &["timestamp"]).and_then(|text| timestamp::lenient(&text)),
                api_version: sanitize::shown_at(&value, &["apiVersion"]),
                data: data.ok_or_else(|| ParseError::NoData(quoted(&event)))?,
                event,
            }));
        }
        let id = id_at(&value, &["id"], "id", ResourceId::parse)?;
        let (Some(id), Some(href)) = (id, text_at(&value, &["href"])) else {
            return Err(ParseError::NeitherFormat);
        };
        Ok(Self::Thin(ThinNotification {
            id,
            href: href.into_owned(),
            kind: text_at(&value, &["type"]).map(Into::into),
            trip: text_at(&value, &["tripId"]).and_then(|text| TripId::parse(&text).ok()),
        }))
    }
}

/// The id at a path; `None` when it is missing, empty, or neither text nor number.
pub(super) fn id_at<Id>(
    value: &Value,
    path: &[&str],
    name: &'static str,
    parse: fn(&str) -> Result<Id, IdError>,
) -> Result<Option<Id>, ParseError> {
    let id = text_at(value, path).map(|text| parse(&text)).transpose();
    id.map_err(|why| ParseError::BadId { name, why })
}

#[cfg(test)]
mod tests;
