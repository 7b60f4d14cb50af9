//! The parts of an event's `data` in the layouts of relays: nested objects (`quote{id}`), flat ids (`quoteId`), texts in place of
//! objects, and the event's own subject (`id`).

use serde_json::Value;

use crate::id_at::id_at;
use crate::json::text_at;
use crate::parse_error::ParseError;
use crate::sanitize;
use ingest_domain::event::Party;
use ingest_domain::ids::{IdError, QuoteId, ResourceId, RfqId, TripId};

/// A place of an id: its path, and its name in errors.
type IdPlace = (&'static [&'static str], &'static str);

const TRIP: [IdPlace; 8] = [
    (&["trip", "id"], "data.trip.id"),
    (&["tripId"], "data.tripId"),
    (&["trip", "tripId"], "data.trip.tripId"),
    (&["trip"], "data.trip"),
    (&["request", "tripId"], "data.request.tripId"),
    (&["request", "trip", "id"], "data.request.trip.id"),
    (&["quote", "tripId"], "data.quote.tripId"),
    (&["quote", "trip", "id"], "data.quote.trip.id"),
];
const RFQ: [IdPlace; 7] = [
    (&["request", "id"], "data.request.id"),
    (&["rfq", "id"], "data.rfq.id"),
    (&["rfqId"], "data.rfqId"),
    (&["requestId"], "data.requestId"),
    (&["quote", "rfqId"], "data.quote.rfqId"),
    (&["quote", "rfq", "id"], "data.quote.rfq.id"),
    (&["rfq"], "data.rfq"),
];
const QUOTE: [IdPlace; 3] = [
    (&["quote", "id"], "data.quote.id"),
    (&["quoteId"], "data.quoteId"),
    (&["quote"], "data.quote"),
];

pub(crate) fn trip(data: &Value) -> Result<Option<TripId>, ParseError> {
    first(data, &TRIP, TripId::parse, "atrip-")
}

pub(crate) fn rfq(data: &Value) -> Result<Option<RfqId>, ParseError> {
    first(data, &RFQ, RfqId::parse, "arfq-")
}

pub(crate) fn quote(data: &Value) -> Result<Option<QuoteId>, ParseError> {
    first(data, &QUOTE, QuoteId::parse, "aquote-")
}

/// Each quote that an event names, with its path and value: `quote`, the items of `quotes`, and the event's own subject.
pub(crate) fn quotes(data: &Value) -> Result<Vec<(String, &Value, QuoteId)>, ParseError> {
    let mut found: Vec<(String, &Value, QuoteId)> = Vec::new();
    for (number, value) in data["quotes"].as_array().into_iter().flatten().enumerate() {
        let id = match value.is_object() {
            true => id_at(value, &["id"], "data.quotes[].id", QuoteId::parse)?,
            false => id_at(value, &[], "data.quotes[]", QuoteId::parse)?,
        };
        if let Some(id) = id
            && found.iter().all(|(.., known)| *known != id)
        {
            found.push((format!("data.quotes[{number}]"), value, id));
        }
    }
    if let Some(id) = quote(data)?
        && found.iter().all(|(.., known)| *known != id)
    {
        found.push(match data["quote"].is_object() {
            true => ("data.quote".to_owned(), &data["quote"], id),
            false => ("data".to_owned(), data, id),
        });
    }
    Ok(found)
}

/// The id in the first place that has one, else the event's own `id` if it has this prefix. An invalid id is an error.
fn first<Id>(
    data: &Value,
    places: &[IdPlace],
    parse: fn(&str) -> Result<Id, IdError>,
    prefix: &str,
) -> Result<Option<Id>, ParseError> {
    for (path, name) in places {
        if let Some(id) = id_at(data, path, name, parse)? {
            return Ok(Some(id));
        }
    }
    let is_subject = text_at(data, &["id"]).is_some_and(|id| id.to_ascii_lowercase().starts_with(prefix));
    match is_subject {
        true => id_at(data, &["id"], "data.id", parse),
        false => Ok(None),
    }
}

pub(crate) fn decline_reason(data: &Value) -> Option<String> {
    let places: [&[&str]; 4] = [
        &["declineReason"],
        &["request", "declineReason"],
        &["quote", "declineReason"],
        &["reason"],
    ];
    places.iter().find_map(|path| sanitize::printable_at(data, path))
}

pub(crate) fn seller(data: &Value) -> Party {
    party(&data["seller"], &["companyName", "name"])
}

/// A company, else a person. An invalid id is dropped, never cut: a cut id would name another party.
pub(crate) fn party(value: &Value, names: &[&str]) -> Party {
    let id = |key| {
        text_at(value, &[key])
            .and_then(|text| ResourceId::parse(&text).ok())
            .map(|id| id.to_string())
    };
    Party {
        id: id("companyId").or_else(|| id("id")),
        name: names.iter().find_map(|name| sanitize::printable_at(value, &[name])),
    }
}
