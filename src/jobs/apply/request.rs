//! The request to which the rows of a trip in `public.quotes` belong, where several sessions are on the trip.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::postgres::transaction::Transaction;
use crate::queue::job::JobError;
use crate::store::projection::{ProjectedRows, QuoteProjection};
use crate::store::quote_requests::{self, TripRequest};
use crate::store::sessions::LockedSession;

/// The request of a session, chosen for the rows of its trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChosenRequest {
    pub(super) request_id: Uuid,
    /// Its session is active, so rows under another request move here.
    is_active: bool,
}

/// Returns the request of the oldest active session of the trip that has one, else of the oldest session that has one.
pub(super) fn of_trip(sessions: &[LockedSession], key: &str) -> Option<ChosenRequest> {
    let of_trip = sessions
        .iter()
        .filter(|session| session.trip_keys().any(|its| its == key));
    of_trip
        .filter_map(|session| Some((session, session.request_id?)))
        .min_by_key(|(session, _)| (!session.is_active, session.created_at, session.snapshot.id))
        .map(|(session, request_id)| ChosenRequest {
            request_id,
            is_active: session.is_active,
        })
}

/// Moves the rows of trips to the requests of their active sessions; without an active session they stay. The application's table
/// may refuse that: the sessions then count as not matched, so that the next event of their trip, or the resync, tries again.
pub(super) async fn move_rows(
    tx: &mut Transaction<'_>,
    trips: impl Iterator<Item = &String>,
    sessions: &mut [LockedSession],
) -> Result<(), JobError> {
    let active = |key: &String| {
        let chosen = of_trip(sessions, key).filter(|chosen| chosen.is_active)?;
        Some(TripRequest {
            trip_key: key.clone(),
            request_id: chosen.request_id,
        })
    };
    let targets: Vec<TripRequest> = trips.filter_map(active).collect();
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
