//! What was said of a quote as the column `said` keeps it. Most quotes are known by events alone: then the other columns are all
//! there is, and this one is null.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::quote_columns::details;
use crate::domain::event::{FactSource, FactVersion, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote_history::{Observation, QuoteHistory};
use crate::store::version;

#[derive(Serialize, Deserialize)]
struct Column {
    received: bool,
    event: Option<HistoryRow>,
    documents: Vec<HistoryRow>,
    stood_from: Option<DateTime<Utc>>,
    stood_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct HistoryRow {
    request: Option<RfqId>,
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
pub fn write(said: &QuoteHistory) -> Option<Value> {
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
pub fn read(quote: &QuoteId, column: Option<Value>) -> Option<QuoteHistory> {
    let column: Column = serde_json::from_value(column?)
        .inspect_err(|error| tracing::error!(%quote, %error, "a quote's `said` cannot be read; its columns stand"))
        .ok()?;
    Some(QuoteHistory {
        received: column.received,
        event: column.event.map(|row| stated(quote, row, FactSource::Event)),
        documents: column
            .documents
            .into_iter()
            .map(|row| stated(quote, row, FactSource::Document))
            .collect(),
        stood_from: column.stood_from,
        stood_at: column.stood_at,
    })
}

/// What was said where the newest fact is all there is.
pub fn only(details: QuoteDetails, version: FactVersion, first_fact_at: Option<DateTime<Utc>>) -> QuoteHistory {
    let at = version.at;
    let mut said = QuoteHistory::once(details, version, at);
    for stated in said.event.iter_mut().chain(&mut said.documents) {
        stated.earliest = first_fact_at;
    }
    said
}

fn row(stated: &Observation) -> HistoryRow {
    let details = stated.details.clone();
    HistoryRow {
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

fn stated(quote: &QuoteId, row: HistoryRow, source: FactSource) -> Observation {
    Observation {
        details: details!(quote.clone(), row.request, row),
        earliest: row.earliest,
        first_at: row.first_at,
        last: FactVersion {
            at: row.last_at,
            source,
            digest: version::digest(&hex::decode(row.digest).unwrap_or_default()),
        },
        is_stamped: row.stamped,
    }
}

#[cfg(test)]
mod tests;
