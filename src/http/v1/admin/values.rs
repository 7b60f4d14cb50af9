//! Values of filters, in query parameters and in bodies. An error names the parameter.

use std::fmt::Display;

use chrono::{DateTime, Datelike, Utc};
use uuid::Uuid;

use crate::domain::chat_session::page::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::domain::ids::{EventId, IdError, QuoteId, RfqId, TripId};
use crate::http::v1::cursor::{self, CursorKey};
use crate::http::v1::problem::ApiProblem;
use crate::store::admin::subject_filter::SubjectFilter;

pub fn subject(
    trip: Option<String>,
    rfq: Option<String>,
    quote: Option<String>,
    session: Option<Uuid>,
    event: Option<String>,
) -> Result<SubjectFilter, ApiProblem> {
    Ok(SubjectFilter {
        trip: id("trip", trip, |text| TripId::parse(text).map(|id| id.to_string()))?,
        rfq: id("rfq", rfq, |text| RfqId::parse(text).map(|id| id.normalized()))?,
        quote: id("quote", quote, |text| QuoteId::parse(text).map(|id| id.to_string()))?,
        session,
        event: id("event", event, |text| EventId::parse(text).map(|id| id.to_string()))?,
    })
}

fn id(
    name: &str,
    text: Option<String>,
    parse: impl Fn(&str) -> Result<String, IdError>,
) -> Result<Option<String>, ApiProblem> {
    let parsed = text.map(|text| parse(&text));
    let invalid = |error: &dyn Display| ApiProblem::field(name, &format!("is not an id: {error}"));
    parsed.transpose().map_err(|error| invalid(&error))
}

/// Beyond these years a time has no id, or no place in Postgres.
pub fn time(name: &str, time: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, ApiProblem> {
    match time.is_none_or(|time| (1..=9999).contains(&time.year())) {
        true => Ok(time),
        false => Err(ApiProblem::field(name, "is not in the years 1 to 9999")),
    }
}

/// Postgres has no text with NUL.
pub fn printable(name: &str, text: Option<String>) -> Result<Option<String>, ApiProblem> {
    match text.as_deref().is_some_and(|text| text.contains('\0')) {
        true => Err(ApiProblem::field(name, "contains a NUL character")),
        false => Ok(text),
    }
}

pub fn position<K: CursorKey>(cursor: Option<String>) -> Result<Option<K>, ApiProblem> {
    let invalid = || ApiProblem::field("cursor", "is not a cursor of this list");
    cursor
        .map(|cursor| cursor::decode(&cursor).ok_or_else(invalid))
        .transpose()
}

pub fn limit(limit: Option<u16>) -> Result<i64, ApiProblem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    match (1..=MAX_LIMIT).contains(&limit) {
        true => Ok(limit.into()),
        false => Err(ApiProblem::field(
            "limit",
            &format!("is not an integer from 1 to {MAX_LIMIT}"),
        )),
    }
}
