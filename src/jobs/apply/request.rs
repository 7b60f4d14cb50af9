//! The request to which the rows of a trip in `public.quotes` belong, where several sessions are on the trip.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;
use crate::queue::job::JobError;
use crate::store::projection::{ProjectedRows, QuoteProjection};
use crate::store::quote_requests::{self, InsertedRow, TripRequest};
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

/// Moves the rows of trips to the requests of their active sessions. Without an active session they stay.
pub(super) async fn move_rows(
    tx: &mut Transaction<'_>,
    trips: &BTreeMap<String, TripFacts>,
    sessions: &[LockedSession],
) -> Result<(), JobError> {
    let active = |key: &String| {
        let chosen = of_trip(sessions, key).filter(|chosen| chosen.is_active)?;
        Some(TripRequest {
            trip_key: key.clone(),
            request_id: chosen.request_id,
        })
    };
    let targets: Vec<TripRequest> = trips.keys().filter_map(active).collect();
    if !targets.is_empty() {
        quote_requests::move_rows(tx, &targets).await?;
    }
    Ok(())
}

/// Records the requests of the rows that were inserted, in contrast to those that were found.
pub(super) async fn record(
    tx: &mut Transaction<'_>,
    projections: &[QuoteProjection<'_>],
    projected: &ProjectedRows,
) -> Result<(), JobError> {
    let own_ids: BTreeMap<Uuid, Uuid> = projections
        .iter()
        .filter_map(|projection| Some((projection.new_id, projection.request_id?)))
        .collect();
    let inserted = |projection: &QuoteProjection<'_>| {
        let key = (projection.trip_key.to_owned(), projection.quote.to_string());
        // The row's id is one of ours: a quote that is known under two trips has one row.
        let request_id = *own_ids.get(projected.get(&key)?)?;
        Some(InsertedRow {
            trip_key: key.0,
            quote: projection.quote.clone(),
            request_id,
        })
    };
    let inserted: Vec<InsertedRow> = projections.iter().filter_map(inserted).collect();
    if !inserted.is_empty() {
        quote_requests::record(tx, &inserted).await?;
    }
    Ok(())
}
