//! The rules: from the facts of a trip and a session of it to the changes of the session.
//!
//! They read the facts and never the event at hand. So order, repetition and the time at which a session gets its trip id
//! make no difference: the same facts end in the same session.

use chrono::{DateTime, Utc};

use super::ids::QuoteId;
use super::primary_quote::{PrimaryQuotePolicy, reselect};
use super::session::SessionSnapshot;
use super::trip::{TripFacts, TripStatusFact};
use super::workflow::{WorkflowStep, advance_to};

/// The changes of a session. An absent part stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionUpdate {
    /// Quotes that enter the ledger; `quotes_received_count` grows by their number.
    pub counted_quotes: Vec<QuoteId>,
    /// The step to which the session advances.
    pub step: Option<WorkflowStep>,
    /// The selected primary quote; `Some(None)` if no quote can be selected, `None` if no selection takes place.
    pub primary: Option<Option<QuoteId>>,
    /// `quotes_expected_count` and `operators_contacted_count` are raised to this number.
    pub rfqs_sent: Option<i32>,
    /// `last_activity_at` is raised to this time.
    pub last_activity_at: Option<DateTime<Utc>>,
    /// The new `workflow_state.avinode_trip`; `Some(None)` removes it, because the trip has no status (any more).
    pub trip_status: Option<Option<TripStatusFact>>,
}

/// Returns true if a part of the trip's facts is not enough for [`decide`].
pub fn needs_all_facts(
    session: &SessionSnapshot,
    trip: &TripFacts,
    policy: PrimaryQuotePolicy,
    now: DateTime<Utc>,
) -> bool {
    let selects_from_all =
        selects_primary(session) && reselect(trip, session.last_selection.as_ref(), policy, now).is_none();
    selects_from_all || trip.needs_cancellations_of_others()
}

fn selects_primary(session: &SessionSnapshot) -> bool {
    !session.is_closed && !session.pinned
}

/// Decides the changes of a session, from all facts of its trip or, unless [`needs_all_facts`], from a part of them. `trip` is `None` for a session that has no trip, or lost it.
pub fn decide(
    session: &SessionSnapshot,
    trip: Option<&TripFacts>,
    policy: PrimaryQuotePolicy,
    now: DateTime<Utc>,
) -> SessionUpdate {
    let selects_primary = selects_primary(session);
    let Some(trip) = trip else {
        // A session that lost its trip keeps its count; its unpinned primary quote is selected from no quotes.
        return SessionUpdate {
            primary: selects_primary.then_some(None),
            ..SessionUpdate::default()
        };
    };
    let rfqs_sent = i32::try_from(trip.sent_rfqs()).unwrap_or(i32::MAX);
    SessionUpdate {
        counted_quotes: trip
            .received_quotes()
            .map(|(id, _)| id)
            .filter(|id| !session.ledger.contains(id))
            .cloned()
            .collect(),
        step: (!session.is_closed && trip.has_contacted_sellers())
            .then(|| advance_to(session.current_step.as_deref(), WorkflowStep::RequestingQuotes))
            .flatten(),
        primary: selects_primary
            .then(|| reselect(trip, session.last_selection.as_ref(), policy, now))
            .flatten()
            .map(Option::<&QuoteId>::cloned),
        rfqs_sent: (rfqs_sent > session.quotes_expected_count.min(session.operators_contacted_count))
            .then_some(rfqs_sent),
        last_activity_at: trip.last_activity_at.filter(|at| *at > session.last_activity_at),
        trip_status: new_trip_status(session, trip),
    }
}

fn new_trip_status(session: &SessionSnapshot, trip: &TripFacts) -> Option<Option<TripStatusFact>> {
    let status = trip.displayed_status();
    let word = status.as_ref().map(|status| status.status.as_str());
    let at = status.as_ref().and_then(|status| status.at);
    let is_shown = session.trip_status.as_deref() == word && session.trip_status_at == at;
    (session.accepts_trip_status && !is_shown).then_some(status)
}
