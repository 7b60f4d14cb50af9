//! The facts of locked trips: quotes, RFQs and messages, loaded completely and written where they changed.

pub mod messages;
mod quote_history;
pub mod quotes;
pub mod rfqs;

use std::collections::{BTreeMap, BTreeSet};

use self::quotes::{ProjectionState, QuoteKey};
use crate::domain::ids::MessageId;
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;

/// Loads the facts of locked trips into `trips`, and returns the projection of each quote that was ever projected.
///
/// A trip may have thousands of messages, so only those in `messages` are looked up.
pub async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    messages: &BTreeSet<(String, MessageId)>,
) -> Result<BTreeMap<QuoteKey, ProjectionState>, sqlx::Error> {
    let keys: Vec<String> = trips.keys().cloned().collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let projections = quotes::load(tx, trips, &keys).await?;
    rfqs::load(tx, trips, &keys).await?;
    messages::load(tx, trips, messages).await?;
    Ok(projections)
}
