//! Parses a delivery: a *thin notification* (a hint that a resource changed) or a *full event*. Leniently: only a missing
//! essential part is an error.
//!
//! The properties distinguish the two formats, since neither carries a reliable version.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::id_at::id_at;
use super::json::{self, text_at};
use super::parse_error::{ParseError, quoted};
use super::unread_property::UnreadProperty;
use super::{event_fields, sanitize, timestamp};
use ingest_domain::ids::{EventId, ResourceId, TripId};

#[derive(Debug, Clone, PartialEq)]
pub enum Notification {
    /// Avinode's own format: the resource must be fetched.
    Thin(ThinNotification),
    /// A relay's format: it contains the event.
    Full(FullEvent),
}

/// Two changes of one resource make byte for byte the same notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinNotification {
    /// The resource that changed.
    pub id: ResourceId,
    /// The URL of the resource, according to the sender. It is compared with ours and never followed.
    pub href: String,
    /// `type`, for example `rfqs` or `tripmsgs`; present in every documented sample.
    pub kind: Option<String>,
    /// `tripId`; missing from older samples.
    pub trip: Option<TripId>,
    /// A `tripId` that was sent and not understood.
    pub unread: Vec<UnreadProperty>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FullEvent {
    /// The event's name, for example `TripRequestSellerResponse`; trimmed, of any length.
    pub event: String,
    /// `eventId`: a second event with the same id is a duplicate.
    pub event_id: Option<EventId>,
    /// `timestamp`, in whole microseconds; `None` when missing or ambiguous.
    pub timestamp: Option<DateTime<Utc>>,
    /// `apiVersion` as sent, made printable.
    pub api_version: Option<String>,
    /// `data`: always an object.
    pub data: Value,
    /// A timestamp that was sent and not understood.
    pub unread: Vec<UnreadProperty>,
}

/// The kind of a delivery, which decides the kind of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryKind {
    /// A resource to fetch; jobs with the same key share a fetch.
    Thin { key: ResourceId },
    /// An event to apply; jobs of the same trip are applied together.
    Full { trip: Option<TripId> },
    /// Neither; [`Notification::parse`] returns the reason.
    Unknown,
}

/// The parts without which a body is neither format.
enum EssentialParts<'v> {
    Thin {
        id: ResourceId,
        href: Cow<'v, str>,
        trip: Result<Option<TripId>, ParseError>,
    },
    Full {
        event: Cow<'v, str>,
        event_id: Option<EventId>,
        data: &'v Value,
    },
}

/// Classifies a body. Never fails, and agrees with [`Notification::parse`], which reads the same essential parts first.
pub fn classify(body: &[u8]) -> DeliveryKind {
    let Ok(value) = json::read(body) else {
        return DeliveryKind::Unknown;
    };
    match EssentialParts::of(&value) {
        Ok(EssentialParts::Thin { id, .. }) => DeliveryKind::Thin { key: id },
        Ok(EssentialParts::Full { data, .. }) => DeliveryKind::Full {
            trip: event_fields::trip(data).ok().flatten(),
        },
        Err(_) => DeliveryKind::Unknown,
    }
}

impl Notification {
    /// Parses a body. An object with an `event` is a full event, else one with `id` and `href` is a thin notification; a
    /// missing or odd optional part is `None`, and unknown properties are ignored.
    ///
    /// # Errors
    /// The body is neither. An invalid `eventId` or `id` is an error and not dropped: without the id a duplicate would not be
    /// recognised, and a cut id could equal another one.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut value = json::read(body)?;
        let mut event = match EssentialParts::of(&value)? {
            EssentialParts::Full { event, event_id, .. } => FullEvent {
                event: event.into_owned(),
                event_id,
                timestamp: text_at(&value, &["timestamp"]).and_then(|text| timestamp::lenient(&text)),
                unread: Vec::from_iter(timestamp::unread(&value, "timestamp", timestamp::lenient)),
                api_version: sanitize::printable_at(&value, &["apiVersion"]),
                data: Value::Null,
            },
            EssentialParts::Thin { id, href, trip } => {
                return Ok(Self::Thin(ThinNotification {
                    id,
                    href: href.into_owned(),
                    kind: text_at(&value, &["type"]).map(Into::into),
                    unread: match &trip {
                        Err(_) => Vec::from_iter(UnreadProperty::of("tripId", &value["tripId"])),
                        Ok(_) => Vec::new(),
                    },
                    trip: trip.unwrap_or_default(),
                }));
            }
        };
        event.data = value["data"].take();
        Ok(Self::Full(event))
    }
}

impl<'v> EssentialParts<'v> {
    fn of(value: &'v Value) -> Result<Self, ParseError> {
        if !value.is_object() {
            return Err(ParseError::NotAnObject);
        }
        if let Some(event) = text_at(value, &["event"]) {
            let event_id = id_at(value, &["eventId"], "eventId", EventId::parse)?;
            return match value.get("data").filter(|data| data.is_object()) {
                Some(data) => Ok(Self::Full { event, event_id, data }),
                None => Err(ParseError::NoData(quoted(&event))),
            };
        }
        let id = id_at(value, &["id"], "id", ResourceId::parse)?;
        let (Some(id), Some(href)) = (id, text_at(value, &["href"])) else {
            return Err(ParseError::NeitherFormat);
        };
        match id_at(value, &["tripId"], "tripId", TripId::parse) {
            Err(fraction @ ParseError::FractionalId { .. }) => Err(fraction),
            trip => Ok(Self::Thin { id, href, trip }),
        }
    }
}

#[cfg(test)]
mod tests;
