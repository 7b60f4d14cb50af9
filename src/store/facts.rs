//! The facts of locked trips: quotes, RFQs and messages, loaded as far as they are needed and written where they changed.

pub mod messages;
mod quote_history;
pub mod quotes;
pub mod rfqs_and_ledgers;
pub mod write;

use std::collections::{BTreeMap, BTreeSet};

use self::quotes::{ProjectionState, QuoteKey};
use self::rfqs_and_ledgers::{LedgerScope, Ledgers, RfqScope};
use crate::domain::ids::{MessageId, QuoteId, RfqId};
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;

/// The facts of a trip to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactScope {
    All,
    /// These quotes with the RFQs that they answer, and these RFQs.
    Named {
        quotes: BTreeSet<QuoteId>,
        rfqs: BTreeSet<RfqId>,
    },
}

/// The records that [`load`] returns beside the facts of the trips.
#[derive(Debug, Default)]
pub struct LoadedRecords {
    /// The projection of each loaded quote that was ever projected.
    pub projections: BTreeMap<QuoteKey, ProjectionState>,
    pub ledgers: Ledgers,
}

/// Loads the facts of locked trips into `trips`, and the ledgers of their sessions. A trip without a scope is loaded completely.
///
/// A trip may have thousands of messages, so only those in `messages` are looked up.
pub async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    scopes: &BTreeMap<String, FactScope>,
    messages: &BTreeSet<(String, MessageId)>,
    ledgers: &LedgerScope,
) -> Result<LoadedRecords, sqlx::Error> {
    let mut complete: Vec<String> = Vec::new();
    let mut partial: Vec<String> = Vec::new();
    let mut quotes: Vec<(&str, &QuoteId)> = Vec::new();
    let mut rfqs: BTreeSet<(String, RfqId)> = BTreeSet::new();
    let keys: Vec<String> = trips.keys().cloned().collect();
    for key in &keys {
        match scopes.get(key) {
            None | Some(FactScope::All) => complete.push(key.clone()),
            Some(FactScope::Named {
                quotes: named,
                rfqs: with,
            }) => {
                partial.push(key.clone());
                quotes.extend(named.iter().map(|quote| (key.as_str(), quote)));
                rfqs.extend(with.iter().map(|rfq| (key.clone(), rfq.clone())));
            }
        }
    }
    let projections = match complete.is_empty() && quotes.is_empty() {
        true => BTreeMap::new(),
        false => quotes::load(tx, trips, &complete, &quotes).await?,
    };
    for key in &partial {
        rfqs.extend(trips.get(key).into_iter().flat_map(|trip| answered_rfqs(key, trip)));
    }
    let rfqs = RfqScope {
        complete: &complete,
        named: rfqs,
        partial: &partial,
    };
    let ledgers = rfqs_and_ledgers::load(tx, trips, &rfqs, ledgers).await?;
    messages::load(tx, trips, messages).await?;
    Ok(LoadedRecords { projections, ledgers })
}

/// Loads quotes by trip, with the RFQs that they answer, to be read only: nothing is locked.
pub async fn load_quotes(
    tx: &mut Transaction<'_>,
    quotes: &[(&str, &QuoteId)],
) -> Result<BTreeMap<String, TripFacts>, sqlx::Error> {
    if quotes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = quotes.iter().map(|(key, _)| (*key).to_owned());
    let mut trips: BTreeMap<String, TripFacts> = keys.map(|key| (key, TripFacts::default())).collect();
    quotes::load(tx, &mut trips, &[], quotes).await?;
    let rfqs = RfqScope {
        named: trips.iter().flat_map(|(key, trip)| answered_rfqs(key, trip)).collect(),
        ..RfqScope::default()
    };
    rfqs_and_ledgers::load(tx, &mut trips, &rfqs, &LedgerScope::default()).await?;
    Ok(trips)
}

fn answered_rfqs(key: &str, trip: &TripFacts) -> impl Iterator<Item = (String, RfqId)> {
    let statements = trip.quotes.values().flat_map(|quote| &quote.history.observations);
    statements.filter_map(move |statement| Some((key.to_owned(), statement.details.rfq.clone()?)))
}

/// Loads the other facts of trips that have a part of them, and ledgers. The part may have changed already and stays. Returns the
/// projections of the others.
pub async fn complete(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    keys: &BTreeSet<String>,
    ledgers: &LedgerScope,
) -> Result<LoadedRecords, sqlx::Error> {
    let mut stored: BTreeMap<String, TripFacts> = keys.iter().map(|key| (key.clone(), TripFacts::default())).collect();
    let mut records = load(tx, &mut stored, &BTreeMap::new(), &BTreeSet::new(), ledgers).await?;
    for (key, stored) in stored {
        let Some(trip) = trips.get_mut(&key) else { continue };
        records
            .projections
            .retain(|(of, quote), _| *of != key || !trip.quotes.contains_key(quote));
        for (id, quote) in stored.quotes {
            trip.quotes.entry(id).or_insert(quote);
        }
        for (id, rfq) in stored.rfqs {
            trip.rfqs.entry(id).or_insert(rfq);
        }
        trip.others = None;
    }
    Ok(records)
}
