//! Trips that a session uses through an RFQ: no session has the trip's id, but this session, or another session of its trip,
//! holds one of the trip's RFQs.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::ids::RfqId;
use crate::domain::trip::TripFacts;
use crate::store::sessions::LockedSession;

/// Removes and returns the sessions that cannot be decided here: they were given their trip's id, or an RFQ that is named
/// here, after the related trips were looked up, so their other trips may not be locked.
pub(super) fn remove_undecidable(
    sessions: &mut Vec<LockedSession>,
    trips: &BTreeMap<String, TripFacts>,
    held: &[String],
) -> Vec<Uuid> {
    let is_complete = |session: &LockedSession| {
        (session.trip_id.is_none() || session.trip_key.as_ref().is_some_and(|key| trips.contains_key(key)))
            && session.rfqs.iter().all(|rfq| held.contains(rfq))
    };
    sessions
        .extract_if(.., |session| !is_complete(session))
        .map(|session| session.snapshot.id)
        .collect()
}

/// Sets the borrowed trips of each locked session. The facts stay with their trip: another session that is given the trip's id
/// takes it back.
pub(super) fn borrow(trips: &BTreeMap<String, TripFacts>, sessions: &mut [LockedSession]) {
    let owned: BTreeSet<&String> = sessions
        .iter()
        .filter_map(|session| session.trip_key.as_ref())
        .collect();
    let mut borrowed: Vec<Vec<String>> = vec![Vec::new(); sessions.len()];
    for (key, trip) in trips.iter().filter(|(key, _)| !owned.contains(key)) {
        let rfqs: BTreeSet<String> = trip.rfqs.keys().map(RfqId::normalized).collect();
        let holds = |session: &LockedSession| session.rfqs.iter().any(|rfq| rfqs.contains(rfq));
        let with: BTreeSet<&String> = sessions
            .iter()
            .filter(|session| holds(session))
            .filter_map(|session| session.trip_key.as_ref())
            .collect();
        for (session, borrowed) in sessions.iter().zip(&mut borrowed) {
            if holds(session) || session.trip_key.as_ref().is_some_and(|own| with.contains(own)) {
                borrowed.push(key.clone());
            }
        }
    }
    for (session, borrowed) in sessions.iter_mut().zip(borrowed) {
        session.shared_trips = borrowed;
    }
}
