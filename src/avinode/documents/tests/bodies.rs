//! Short ways to read a document and to look at what it states.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::avinode::documents::{self, Reading, Statement};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::avinode::resource_id::ResourceId;
use crate::domain::event::{Money, QuoteDetails, What};
use crate::domain::ids::{QuoteId, RequestId, TripId};

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

pub(super) fn read(path: &str, data: &Value) -> Reading {
    documents::read(&resource(path), data, began()).unwrap()
}

/// The ids of its trip that a document shows.
pub(super) fn trips(reading: &Reading) -> Vec<&str> {
    reading.trips.iter().map(TripId::as_str).collect()
}

pub(super) fn statements(path: &str, data: &Value) -> Vec<Statement> {
    read(path, data).statements
}

pub(super) fn quotes(statements: &[Statement]) -> Vec<&QuoteDetails> {
    statements
        .iter()
        .filter_map(|statement| match &statement.what {
            What::QuoteReceived(details) => Some(details),
            _ => None,
        })
        .collect()
}

pub(super) fn quote_of(reading: &Reading) -> QuoteDetails {
    quotes(&reading.statements)[0].clone()
}

/// What a quote is that a document describes by itself.
pub(super) fn described(reading: &Reading) -> QuoteDetails {
    let mut said = reading.statements.iter();
    let found = said.find_map(|statement| match &statement.what {
        What::QuoteDescribed(details) => Some(details.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{reading:?}"))
}

/// RFQ, quote and reason of a decline.
pub(super) fn decline(statement: &Statement) -> (Option<&str>, Option<&str>, Option<&str>) {
    let What::RfqDeclined {
        request, quote, reason, ..
    } = &statement.what
    else {
        panic!("{statement:?}")
    };
    (
        request.as_ref().map(RequestId::as_str),
        quote.as_ref().map(QuoteId::as_str),
        reason.as_deref(),
    )
}

pub(super) fn request(id: &str) -> RequestId {
    RequestId::parse(id).unwrap()
}

pub(super) fn price(amount: &str, currency: &str) -> Option<Money> {
    Some(Money {
        amount: amount.parse().unwrap(),
        currency: currency.to_owned(),
    })
}
