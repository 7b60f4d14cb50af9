//! `trips`, and the trip ids that any document shows.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::timestamps::DocumentTimestamps;
use super::{ParsedDocument, json_access};
use crate::parse_error::ParseError;
use crate::resource::ResourceKind;
use ingest_domain::event::{EventKind, TripStatus};
use ingest_domain::ids::{ResourceId, TripId};

/// Lists the trip's RFQs and messages, and states a cancellation. The RFQs themselves state that they were sent.
pub(super) fn read(data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
    let rfqs = json_access::linked(data, &["rfqs", "rfq"]);
    let messages = json_access::linked(data, &["tripmsgs"]);
    let mut document = ParsedDocument {
        children: json_access::resources(ResourceKind::Rfqs, rfqs)
            .chain(json_access::resources(ResourceKind::TripMessages, messages))
            .collect(),
        ..ParsedDocument::default()
    };
    if json_access::is_set(data, &["canceled", "cancelled"]) {
        let cancelled = EventKind::TripChanged {
            rfq: None,
            status: TripStatus::Cancelled,
        };
        document
            .events
            .push(DocumentTimestamps::read(data, began_at).after_creation(cancelled));
    }
    document
}

/// The ids of its trip that a document shows: `tripId`, `trip`, `links.trip` and `links.trips`, each with both of its ids;
/// for a trip also its `own_id`, by which it was fetched, and its `id`.
///
/// At most one resource id and one short id, the first of each: a trip has no more, and two trips that were merged by mistake
/// could not be separated again.
///
/// A trip lists its RFQs, each with the short id.
///
/// # Errors
/// A trip id is a number with a fraction: the same number without it may be another trip.
pub(super) fn ids(own_id: Option<&ResourceId>, data: &Value) -> Result<Vec<TripId>, ParseError> {
    let links = json_access::one(&data["links"]);
    let trips: Vec<&Value> = [&data["trip"], &links["trip"], &links["trips"]]
        .into_iter()
        .flat_map(json_access::many)
        .collect();
    let mut shown = vec![("data.tripId", &data["tripId"])];
    for trip in trips {
        shown.extend([("data.trip", trip), ("data.trip.tripId", &trip["tripId"])]);
    }
    if own_id.is_some() {
        shown.insert(0, ("data.id", &data["id"]));
        let rfqs = json_access::linked(data, &["rfqs", "rfq"]);
        shown.extend(rfqs.map(|rfq| ("data.rfqs[].tripId", &rfq["tripId"])));
    }
    for (name, value) in &shown {
        if let Some(value) = json_access::fraction(value) {
            let name = (*name).to_owned();
            return Err(ParseError::FractionalId { name, value });
        }
    }
    let mut found: Vec<TripId> = Vec::new();
    let mut add = |id: Option<TripId>| {
        let Some(id) = id else { return };
        let is_resource_id = |id: &TripId| id.as_str().contains('-');
        if found.iter().all(|known| is_resource_id(known) != is_resource_id(&id)) {
            found.push(id);
        }
    };
    // A trip that was requested by its short id has the resource id as its own.
    add(own_id.and_then(|own_id| TripId::parse(own_id.as_str()).ok()));
    for (_, value) in shown {
        add(json_access::id(value, TripId::parse));
    }
    Ok(found)
}
