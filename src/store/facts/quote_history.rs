//! The column `history` of `quote_facts`. For a quote that is known from one statement of its seller alone the other columns are
//! complete, and this one is null; most quotes are.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::event::{FactSource, FactVersion, QuoteDetails};
use crate::domain::ids::QuoteId;
use crate::domain::quote_history::QuoteHistory;

/// The value of the column.
pub fn write(history: &QuoteHistory) -> Option<&QuoteHistory> {
    let QuoteHistory {
        made_by_seller,
        linked,
        not_generated,
        generated,
        observations,
        first_fact_at: _, // in a column of its own
        last_reaffirmed_at,
    } = history;
    let has_other_origin = *linked || *not_generated || *generated;
    if !has_other_origin
        && last_reaffirmed_at.is_none()
        && match &observations[..] {
            [] => true,
            // The last GET of a document, and a price that was not understood, are in no column.
            [only] => *made_by_seller && only.source == FactSource::Event && only.details.unread_price.is_none(),
            _ => false,
        }
    {
        return None;
    }
    Some(history)
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
    version: &FactVersion,
    first_fact_at: Option<DateTime<Utc>>,
) -> QuoteHistory {
    let at = version.at;
    let mut history = QuoteHistory::of_received(details, version, at);
    history.first_fact_at = first_fact_at.or(history.first_fact_at);
    history
}

#[cfg(test)]
mod tests;
