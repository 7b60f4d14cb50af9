//! The rules: what is known of a trip, and a session of it, to what changes in the session.
//!
//! Decided from facts, never from the event at hand, so that order, repetition and the moment at which a session got
//! its trip id make no difference: the same facts end in the same session.

use chrono::{DateTime, Utc};

use super::ids::QuoteId;
use super::primary_quote::{PrimaryQuotePolicy, select_primary};
use super::session::SessionSnapshot;
use super::trip::{TripFacts, TripStatusFact};
use super::workflow::{WorkflowStep, advance_to};

/// What changes in a session. Everything absent stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionUpdate {
    /// Quotes that enter the ledger; the count grows by their number.
    pub count: Vec<QuoteId>,
    /// The step it moves on to.
    pub step: Option<WorkflowStep>,
    /// The outcome of an election; `Some(None)`: nobody can be elected. `None`: no election takes place.
    pub elected: Option<Option<QuoteId>>,
    /// What `quotes_expected_count` and `operators_contacted_count` are raised to.
    pub requests: Option<i32>,
    /// What `last_activity_at` is raised to.
    pub last_activity_at: Option<DateTime<Utc>>,
    /// What `workflow_state.avinode_trip` becomes.
    pub trip_status: Option<TripStatusFact>,
}

/// Decides what changes in a session whose trip is known as `trip`; `None` for a session that has no trip (any more).
pub fn decide(
    session: &SessionSnapshot,
    trip: Option<&TripFacts>,
    policy: PrimaryQuotePolicy,
    now: DateTime<Utc>,
) -> SessionUpdate {
    let elects = !session.is_closed && !session.pinned;
    let Some(trip) = trip else {
        // A session that lost its trip keeps its count; its unpinned primary is elected among no quotes.
        return SessionUpdate {
            elected: elects.then_some(None),
            ..SessionUpdate::default()
        };
    };
    let requested = i32::try_from(trip.requested()).unwrap_or(i32::MAX);
    SessionUpdate {
        count: trip
            .received()
            .map(|(id, _)| id)
            .filter(|id| !session.ledger.contains(id))
            .cloned()
            .collect(),
        step: (!session.is_closed && trip.has_requests())
            .then(|| advance_to(session.current_step.as_deref(), WorkflowStep::RequestingQuotes))
            .flatten(),
        elected: elects.then(|| select_primary(trip, policy, now).cloned()),
        requests: (requested > session.quotes_expected_count.min(session.operators_contacted_count))
            .then_some(requested),
        last_activity_at: trip.last_activity_at.filter(|at| *at > session.last_activity_at),
        trip_status: trip.shown_status().filter(|status| {
            session.takes_trip_status
                && (session.trip_status.as_deref() != Some(status.status.as_str())
                    || session.trip_status_at != status.version.at)
        }),
    }
}
