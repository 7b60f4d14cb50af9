//! The facts that a batch needs. An event of a trip whose sessions are up to date needs the quotes and RFQs that it names, and
//! the selected quotes: nothing else has changed since the last decision. Everything else needs all facts of its trips.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::facts::BatchChanges;
use super::trip_owners;
use crate::domain::decide::needs_all_facts;
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::primary_quote::{LastSelection, PrimaryQuotePolicy, SelectedQuote};
use crate::domain::trip::TripFacts;
use crate::jobs::work::{ClaimedWork, JobPayload};
use crate::postgres::transaction::Transaction;
use crate::queue::job::JobError;
use crate::store::facts::quotes::{ProjectionState, QuoteKey};
use crate::store::facts::rfqs_and_ledgers::LedgerScope;
use crate::store::facts::{self, FactScope};
use crate::store::sessions::{LockedSession, row_keys};
use crate::store::trips::LockedTrips;

/// The scopes of the locked trips of a batch.
pub(super) struct BatchScope {
    by_trip: BTreeMap<String, FactScope>,
}

impl BatchScope {
    /// `outdated`: see [`outdated_trips`].
    pub(super) fn of(
        works: &[&ClaimedWork],
        changes: &BatchChanges,
        locked: &LockedTrips,
        sessions: &[LockedSession],
        outdated: &BTreeSet<String>,
    ) -> Self {
        let owned: BTreeSet<&String> = sessions
            .iter()
            .filter_map(|session| session.trip_key.as_ref())
            .collect();
        // A trip that is withheld may belong to a session that holds an RFQ of it: all its RFQs decide that.
        let holders = |session: &&LockedSession| !session.rfqs.is_empty();
        let is_held_elsewhere = |key: &String| {
            let mut named = sessions.iter().filter(|session| trip_owners::names(session, key));
            let agents: BTreeSet<Uuid> = sessions.iter().filter(holders).map(|session| session.agent).collect();
            named.any(|session| agents.iter().any(|agent| *agent != session.agent))
        };
        let holds_rfqs = sessions.iter().any(|session| !session.rfqs.is_empty());
        // A session that holds an RFQ may have a trip that no session has by its id: its RFQs decide that.
        let may_share = holds_rfqs && locked.trips.keys().any(|key| !owned.contains(key));
        let mut by_trip = named(works, changes, locked);
        for (key, scope) in &mut by_trip {
            if may_share || is_held_elsewhere(key) || outdated.contains(key) || changes.has_merged(key) {
                *scope = FactScope::All;
            }
        }
        for session in sessions {
            if let Some(key) = &session.trip_key
                && let Some(FactScope::Named { quotes, .. }) = by_trip.get_mut(key)
            {
                let selected = session.state.selected_quote.as_deref();
                quotes.extend(selected.and_then(|id| QuoteId::parse(id).ok()));
            }
        }
        Self { by_trip }
    }

    pub(super) fn is_complete(&self, trip: &str) -> bool {
        !matches!(self.by_trip.get(trip), Some(FactScope::Named { .. }))
    }

    /// Loads the facts of the batch and the ledgers of its sessions. Returns the projections of the loaded quotes.
    pub(super) async fn load(
        &self,
        tx: &mut Transaction<'_>,
        works: &[&ClaimedWork],
        locked: &mut LockedTrips,
        sessions: &mut [LockedSession],
    ) -> Result<BTreeMap<QuoteKey, ProjectionState>, JobError> {
        let messages = super::facts::messages_of(works, &locked.key_of);
        let with_row_keys = sessions.iter().filter(|session| session.has_row_keys);
        let with_row_keys: Vec<Uuid> = with_row_keys.map(|session| session.snapshot.id).collect();
        if !with_row_keys.is_empty() {
            row_keys::rename(tx, &with_row_keys).await?;
        }
        let ledgers = self.ledgers(sessions);
        let mut loaded = facts::load(tx, &mut locked.trips, &self.by_trip, &messages, &ledgers).await?;
        for session in sessions {
            session.snapshot.ledger = loaded.ledgers.remove(&session.snapshot.id).unwrap_or_default();
            session.snapshot.last_selection = last_selection(session, &locked.trips);
        }
        Ok(loaded.projections)
    }

    /// Loads all facts of the trips of which the loaded ones turn out to be not enough: the selected quote was declined, or
    /// expired.
    pub(super) async fn complete(
        &mut self,
        tx: &mut Transaction<'_>,
        locked: &mut LockedTrips,
        sessions: &mut [LockedSession],
        rows: &mut BTreeMap<QuoteKey, ProjectionState>,
        policy: PrimaryQuotePolicy,
        now: DateTime<Utc>,
    ) -> Result<(), JobError> {
        let needs_all = |session: &&LockedSession| {
            let trip = session.trip_key.as_ref().and_then(|key| locked.trips.get(key));
            trip.is_some_and(|trip| needs_all_facts(&session.snapshot, trip, policy, now))
        };
        let keys: BTreeSet<String> = sessions
            .iter()
            .filter(needs_all)
            .filter_map(|session| session.trip_key.clone())
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        for key in &keys {
            self.by_trip.insert(key.clone(), FactScope::All);
        }
        let of_keys = |session: &&mut LockedSession| session.trip_key.as_ref().is_some_and(|key| keys.contains(key));
        let mut sessions: Vec<&mut LockedSession> = sessions.iter_mut().filter(of_keys).collect();
        let ledgers = LedgerScope {
            complete: sessions.iter().map(|session| session.snapshot.id).collect(),
            named: Vec::new(),
        };
        let mut loaded = facts::complete(tx, &mut locked.trips, &keys, &ledgers).await?;
        rows.extend(loaded.projections);
        for session in &mut sessions {
            session.snapshot.ledger = loaded.ledgers.remove(&session.snapshot.id).unwrap_or_default();
        }
        Ok(())
    }

    /// The named quotes for each session of a trip with a part of its facts, everything for any other session.
    fn ledgers(&self, sessions: &[LockedSession]) -> LedgerScope {
        let mut ledgers = LedgerScope::default();
        for session in sessions {
            let id = session.snapshot.id;
            match session.trip_key.as_ref().and_then(|key| self.by_trip.get(key)) {
                Some(FactScope::Named { quotes, .. }) => {
                    ledgers.named.extend(quotes.iter().map(|quote| (id, quote.clone())));
                }
                Some(FactScope::All) | None => ledgers.complete.push(id),
            }
        }
        ledgers
    }
}

/// The trips of which everything is needed: those of sessions that are not up to date, and those that rematched sessions have or
/// had (`asked`).
pub(super) fn outdated_trips(
    sessions: &[LockedSession],
    rematched: &[Uuid],
    asked: &[String],
    policy: PrimaryQuotePolicy,
    now: DateTime<Utc>,
) -> BTreeSet<String> {
    let outdated = sessions
        .iter()
        .filter(|session| rematched.contains(&session.snapshot.id) || !is_up_to_date(session, policy, now));
    let of_sessions = outdated.filter_map(|session| session.trip_key.clone());
    let of_rematched = asked.iter().filter(|_| !rematched.is_empty()).cloned();
    of_sessions.chain(of_rematched).collect()
}

/// The quotes and RFQs that the events of a batch name, by trip: an entry for each locked trip.
fn named(works: &[&ClaimedWork], changes: &BatchChanges, locked: &LockedTrips) -> BTreeMap<String, FactScope> {
    let mut by_trip: BTreeMap<&String, (BTreeSet<QuoteId>, BTreeSet<RfqId>)> =
        locked.trips.keys().map(|key| (key, Default::default())).collect();
    for work in works.iter().copied().chain(&changes.duplicates) {
        for event in work.events() {
            let key = locked.key_of.get(event.trip.as_str());
            if let Some((quotes, rfqs)) = key.and_then(|key| by_trip.get_mut(key)) {
                quotes.extend(event.kind.quote().cloned());
                rfqs.extend(event.kind.rfq().cloned());
            }
        }
        if let JobPayload::QuoteExpiry { trip, quote, .. } = &work.payload
            && let Some((quotes, _)) = locked.key_of.get(trip).and_then(|key| by_trip.get_mut(key))
        {
            quotes.insert(quote.clone());
        }
    }
    let scope = |(quotes, rfqs)| FactScope::Named { quotes, rfqs };
    by_trip
        .into_iter()
        .map(|(key, named)| (key.clone(), scope(named)))
        .collect()
}

/// The session was decided with this trip and these RFQs, and its selection says something about the facts that are not loaded.
fn is_up_to_date(session: &LockedSession, policy: PrimaryQuotePolicy, now: DateTime<Utc>) -> bool {
    let state = &session.state;
    let is_matched = state.matched_trip == session.trip_id && state.matched_rfq == session.joined_rfqs();
    let selects = !session.snapshot.is_closed && !session.snapshot.pinned;
    // A clock that was ahead took quotes for expired that are not.
    let is_selected = state.selected_by == Some(policy) && state.selected_at.is_some_and(|at| at <= now);
    let was_withheld = state.withheld_trip.is_some();
    is_matched && !was_withheld && !session.has_row_keys && (!selects || is_selected)
}

/// The last selection of a session of a trip with a part of its facts, before events change them.
fn last_selection(session: &LockedSession, trips: &BTreeMap<String, TripFacts>) -> Option<LastSelection> {
    let trip = trips.get(session.trip_key.as_ref()?)?;
    let quote = match session.state.selected_quote.as_deref() {
        None => None,
        Some(id) => {
            let id = QuoteId::parse(id).ok()?;
            let changed = trip.quotes.get(&id)?.received.as_ref()?.changed;
            Some(SelectedQuote { id, changed })
        }
    };
    let policy = session.state.selected_by?;
    Some(LastSelection { policy, quote })
}
