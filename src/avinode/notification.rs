//! What a delivery says: a *thin* notification (a hint that a resource changed) or a *full* event. Read leniently: only
//! what nothing can be done without makes a notification not understood.
//!
//! The two formats are told apart by their properties, since neither carries a version that could be relied on.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::id::ResourceId;
use super::json::{self, text_at};
use super::not_understood::{NotUnderstood, quoted};
use super::{text, time};
use crate::domain::id::{EventId, IdError, TripId};

/// What a delivery says.
#[derive(Debug, Clone, PartialEq)]
pub enum Notification {
    /// Avinode's own format: fetch the resource to learn what happened.
    Thin(Thin),
    /// A relay's format: what happened is in it.
    Full(Full),
}

/// A thin notification. Two changes of one resource are byte for byte the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thin {
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
pub struct Full {
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
pub enum Route {
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
pub fn route(body: &[u8]) -> Route {
    match Notification::parse(body) {
        Ok(Notification::Thin(Thin { id, .. })) => Route::Thin { key: id },
        Ok(Notification::Full(_)) => Route::Full,
        Err(_) => Route::Unknown,
    }
}

impl Notification {
    /// Reads a body. An object with an `event` is a full event, else one with `id` and `href` is a thin notification;
    /// a missing or odd optional part is `None`, unknown properties are passed over.
    ///
    /// # Errors
    /// Why it is neither. An `eventId` or `id` that is there but cannot be kept is refused rather than dropped: without
    /// it a duplicate could not be told, and cut it might be another's.
    pub fn parse(body: &[u8]) -> Result<Self, NotUnderstood> {
        let mut value = json::read(body)?;
        if !value.is_object() {
            return Err(NotUnderstood::NotAnObject);
        }
        if let Some(event) = text_at(&value, &["event"]) {
            let event = event.into_owned();
            let data = value.get_mut("data").map(Value::take).filter(Value::is_object);
            return Ok(Self::Full(Full {
                event_id: id_at(&value, &["eventId"], "eventId", EventId::parse)?,
                timestamp: text_at(&value, &["timestamp"]).and_then(|text| time::lenient(&text)),
                api_version: text::shown_at(&value, &["apiVersion"]),
                data: data.ok_or_else(|| NotUnderstood::NoData(quoted(&event)))?,
                event,
            }));
        }
        let id = id_at(&value, &["id"], "id", ResourceId::parse)?;
        let (Some(id), Some(href)) = (id, text_at(&value, &["href"])) else {
            return Err(NotUnderstood::NeitherFormat);
        };
        Ok(Self::Thin(Thin {
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
) -> Result<Option<Id>, NotUnderstood> {
    let id = text_at(value, path).map(|text| parse(&text)).transpose();
    id.map_err(|why| NotUnderstood::BadId { name, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Notification, NotUnderstood> {
        Notification::parse(body.as_bytes())
    }

    fn full(body: &str) -> Full {
        match parse(body) {
            Ok(Notification::Full(full)) => full,
            other => panic!("{other:?}"),
        }
    }

    fn thin(body: &str) -> Thin {
        match parse(body) {
            Ok(Notification::Thin(thin)) => thin,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_documented_thin_samples_are_read() {
        let rfq = r#"{"id":"arfq-12345678","href":"https://sandbox.avinode.com/api/rfqs/arfq-12345678","type":"rfqs","tripId":"A1B2C3"}"#;
        assert_eq!(
            thin(rfq),
            Thin {
                id: ResourceId::parse("arfq-12345678").unwrap(),
                href: "https://sandbox.avinode.com/api/rfqs/arfq-12345678".into(),
                kind: Some("rfqs".into()),
                trip: Some(TripId::parse("A1B2C3").unwrap()),
            }
        );
        assert_eq!(
            route(rfq.as_bytes()),
            Route::Thin {
                key: ResourceId::parse("arfq-12345678").unwrap()
            }
        );
        let message = thin(
            r#"{"id":"abuyermsg-1000000023","href":"https://sandbox.avinode.com/api/tripmsgs/abuyermsg-1000000023","type":"tripmsgs"}"#,
        );
        assert_eq!(message.trip, None);
    }

    #[test]
    fn optional_parts_never_fail_a_notification() {
        let odd = thin(r#"{"id":4711,"href":"x","type":["rfqs"],"tripId":{"id":1},"new":null}"#);
        assert_eq!((odd.id.as_str(), odd.kind, odd.trip), ("4711", None, None));
        let odd = full(r#"{"event":"X","eventId":[],"timestamp":"yesterday","apiVersion":1.0,"data":{},"more":[1]}"#);
        assert_eq!(
            (odd.event_id, odd.timestamp, odd.api_version.as_deref()),
            (None, None, Some("1.0"))
        );
        let bare = full(r#"{"event":" X ","data":{"a":1}}"#);
        assert_eq!((bare.event.as_str(), bare.event_id, bare.timestamp), ("X", None, None));
    }

    #[test]
    fn a_full_event_is_read_whole_and_wins_over_a_thin_one() {
        let body = r#"{"event":"TripChatMine","eventId":"evt-1","timestamp":"2026-01-31T10:00:00.1234567+01:00","apiVersion":"v1.0","data":{},"id":"a-1","href":"x"}"#;
        let event = full(body);
        assert_eq!(event.event_id.unwrap().as_str(), "evt-1");
        assert_eq!(
            event.timestamp.unwrap().to_rfc3339(),
            "2026-01-31T09:00:00.123456+00:00"
        );
        assert_eq!(route(body.as_bytes()), Route::Full);
    }

    #[test]
    fn a_body_that_is_not_understood_says_why_in_bounded_words() {
        let long = "x".repeat(201);
        let deep = format!(
            r#"{{"event":"X","data":{{"a":{}{}}}}}"#,
            "[".repeat(200),
            "]".repeat(200)
        );
        for (body, words) in [
            ("[]", "the body is not a JSON object"),
            ("7", "the body is not a JSON object"),
            (
                "{}",
                "neither a thin notification (id, href) nor a full event (event, data)",
            ),
            (r#"{"id":"arfq-1"}"#, "neither a thin"),
            (r#"{"event":7.5}"#, "the event `7.5` has no data object"),
            (r#"{"event":"X","data":[]}"#, "the event `X` has no data object"),
            (
                &format!(r#"{{"event":"X","eventId":"{long}","data":{{}}}}"#),
                "eventId cannot be kept: the id is 201 bytes long",
            ),
            (
                &format!(r#"{{"id":"{long}","href":"x"}}"#),
                "id cannot be kept: the id is 201 bytes long",
            ),
            (
                r#"{"event":"X","eventId":"a\nb","data":{}}"#,
                "eventId cannot be kept: the id holds a control character",
            ),
            (&deep, "nested deeper than 127 levels"),
            ("{", "reading the body as JSON"),
        ] {
            let said = parse(body).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
            assert_eq!(route(body.as_bytes()), Route::Unknown);
        }
        let huge = parse(&format!(r#"{{"event":"{}\u001b"}}"#, "é".repeat(100_000)))
            .unwrap_err()
            .to_string();
        assert!(huge.chars().count() < 200, "{huge}");
    }

    #[test]
    fn ids_are_stored_without_characters_that_postgres_refuses() {
        let event = full(r#"{"event":"X","eventId":"evt\u0000\ud800","data":{}}"#);
        assert_eq!(event.event_id.unwrap().as_str(), "evt\u{fffd}\u{fffd}");
    }
}
