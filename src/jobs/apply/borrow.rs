//! Trips that are a session's own without its saying so: nobody has their id, and an RFQ of theirs is one that the session,
//! or another session of its trip, holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::RequestId;
use crate::domain::trip::Trip;
use crate::store::sessions::LockedSession;

/// Notes beside each locked session which of the locked trips it borrows. The facts stay where they are: another session
/// that is given the trip's id takes it back.
pub(super) fn borrow(trips: &BTreeMap<String, Trip>, sessions: &mut [LockedSession]) {
    let had: BTreeSet<&String> = sessions.iter().filter_map(|session| session.trip.as_ref()).collect();
    let mut borrowed: Vec<Vec<String>> = vec![Vec::new(); sessions.len()];
    for (key, trip) in trips.iter().filter(|(key, _)| !had.contains(key)) {
        let rfqs: BTreeSet<String> = trip.requests.keys().map(RequestId::normal).collect();
        let holds = |session: &LockedSession| session.rfq.as_ref().is_some_and(|rfq| rfqs.contains(rfq));
        let with: BTreeSet<&String> = sessions
            .iter()
            .filter(|session| holds(session))
            .filter_map(|session| session.trip.as_ref())
            .collect();
        for (session, borrowed) in sessions.iter().zip(&mut borrowed) {
            if holds(session) || session.trip.as_ref().is_some_and(|own| with.contains(own)) {
                borrowed.push(key.clone());
            }
        }
    }
    for (session, borrowed) in sessions.iter_mut().zip(borrowed) {
        session.borrowed = borrowed;
    }
}
