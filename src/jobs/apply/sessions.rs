//! Decides every session from everything known about its trip, and writes the changes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use super::facts::BatchChanges;
use super::refused::{self, ApplyError, WrittenSessions};
use crate::domain::decide::{SessionUpdate, decide};
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::domain::timeline::{TimelineEvent, quote_detail};
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;
use crate::store::facts::quotes::{ProjectionState, QuoteKey};
use crate::store::projection;
use crate::store::sessions::LockedSession;
use crate::store::sessions::write::SessionWrite;
use crate::store::timeline::TimelineRow;
use crate::store::write_mode::WriteMode;

/// The policy of the selection of primary quotes, and the time of the decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection {
    pub(super) policy: PrimaryQuotePolicy,
    pub(super) now: DateTime<Utc>,
}

/// Decides and writes the sessions of a batch.
pub(super) async fn update(
    tx: &mut Transaction<'_>,
    trips: &BTreeMap<String, TripFacts>,
    sessions: &mut [LockedSession],
    changes: &BatchChanges,
    rows: &BTreeMap<QuoteKey, ProjectionState>,
    Selection { policy, now }: Selection,
    mode: WriteMode,
) -> Result<WrittenSessions, ApplyError> {
    let mut writes = Vec::new();
    let mut states = Vec::new();
    let mut lines = Vec::new();
    for session in sessions {
        let own = session.trip_key.as_ref().and_then(|key| trips.get(key));
        let borrowed = session.shared_trips.iter().filter_map(|key| trips.get(key));
        let trip = match (own, session.shared_trips.is_empty()) {
            (own, true) => own.map(Cow::Borrowed),
            (own, false) => Some(Cow::Owned(own.cloned().unwrap_or_default().merged_with(borrowed))),
        };
        let trip = trip.as_deref();
        let change = decide(&session.snapshot, trip, policy, now);
        let before = session.state.clone();
        add_timeline(session, trip, &change, changes, &mut lines);
        let primary_quote_id = change.primary.as_ref().and_then(|selected| {
            // A row with an older price shows another fact than the selected one. If the facts had come in another order,
            // there would be no row.
            let row = selected.as_ref().and_then(|quote| {
                projection::projectable_price(trip?.quotes.get(quote)?.received.as_ref()?)?;
                let mut shown = session
                    .trip_keys()
                    .filter_map(|key| rows.get(&(key.clone(), quote.clone())));
                shown.find_map(|shown| shown.row())
            });
            session.state.selected_quote = selected.as_ref().map(|quote| quote.as_str().to_owned());
            (row != session.primary_quote_id).then_some(row)
        });
        log_left_alone(session, trip, &change);
        session.state.selected_by = change.primary.as_ref().map(|_| policy);
        session.state.selected_at = change
            .primary
            .as_ref()
            .and_then(|_| now.duration_trunc(TimeDelta::minutes(1)).ok());
        session.state.withheld_trip.clone_from(&session.withheld_trip);
        session.state.matched_trip = session.trip_id.clone().filter(|_| session.is_settled);
        session.state.matched_rfq = session.joined_rfqs();
        if before != session.state {
            states.push(session.state.clone());
        }
        writes.push(SessionWrite {
            session: session.snapshot.id,
            update: change,
            primary_quote_id,
        });
    }
    refused::write_sessions(tx, &writes, &states, &lines, mode).await
}

/// Logs the values of the application's that stay as they are: a count that cannot grow (the timeline has the quotes all the same), and
/// a `workflow_state` without a place for the status of the trip.
fn log_left_alone(session: &LockedSession, trip: Option<&TripFacts>, change: &SessionUpdate) {
    let id = session.snapshot.id;
    if !session.snapshot.accepts_trip_status && trip.is_some_and(|trip| trip.displayed_status().is_some()) {
        tracing::info!(
            session = %id,
            "workflow_state of session {id} does not show the status of its trip: it is too large, or no object"
        );
    }
    let counted = i32::try_from(change.counted_quotes.len()).unwrap_or(i32::MAX);
    if session.quotes_received_count.checked_add(counted).is_none() {
        tracing::warn!(
            session = %id,
            "quotes_received_count of session {id} stays at its maximum, {}: the application wrote {}",
            i32::MAX,
            session.quotes_received_count
        );
    }
}

/// Adds the timeline events of the trip, and those of quotes that a later rematch counts.
fn add_timeline(
    session: &mut LockedSession,
    trip: Option<&TripFacts>,
    change: &SessionUpdate,
    changes: &BatchChanges,
    lines: &mut Vec<TimelineRow>,
) {
    let withheld = session.withheld_trip.as_ref().and(session.trip_id.clone());
    let withheld = withheld.filter(|_| session.withheld_trip != session.state.withheld_trip);
    let keys: Vec<String> = session.trip_keys().cloned().collect();
    let happened = keys.iter().filter_map(|key| changes.timeline.get(key)).flatten();
    let mut keys_of_lines = BTreeSet::new();
    let mut add = |happening: TimelineEvent, delivery_id: Option<Uuid>| {
        if keys_of_lines.insert(happening.dedup_key.clone()) {
            session.state.timeline_seq += 1;
            lines.push(TimelineRow {
                session: session.snapshot.id,
                seq: session.state.timeline_seq,
                event: happening,
                delivery_id,
                actor: None,
            });
        }
    };
    if let Some(trip) = withheld {
        add(TimelineEvent::trip_withheld(&trip), None);
    }
    for (happening, delivery) in happened {
        add(happening.clone(), *delivery);
    }
    for quote in &change.counted_quotes {
        let fact = trip.and_then(|trip| trip.quotes.get(quote)?.received.as_ref());
        if let Some(fact) = fact {
            let detail = quote_detail(&fact.details);
            let at = Some(fact.first_fact_at);
            add(TimelineEvent::quote_received(quote.as_str(), at, detail), None);
        }
    }
}
