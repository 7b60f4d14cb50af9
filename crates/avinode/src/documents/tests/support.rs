//! Short functions that parse a document and return parts of it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::documents::{self, ParsedDocument, UnassignedEvent};
use crate::resource::{Resource, ResourceKind};
use ingest_domain::event::{EventKind, Money, QuoteDetails};
use ingest_domain::ids::{QuoteId, ResourceId, RfqId, TripId};

pub(super) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// The time at which every GET began.
pub(super) fn began_at() -> DateTime<Utc> {
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
    documents::read(&resource(path), data, began_at()).unwrap()
}

pub(super) fn trip_ids(document: &ParsedDocument) -> Vec<&str> {
    document.trip_ids.iter().map(TripId::as_str).collect()
}

pub(super) fn events(path: &str, data: &Value) -> Vec<UnassignedEvent> {
    read(path, data).events
}

/// The received quotes.
pub(super) fn quotes(events: &[UnassignedEvent]) -> Vec<&QuoteDetails> {
    events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::QuoteReceived(details) => Some(details),
            _ => None,
        })
        .collect()
}

/// The first received quote.
pub(super) fn quote_of(document: &ParsedDocument) -> QuoteDetails {
    quotes(&document.events)[0].clone()
}

/// The observed quote.
pub(super) fn observed(document: &ParsedDocument) -> QuoteDetails {
    let found = document.events.iter().find_map(|event| match &event.kind {
        EventKind::QuoteObserved(details) => Some(details.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{document:?}"))
}

/// RFQ, quote and reason of a decline.
pub(super) fn decline(event: &UnassignedEvent) -> (Option<&str>, Option<&str>, Option<&str>) {
    let EventKind::RfqDeclined { rfq, quote, reason, .. } = &event.kind else {
        panic!("{event:?}")
    };
    (
        rfq.as_ref().map(RfqId::as_str),
        quote.as_ref().map(QuoteId::as_str),
        reason.as_deref(),
    )
}

pub(super) fn rfq_id(id: &str) -> RfqId {
    RfqId::parse(id).unwrap()
}

pub(super) fn price(amount: &str, currency: &str) -> Option<Money> {
    Some(Money {
        amount: amount.parse().unwrap(),
        currency: currency.to_owned(),
    })
}
