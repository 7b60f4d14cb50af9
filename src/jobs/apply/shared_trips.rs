//! Trips that are a session's own without its saying so: nobody has their id, and an RFQ of theirs is one that the session,
//! or another session of its trip, holds.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::ids::RfqId;
use crate::domain::trip::TripFacts;
use crate::store::sessions::LockedSession;

/// Takes away the sessions that cannot be decided here, by id, and returns them: they were given their trip's id, or an RFQ
/// that is named here, after we looked for what belongs together, so trips of theirs may not be among those locked.
pub(super) fn set_apart(
    sessions: &mut Vec<LockedSession>,
    trips: &BTreeMap<String, TripFacts>,
    held: &[String],
) -> Vec<Uuid> {
    let whole = |session: &LockedSession| {
        (session.trip_id.is_none() || session.trip_key.as_ref().is_some_and(|key| trips.contains_key(key)))
            && session.rfq.as_ref().is_none_or(|rfq| held.contains(rfq))
    };
    sessions
        .extract_if(.., |session| !whole(session))
        .map(|session| session.snapshot.id)
        .collect()
}

/// Notes beside each locked session which of the locked trips it borrows. The facts stay where they are: another session
/// that is given the trip's id takes it back.
pub(super) fn borrow(trips: &BTreeMap<String, TripFacts>, sessions: &mut [LockedSession]) {
    let had: BTreeSet<&String> = sessions
        .iter()
        .filter_map(|session| session.trip_key.as_ref())
        .collect();
    let mut borrowed: Vec<Vec<String>> = vec![Vec::new(); sessions.len()];
    for (key, trip) in trips.iter().filter(|(key, _)| !had.contains(key)) {
        let rfqs: BTreeSet<String> = trip.rfqs.keys().map(RfqId::normalized).collect();
        let holds = |session: &LockedSession| session.rfq.as_ref().is_some_and(|rfq| rfqs.contains(rfq));
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
