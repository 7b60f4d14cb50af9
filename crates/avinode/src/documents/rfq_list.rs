//! `rfqs/` with an id of a trip: the list of the trip's RFQs.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{ParsedDocument, identity, json_access};
use crate::parse_error::ParseError;
use crate::resource::{Resource, ResourceKind};
use ingest_domain::ids::{RfqId, TripId};

/// States what each RFQ of the list states. The list itself states nothing.
///
/// # Errors
/// `data` is no list of RFQs, or one of them is of another trip.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> Result<ParsedDocument, ParseError> {
    let no_document = || ParseError::NoDocument(resource.to_string());
    let requested = TripId::parse(resource.id.as_str()).map_err(|_| no_document())?;
    let mut list = ParsedDocument {
        trip_ids: vec![requested],
        ..ParsedDocument::default()
    };
    for item in json_access::many(data) {
        let rfq = rfq(item).ok_or_else(no_document)?;
        let read = super::read(&rfq, identity::find(&rfq, item)?, began_at)?;
        for trip in read.trip_ids {
            let of_sort = |known: &&TripId| is_resource_id(known) == is_resource_id(&trip);
            match list.trip_ids.iter().find(of_sort) {
                None => list.trip_ids.push(trip),
                Some(known) if *known == trip => {}
                Some(_) => {
                    return Err(ParseError::OtherDocument {
                        resource: resource.to_string(),
                        found: trip.to_string(),
                    });
                }
            }
        }
        list.events.extend(read.events);
        list.missing.extend(read.missing);
        list.children.extend(read.children);
        list.children.push(rfq);
        list.unread.extend(read.unread);
    }
    // An RFQ that shows no trip is of this one, and is here.
    let listed = list.children.clone();
    list.missing.retain(|missing| !listed.contains(missing));
    for resources in [&mut list.missing, &mut list.children] {
        resources.sort();
        resources.dedup();
    }
    Ok(list)
}

/// The RFQ of an item, whose id may be the bare number.
fn rfq(item: &Value) -> Option<Resource> {
    let id: RfqId = json_access::id(item, RfqId::parse)?;
    let is_bare = id.as_str().bytes().all(|byte| byte.is_ascii_digit());
    let word = if is_bare { "arfq-" } else { "" };
    let rfq = Resource::by_text(&format!("{word}{}", id.as_str()))?;
    (item.is_object() && rfq.kind == ResourceKind::Rfqs).then_some(rfq)
}

fn is_resource_id(id: &TripId) -> bool {
    id.as_str().contains('-')
}
