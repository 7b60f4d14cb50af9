//! Parses fetched documents into events. The rules decide later how an event changes a session.
//!
//! Avinode documents few of the properties and guarantees none, so every reader is lenient: a missing or odd part makes a
//! smaller event and never loses one.

mod identity;
mod json_access;
mod lifts;
mod messages;
mod quotes;
mod rfq_list;
mod rfqs;
mod timestamps;
mod trips;
mod unread;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::parse_error::ParseError;
use super::resource::{Resource, ResourceKind};
use super::unread_property::UnreadProperty;
use ingest_domain::event::{Event, EventKind, FactVersion};
use ingest_domain::ids::{QuoteId, ResourceId, RfqId, TripId};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedDocument {
    /// The ids of its trip that the document shows: at most one resource id and one short id. Two ids are one trip.
    pub trip_ids: Vec<TripId>,
    /// The RFQ by which the trip can be found if the document shows no trip id.
    pub rfq: Option<RfqId>,
    /// The quote by which the trip can be found if the document shows no trip id.
    pub quote: Option<QuoteId>,
    pub events: Vec<UnassignedEvent>,
    /// Resources to fetch because this document leaves something out: the price of a quote, or an RFQ that may show the trip
    /// or confirm that a seller made a quote.
    pub missing: Vec<Resource>,
    /// The RFQs and messages that a trip or an RFQ lists, each once.
    pub children: Vec<Resource>,
    /// Parts that were sent and not understood.
    pub unread: Vec<UnreadProperty>,
}

/// An [`Event`] of a trip that is not known yet.
#[derive(Debug, Clone, PartialEq)]
pub struct UnassignedEvent {
    /// The document's own time; `None` if it has none.
    pub at: Option<DateTime<Utc>>,
    pub version: FactVersion,
    pub kind: EventKind,
}

/// Parses the `data` of a document; `began_at`: the time at which its GET began. A list is searched for the requested resource,
/// unless the list of a trip's RFQs was requested.
///
/// A document that states no fact has no events.
///
/// # Errors
/// `data` is neither an object nor a list that contains the resource, it is that of another resource, or a part without which
/// its content cannot be identified is missing or invalid.
pub fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> Result<ParsedDocument, ParseError> {
    if resource.is_rfqs_of_trip() {
        return rfq_list::read(resource, data, began_at);
    }
    let data = identity::find(resource, data)?;
    let mut document = match resource.kind {
        ResourceKind::TripMessages => messages::read(resource, data, began_at)?,
        ResourceKind::Rfqs => rfqs::read(resource, data, began_at),
        ResourceKind::Quotes => quotes::read(resource, data, began_at),
        ResourceKind::Trips => trips::read(data, began_at),
    };
    let own_id = (resource.kind == ResourceKind::Trips).then_some(&resource.id);
    document.trip_ids = trips::ids(own_id, data)?;
    document.unread = unread::parts(resource.kind, data);
    if let (Some(rfq), true) = (document.rfq.clone(), document.trip_ids.is_empty()) {
        document.add_missing(ResourceKind::Rfqs, rfq.as_str());
    }
    for list in [&mut document.missing, &mut document.children] {
        list.sort();
        list.dedup();
        list.retain(|other| other != resource);
    }
    Ok(document)
}

impl ParsedDocument {
    fn add_missing(&mut self, kind: ResourceKind, id: &str) {
        self.missing
            .extend(ResourceId::parse(id).map(|id| Resource { kind, id }));
    }

    /// True if the document describes a quote without saying that its seller made it. A resource in `missing` must then be
    /// fetched after this document to confirm the quote.
    pub fn has_unconfirmed_quote(&self) -> bool {
        let mut kinds = self.events.iter().map(|event| &event.kind);
        kinds.any(|kind| matches!(kind, EventKind::QuoteObserved(_)))
    }

    /// The events, as events of this trip.
    pub fn events_of(&self, trip: &TripId) -> Vec<Event> {
        self.events
            .iter()
            .map(|UnassignedEvent { at, version, kind }| Event {
                trip: trip.clone(),
                at: *at,
                version: version.clone(),
                kind: kind.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
