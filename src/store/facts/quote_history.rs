//! The column `history` of `quote_facts`. For a quote that is known from one event alone the other columns are complete, and
//! this one is null; most quotes are.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::quote_columns::details;
use crate::domain::event::{FactSource, FactVersion, Money, Party, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote_history::{Observation, QuoteHistory};
use crate::store::version;

#[derive(Serialize, Deserialize)]
struct HistoryColumn {
    received: bool,
    event: Option<ObservationColumns>,
    documents: Vec<ObservationColumns>,
    first_reaffirmed_at: Option<DateTime<Utc>>,
    last_reaffirmed_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct ObservationColumns {
    rfq: Option<RfqId>,
    amount: Option<Decimal>,
    currency: Option<String>,
    operator_id: Option<String>,
    operator_name: Option<String>,
    aircraft_type: Option<String>,
    aircraft_tail: Option<String>,
    valid_until: Option<DateTime<Utc>>,
    earliest_at: Option<DateTime<Utc>>,
    first_version_at: Option<DateTime<Utc>>,
    latest_version_at: Option<DateTime<Utc>>,
    digest: String,
    has_sender_time: bool,
}

/// The value of the column.
pub fn write(history: &QuoteHistory) -> Option<Value> {
    let QuoteHistory {
        received,
        event,
        documents,
        first_reaffirmed_at,
        last_reaffirmed_at,
    } = history;
    if documents.is_empty() && last_reaffirmed_at.is_none() {
        return None;
    }
    let column = HistoryColumn {
        received: *received,
        event: event.as_ref().map(write_observation),
        documents: documents.iter().map(write_observation).collect(),
        first_reaffirmed_at: *first_reaffirmed_at,
        last_reaffirmed_at: *last_reaffirmed_at,
    };
    // Cannot fail: all keys are strings and all numbers finite.
    serde_json::to_value(column).ok()
}

/// The history in the column; `None` if it is null.
pub fn read(quote: &QuoteId, column: Option<Value>) -> Option<QuoteHistory> {
    let HistoryColumn {
        received,
        event,
        documents,
        first_reaffirmed_at,
        last_reaffirmed_at,
    } = serde_json::from_value(column?)
        .inspect_err(|error| {
            tracing::error!(%quote, "cannot read the history of quote {quote}, using its other columns: {error}");
        })
        .ok()?;
    Some(QuoteHistory {
        received,
        event: event.map(|row| read_observation(quote, row, FactSource::Event)),
        documents: documents
            .into_iter()
            .map(|row| read_observation(quote, row, FactSource::Document))
            .collect(),
        first_reaffirmed_at,
        last_reaffirmed_at,
    })
}

/// The history of a received quote if the column is null: one observation, in the other columns.
pub fn of_one_observation(
    details: QuoteDetails,
    version: FactVersion,
    first_fact_at: Option<DateTime<Utc>>,
) -> QuoteHistory {
    let at = version.at;
    let mut history = QuoteHistory::of_received(details, version, at);
    for observation in history.event.iter_mut().chain(&mut history.documents) {
        observation.earliest_at = first_fact_at;
    }
    history
}

fn write_observation(observation: &Observation) -> ObservationColumns {
    let Observation {
        details,
        earliest_at,
        first_version_at,
        latest_version:
            FactVersion {
                at: latest_version_at,
                source: _, // events and documents are stored apart
                digest,
            },
        has_sender_time,
    } = observation;
    let QuoteDetails {
        quote: _, // the row's key
        rfq,
        price,
        operator: Party { id, name },
        aircraft_type,
        aircraft_tail,
        valid_until,
    } = details.clone();
    let (amount, currency) = price.map(|Money { amount, currency }| (amount, currency)).unzip();
    ObservationColumns {
        rfq,
        amount,
        currency,
        operator_id: id,
        operator_name: name,
        aircraft_type,
        aircraft_tail,
        valid_until,
        earliest_at: *earliest_at,
        first_version_at: *first_version_at,
        latest_version_at: *latest_version_at,
        digest: hex::encode(digest),
        has_sender_time: *has_sender_time,
    }
}

fn read_observation(quote: &QuoteId, row: ObservationColumns, source: FactSource) -> Observation {
    Observation {
        details: details!(quote.clone(), row.rfq, row),
        earliest_at: row.earliest_at,
        first_version_at: row.first_version_at,
        latest_version: FactVersion {
            at: row.latest_version_at,
            source,
            digest: version::digest(&hex::decode(row.digest).unwrap_or_default()),
        },
        has_sender_time: row.has_sender_time,
    }
}

#[cfg(test)]
mod tests;
