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

use super::parse_error::NotUnderstood;
use super::resource::{Resource, ResourceKind};
use crate::domain::event::{Event, Version, What};
use crate::domain::ids::{QuoteId, RequestId, TripId};

/// What a document says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The ids of its trip that it shows: at most one resource id and one short id. Two are one trip, learned to be so.
    pub trips: Vec<TripId>,
    /// The RFQ by which its trip may be found where it shows none.
    pub request: Option<RequestId>,
    /// The quote by which its trip may be found where it shows none.
    pub quote: Option<QuoteId>,
    /// What it states about its trip. May be empty.
    pub statements: Vec<Statement>,
    /// What is to be fetched because this document leaves it out: a quote without its price, an RFQ that may name the trip
    /// where nothing else does, or tell whether its seller made a quote.
    pub wanting: Vec<Resource>,
    /// The RFQs and messages that a trip or an RFQ lists, each once.
    pub parts: Vec<Resource>,
}

/// A fact that is an [`Event`] once its trip is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// When it happened, by the document's stamps; `None` where it bears none.
    pub at: Option<DateTime<Utc>>,
    /// What orders it among facts about the same thing.
    pub version: Version,
    /// What happened.
    pub what: What,
}

/// Reads the `data` of a document that was fetched with a GET begun at `began_at`. A list of one is taken for the one.
///
/// A document that states nothing is one with no statements.
///
/// # Errors
/// Only where `data` is not an object.
pub fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> Result<Reading, NotUnderstood> {
    let data = json_access::one(data);
    if !data.is_object() {
        return Err(NotUnderstood::NoDocument(resource.to_string()));
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
            .wanting
            .extend(json_access::resource(ResourceKind::Rfqs, request.as_str()));
    }
    for list in [&mut reading.wanting, &mut reading.parts] {
        list.sort();
        list.dedup();
        list.retain(|other| other != resource);
    }
    Ok(reading)
}

impl Reading {
    /// Whether it describes a quote without saying that its seller made it, so that what it wants must be newer than it.
    pub fn is_undecided(&self) -> bool {
        let mut said = self.statements.iter();
        said.any(|statement| matches!(statement.what, What::QuoteDescribed(_)))
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
