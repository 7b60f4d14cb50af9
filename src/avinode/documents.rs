//! Fetched documents to the facts they state. What a fact does to a session is not decided here.
//!
//! Avinode documents few of the properties and promises none, so a document is read for what can be found in it: a missing or
//! odd part makes a smaller statement, never a lost one.

mod json_access;
mod lifts;
mod messages;
mod quotes;
mod rfqs;
mod timestamps;
mod trips;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::parse_error::ParseError;
use super::resource::{Resource, ResourceKind};
use crate::domain::event::{Event, EventKind, FactVersion};
use crate::domain::ids::{QuoteId, RfqId, TripId};

/// What a document says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedDocument {
    /// The ids of its trip that it shows: at most one resource id and one short id. Two are one trip, learned to be so.
    pub trips: Vec<TripId>,
    /// The RFQ by which its trip may be found where it shows none.
    pub request: Option<RfqId>,
    /// The quote by which its trip may be found where it shows none.
    pub quote: Option<QuoteId>,
    /// What it states about its trip. May be empty.
    pub statements: Vec<UnassignedEvent>,
    /// What is to be fetched because this document leaves it out: a quote without its price, an RFQ that may name the trip
    /// where nothing else does, or tell whether its seller made a quote.
    pub missing: Vec<Resource>,
    /// The RFQs and messages that a trip or an RFQ lists, each once.
    pub children: Vec<Resource>,
}

/// A fact that is an [`Event`] once its trip is known.
#[derive(Debug, Clone, PartialEq)]
pub struct UnassignedEvent {
    /// When it happened, by the document's stamps; `None` where it bears none.
    pub at: Option<DateTime<Utc>>,
    /// What orders it among facts about the same thing.
    pub version: FactVersion,
    /// What happened.
    pub what: EventKind,
}

/// Reads the `data` of a document that was fetched with a GET begun at `began_at`. A list of one is taken for the one.
///
/// A document that states nothing is one with no statements.
///
/// # Errors
/// Only where `data` is not an object.
pub fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> Result<ParsedDocument, ParseError> {
    let data = json_access::one(data);
    if !data.is_object() {
        return Err(ParseError::NoDocument(resource.to_string()));
    }
    let mut reading = match resource.kind {
        ResourceKind::TripMessages => messages::read(resource, data, began_at),
        ResourceKind::Rfqs => rfqs::read(resource, data, began_at),
        ResourceKind::Quotes => quotes::read(resource, data, began_at),
        ResourceKind::Trips => trips::read(data, began_at),
    };
    let own = (resource.kind == ResourceKind::Trips).then_some(&resource.id);
    reading.trips = trips::ids(own, data);
    if let (Some(request), true) = (&reading.request, reading.trips.is_empty()) {
        reading
            .missing
            .extend(json_access::resource(ResourceKind::Rfqs, request.as_str()));
    }
    for list in [&mut reading.missing, &mut reading.children] {
        list.sort();
        list.dedup();
        list.retain(|other| other != resource);
    }
    Ok(reading)
}

impl ParsedDocument {
    /// Whether it describes a quote without saying that its seller made it, so that what it wants must be newer than it.
    pub fn is_undecided(&self) -> bool {
        let mut said = self.statements.iter();
        said.any(|statement| matches!(statement.what, EventKind::QuoteObserved(_)))
    }

    /// The statements as events of this trip.
    pub fn events(&self, trip: &TripId) -> Vec<Event> {
        self.statements
            .iter()
            .map(|statement| Event {
                trip: trip.clone(),
                at: statement.at,
                version: statement.version.clone(),
                what: statement.what.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
