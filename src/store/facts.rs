//! Facts by trip: quotes, RFQs and messages, loaded whole for a locked trip and written where they changed.

pub mod messages;
mod quote_columns;
mod quote_history;
pub mod quotes;
pub mod rfqs;

use std::collections::{BTreeMap, BTreeSet};

use self::quotes::{ProjectionState, QuoteKey};
use crate::domain::event::FactVersion;
use crate::domain::ids::MessageId;
use crate::domain::quote::DeclineFact;
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;

/// Loads the facts of locked trips into them, and tells which quotes are projected where, as far as they ever were.
///
/// Of messages only those in `messages` are looked up: a trip may have thousands.
pub async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    messages: &BTreeSet<(String, MessageId)>,
) -> Result<BTreeMap<QuoteKey, ProjectionState>, sqlx::Error> {
    let keys: Vec<String> = trips.keys().cloned().collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let projected = quotes::load(tx, trips, &keys).await?;
    rfqs::load(tx, trips, &keys).await?;
    messages::load(tx, trips, messages).await?;
    Ok(projected)
}

/// The decline in a row that has one.
fn read_decline(declined: bool, version: Option<FactVersion>, reason: Option<String>) -> Option<DeclineFact> {
    version
        .filter(|_| declined)
        .map(|version| DeclineFact { version, reason })
}
