//! `trips`, and the ids of a trip wherever a document shows them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::timestamps::DocumentTimestamps;
use super::{ParsedDocument, json_access};
use crate::avinode::resource::ResourceKind;
use crate::avinode::resource_id::ResourceId;
use crate::domain::event::{EventKind, TripStatus};
use crate::domain::ids::TripId;

/// What a trip lists, and whether it was called off. That its RFQs were sent is for the RFQs to say.
pub(super) fn read(data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
    let mut reading = ParsedDocument::default();
    let rfqs = json_access::linked(data, &["rfqs", "rfq"]);
    reading
        .children
        .extend(json_access::resources(ResourceKind::Rfqs, rfqs));
    let messages = json_access::linked(data, &["tripmsgs"]);
    reading
        .children
        .extend(json_access::resources(ResourceKind::TripMessages, messages));
    if json_access::is_set(data, &["canceled", "cancelled"]) {
        let called_off = EventKind::TripChanged {
            request: None,
            status: TripStatus::Cancelled,
        };
        reading
            .statements
            .push(DocumentTimestamps::of(data, began_at).grown(called_off));
    }
    reading
}

/// The ids that a document shows of its trip: `tripId`, `trip`, `links.trip` and `links.trips`, each with both of its ids, and a
/// trip's `own`, under which it was fetched, with the `id` beside it.
///
/// One resource id and one short id at most, the first of each: a trip has no more, and two trips that were taken for one
/// could not be told apart again.
pub(super) fn ids(own: Option<&ResourceId>, data: &Value) -> Vec<TripId> {
    let mut shown: Vec<TripId> = Vec::new();
    let mut add = |id: Option<TripId>| {
        let Some(id) = id else { return };
        let is_resource = |id: &TripId| id.as_str().contains('-');
        if shown.iter().all(|known| is_resource(known) != is_resource(&id)) {
            shown.push(id);
        }
    };
    if let Some(own) = own {
        add(TripId::parse(own.as_str()).ok());
        add(json_access::id(&data["id"], TripId::parse));
    }
    add(json_access::id(&data["tripId"], TripId::parse));
    let links = json_access::one(&data["links"]);
    for trip in [&data["trip"], &links["trip"], &links["trips"]]
        .into_iter()
        .flat_map(json_access::many)
    {
        add(json_access::id(trip, TripId::parse));
        add(json_access::id(&trip["tripId"], TripId::parse));
    }
    shown
}
