//! Trips that a session uses through an RFQ: no session has the trip's id, but this session, or another session of its trip,
//! holds one of the trip's RFQs.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::trip_owners;
use crate::domain::ids::RfqId;
use crate::domain::trip::TripFacts;
use crate::domain::trip_ownership::{ClaimEvidence, TripClaim, TripOwners};
use crate::store::related_trips::RfqClaim;
use crate::store::sessions::LockedSession;

/// Removes and returns the sessions that cannot be decided here: they were given their trip's id, or an RFQ that is named
/// here, after the related trips were looked up, so their other trips may not be locked.
pub(super) fn remove_undecidable(
    sessions: &mut Vec<LockedSession>,
    trips: &BTreeMap<String, TripFacts>,
    held: &[String],
) -> Vec<LockedSession> {
    let is_complete = |session: &LockedSession| {
        let key = session.trip_key.as_ref().or(session.withheld_trip.as_ref());
        (session.trip_id.is_none() || key.is_some_and(|key| trips.contains_key(key)))
            && session.rfqs.iter().all(|rfq| held.contains(rfq))
    };
    sessions.extract_if(.., |session| !is_complete(session)).collect()
}

/// Sets the borrowed trips of each locked session. The facts stay with their trip: another session that is given the trip's id
/// takes it back. Where agents claim a trip by its id and others by its RFQs, the trip is withheld from those to whom it does not
/// belong. `undecidable`: sessions that are decided later, and whose claims count; `rfq_claims`: those of sessions that are not
/// locked.
pub(super) fn borrow(
    trips: &BTreeMap<String, TripFacts>,
    sessions: &mut [LockedSession],
    undecidable: &[LockedSession],
    rfq_claims: &[RfqClaim],
) {
    if sessions.iter().all(|session| session.rfqs.is_empty()) {
        return;
    }
    let all: Vec<LockedSession> = sessions.iter().chain(undecidable).cloned().collect();
    let several_agents = !rfq_claims.is_empty() || all.iter().any(|session| session.agent != all[0].agent);
    let mut owners_of: BTreeMap<&String, TripOwners> = BTreeMap::new();
    if several_agents {
        for (key, trip) in trips {
            let rfqs = normal_rfqs(trip);
            let elsewhere = rfq_claims.iter().filter(|held| rfqs.contains(&held.rfq));
            let by_rfq = claims_by_rfq(&all, trip).into_iter().flatten();
            let by_rfq = by_rfq.chain(elsewhere.map(|held| held.claim));
            let owners = TripOwners::of(trip_owners::claims_by_id(&all, key).into_iter().chain(by_rfq));
            trip_owners::assign(sessions, key, &owners);
            owners_of.insert(key, owners);
        }
    }
    let owned: BTreeSet<String> = sessions.iter().filter_map(|session| session.trip_key.clone()).collect();
    let mut borrowed: Vec<Vec<String>> = vec![Vec::new(); sessions.len()];
    for (key, trip) in trips.iter().filter(|(key, _)| !owned.contains(*key)) {
        let owners = owners_of.get(key).unwrap_or(&TripOwners::Uncontested);
        let claims = claims_by_rfq(sessions, trip);
        for ((session, borrowed), claim) in sessions.iter().zip(&mut borrowed).zip(claims) {
            if claim.is_some() && owners.includes(session.agent) {
                borrowed.push(key.clone());
            }
        }
    }
    for (session, borrowed) in sessions.iter_mut().zip(borrowed) {
        session.shared_trips = borrowed;
    }
}

/// Returns the sessions of other agents that hold an RFQ which a locked session got since it was matched: they may have lost a trip.
pub(super) fn rivals(sessions: &[LockedSession], rfq_claims: &[RfqClaim]) -> BTreeSet<Uuid> {
    let changed = sessions
        .iter()
        .filter(|session| session.state.matched_rfq != session.joined_rfqs());
    let rivals = changed.flat_map(|session| {
        rfq_claims
            .iter()
            .filter(|held| held.claim.agent != session.agent && session.rfqs.contains(&held.rfq))
    });
    rivals.map(|held| held.session).collect()
}

fn normal_rfqs(trip: &TripFacts) -> BTreeSet<String> {
    trip.rfqs.keys().map(RfqId::normalized).collect()
}

/// The claim of each session to a trip by its RFQs: the session holds one, or another session of its trip does.
fn claims_by_rfq(sessions: &[LockedSession], trip: &TripFacts) -> Vec<Option<TripClaim>> {
    let rfqs = normal_rfqs(trip);
    let holds = |session: &LockedSession| session.rfqs.iter().any(|rfq| rfqs.contains(rfq));
    let with: BTreeSet<&String> = sessions
        .iter()
        .filter(|session| holds(session))
        .filter_map(|session| session.trip_key.as_ref())
        .collect();
    let claim = |session: &LockedSession| {
        let mut held = session.rfqs.iter().filter(|rfq| rfqs.contains(*rfq));
        let evidence = match held.any(|rfq| session.given.rfqs.contains(rfq)) {
            true => ClaimEvidence::Given,
            false => ClaimEvidence::Session,
        };
        let claims = holds(session) || session.trip_key.as_ref().is_some_and(|own| with.contains(own));
        let agent = session.agent;
        claims.then_some(TripClaim { agent, evidence })
    };
    sessions.iter().map(claim).collect()
}
