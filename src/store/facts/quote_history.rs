//! The column `history` of `quote_facts`. For a quote that is known from one event alone the other columns are complete, and
//! this one is null; most quotes are.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::event::{FactVersion, QuoteDetails};
use crate::domain::ids::QuoteId;
use crate::domain::quote_history::{Observation, QuoteHistory};

/// The value of the column.
pub fn write(history: &QuoteHistory) -> Option<Value> {
    let has_unread_price = |event: &Observation| event.details.unread_price.is_some();
    let is_in_columns = !history.event.as_ref().is_some_and(has_unread_price);
    if history.documents.is_empty() && history.last_reaffirmed_at.is_none() && is_in_columns {
        return None;
    }
    // Cannot fail: all keys are strings and all numbers finite.
    serde_json::to_value(history).ok()
}

/// The history in the column; `None` if it is null.
pub fn read(quote: &QuoteId, column: Option<Value>) -> Option<QuoteHistory> {
    serde_json::from_value(column?)
        .inspect_err(|error| {
            tracing::error!(%quote, "cannot read the history of quote {quote}, using its other columns: {error}");
        })
        .ok()
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

#[cfg(test)]
mod tests;
