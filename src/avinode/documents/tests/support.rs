//! Short ways to read a document and to look at what it states.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::avinode::documents::{self, ParsedDocument, UnassignedEvent};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::avinode::resource_id::ResourceId;
use crate::domain::event::{EventKind, Money, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId, TripId};

pub(super) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// When every GET began.
pub(super) fn began() -> DateTime<Utc> {
    at("2026-01-31T12:00:00Z")
}

pub(super) fn resource(path: &str) -> Resource {
    let (kind, id) = path.split_once('/').unwrap();
    Resource {
        kind: ResourceKind::parse(kind).unwrap(),
        id: ResourceId::parse(id).unwrap(),
    }
}

pub(super) fn read(path: &str, data: &Value) -> ParsedDocument {
    documents::read(&resource(path), data, began()).unwrap()
}

/// The ids of its trip that a document shows.
pub(super) fn trips(reading: &ParsedDocument) -> Vec<&str> {
    reading.trips.iter().map(TripId::as_str).collect()
}

pub(super) fn statements(path: &str, data: &Value) -> Vec<UnassignedEvent> {
    read(path, data).statements
}

pub(super) fn quotes(statements: &[UnassignedEvent]) -> Vec<&QuoteDetails> {
    statements
        .iter()
        .filter_map(|statement| match &statement.what {
            EventKind::QuoteReceived(details) => Some(details),
            _ => None,
        })
        .collect()
}

pub(super) fn quote_of(reading: &ParsedDocument) -> QuoteDetails {
    quotes(&reading.statements)[0].clone()
}

/// What a quote is that a document describes by itself.
pub(super) fn described(reading: &ParsedDocument) -> QuoteDetails {
    let mut said = reading.statements.iter();
    let found = said.find_map(|statement| match &statement.what {
        EventKind::QuoteObserved(details) => Some(details.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{reading:?}"))
}

/// RFQ, quote and reason of a decline.
pub(super) fn decline(statement: &UnassignedEvent) -> (Option<&str>, Option<&str>, Option<&str>) {
    let EventKind::RfqDeclined {
        request, quote, reason, ..
    } = &statement.what
    else {
        panic!("{statement:?}")
    };
    (
        request.as_ref().map(RfqId::as_str),
        quote.as_ref().map(QuoteId::as_str),
        reason.as_deref(),
    )
}

pub(super) fn request(id: &str) -> RfqId {
    RfqId::parse(id).unwrap()
}

pub(super) fn price(amount: &str, currency: &str) -> Option<Money> {
    Some(Money {
        amount: amount.parse().unwrap(),
        currency: currency.to_owned(),
    })
}
