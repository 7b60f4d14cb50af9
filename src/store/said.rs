//! What was said of a quote as the column `said` keeps it. Most quotes are known by events alone: then the other columns are all
//! there is, and this one is null.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::details::details;
use super::version;
use crate::domain::event::{QuoteDetails, Source, Version};
use crate::domain::id::{QuoteId, RequestId};
use crate::domain::said::{Said, Stated};

#[derive(Serialize, Deserialize)]
struct Column {
    received: bool,
    event: Option<Row>,
    documents: Vec<Row>,
    stood_from: Option<DateTime<Utc>>,
    stood_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    request: Option<RequestId>,
    amount: Option<Decimal>,
    currency: Option<String>,
    operator_id: Option<String>,
    operator_name: Option<String>,
    aircraft_type: Option<String>,
    aircraft_tail: Option<String>,
    valid_until: Option<DateTime<Utc>>,
    earliest: Option<DateTime<Utc>>,
    first_at: Option<DateTime<Utc>>,
    last_at: Option<DateTime<Utc>>,
    digest: String,
    stamped: bool,
}

/// The column of what was said.
pub fn write(said: &Said) -> Option<Value> {
    if said.documents.is_empty() && said.stood_at.is_none() {
        return None;
    }
    let column = Column {
        received: said.received,
        event: said.event.as_ref().map(row),
        documents: said.documents.iter().map(row).collect(),
        stood_from: said.stood_from,
        stood_at: said.stood_at,
    };
    // Names for keys and numbers that are finite: nothing in it can fail to be written.
    serde_json::to_value(column).ok()
}

/// What was said, from the column; `None` where it is null.
pub fn read(quote: &QuoteId, column: Option<Value>) -> Option<Said> {
    let column: Column = serde_json::from_value(column?)
        .inspect_err(|error| tracing::error!(%quote, %error, "a quote's `said` cannot be read; its columns stand"))
        .ok()?;
    Some(Said {
        received: column.received,
        event: column.event.map(|row| stated(quote, row, Source::Event)),
        documents: column
            .documents
            .into_iter()
            .map(|row| stated(quote, row, Source::Document))
            .collect(),
        stood_from: column.stood_from,
        stood_at: column.stood_at,
    })
}

/// What was said where the newest fact is all there is.
pub fn only(details: QuoteDetails, version: Version, first_fact_at: Option<DateTime<Utc>>) -> Said {
    let at = version.at;
    let mut said = Said::once(details, version, at);
    for stated in said.event.iter_mut().chain(&mut said.documents) {
        stated.earliest = first_fact_at;
    }
    said
}

fn row(stated: &Stated) -> Row {
    let details = stated.details.clone();
    Row {
        request: details.request,
        amount: details.price.as_ref().map(|price| price.amount),
        currency: details.price.map(|price| price.currency),
        operator_id: details.operator.id,
        operator_name: details.operator.name,
        aircraft_type: details.aircraft_type,
        aircraft_tail: details.aircraft_tail,
        valid_until: details.valid_until,
        earliest: stated.earliest,
        first_at: stated.first_at,
        last_at: stated.last.at,
        digest: hex::encode(stated.last.digest),
        stamped: stated.is_stamped,
    }
}

fn stated(quote: &QuoteId, row: Row, source: Source) -> Stated {
    Stated {
        details: details!(quote.clone(), row.request, row),
        earliest: row.earliest,
        first_at: row.first_at,
        last: Version {
            at: row.last_at,
            source,
            digest: version::digest(&hex::decode(row.digest).unwrap_or_default()),
        },
        is_stamped: row.stamped,
    }
}

#[cfg(test)]
mod tests;
