//! The request to which the rows of a trip in `public.quotes` belong, where several sessions are on the trip. It is a request of the
//! session's own agent.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::trip_owners;
use crate::domain::trip_ownership::may_show_under_request;
use crate::postgres::transaction::Transaction;
use crate::queue::job::JobError;
use crate::store::projection::{ProjectedRows, QuoteProjection};
use crate::store::quote_requests::{self, TripRequest};
use crate::store::sessions::LockedSession;

/// The request of a session, chosen for the rows of its trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChosenRequest {
    pub(super) request_id: Uuid,
    /// Rows under another request move here: its session is active, or the trip is withheld from another agent, who may have the rows.
    moves_rows: bool,
}

/// Returns the request of the oldest active session of the trip that has one, else of the oldest session that has one. The trip is
/// withheld from sessions of agents whose it is not; of several agents to whom it was given, the first one comes first.
pub(super) fn of_trip(sessions: &[LockedSession], key: &str) -> Option<ChosenRequest> {
    let given_since = trip_owners::given_since(sessions, key);
    let of_trip = sessions
        .iter()
        .filter(|session| session.trip_keys().any(|its| its == key));
    of_trip
        .filter(|session| may_show_under_request(session.agent, session.request_agent))
        .filter_map(|session| Some((session, session.request_id?)))
        .min_by_key(|(session, _)| {
            let since = given_since.get(&session.agent).copied();
            let since = since.unwrap_or(DateTime::<Utc>::MAX_UTC);
            // Only among sessions of one agent: the agent writes the time of creation.
            let age = (session.created_at, session.snapshot.id);
            (!session.is_active, since, session.agent, age)
        })
        .map(|(session, request_id)| ChosenRequest {
            request_id,
            moves_rows: session.is_active || trip_owners::is_contested(sessions, key),
        })
}

/// Moves the rows of trips to the requests of their active sessions; without an active session they stay, unless they may be another
/// agent's. The application's table may refuse that: the sessions then count as not matched, so that the next event of their trip,
/// or the resync, tries again.
pub(super) async fn move_rows(
    tx: &mut Transaction<'_>,
    trips: impl Iterator<Item = &String>,
    sessions: &mut [LockedSession],
) -> Result<(), JobError> {
    let target = |key: &String| {
        let chosen = of_trip(sessions, key).filter(|chosen| chosen.moves_rows)?;
        Some(TripRequest {
            trip_key: key.clone(),
            request_id: chosen.request_id,
        })
    };
    let targets: Vec<TripRequest> = trips.filter_map(target).collect();
    if targets.is_empty() || quote_requests::move_rows(tx, &targets).await? {
        return Ok(());
    }
    let refused: BTreeSet<&String> = targets.iter().map(|target| &target.trip_key).collect();
    for session in sessions {
        let stays = session.trip_keys().any(|key| refused.contains(key));
        session.is_settled = !stays;
    }
    Ok(())
}

/// Sets the requests of rows that were inserted for another trip of the batch: a quote that is known under two trips has one row.
pub(super) fn set_own_requests(projections: &[QuoteProjection<'_>], projected: &mut ProjectedRows) {
    let own_ids: BTreeMap<Uuid, Uuid> = projections
        .iter()
        .filter_map(|projection| Some((projection.new_id, projection.request_id?)))
        .collect();
    for record in projected.values_mut() {
        if let Some(request_id) = own_ids.get(&record.row) {
            record.own_request_id = Some(*request_id);
        }
    }
}
