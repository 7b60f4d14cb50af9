//! Withholds trips from sessions of agents to whom they do not belong, where several agents claim a trip.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::trip_ownership::{ClaimEvidence, TripClaim, TripOwners};
use crate::store::sessions::LockedSession;

/// Withholds the trips that locked sessions have by a trip id. A session has none of the facts of a withheld trip.
pub(super) fn withhold(sessions: &mut [LockedSession]) {
    let mut claims: BTreeMap<String, Vec<TripClaim>> = BTreeMap::new();
    for session in sessions.iter() {
        if let Some(key) = &session.trip_key {
            claims.entry(key.clone()).or_default().extend(claims_of(session));
        }
    }
    for (key, claims) in claims {
        let owners = TripOwners::of(claims);
        if owners.is_contested() {
            assign(sessions, &key, &owners);
        }
    }
}

/// Leaves a trip to the sessions that name it and whose agents are among its owners, and withholds it from the others.
pub(super) fn assign(sessions: &mut [LockedSession], key: &str, owners: &TripOwners) {
    for session in sessions.iter_mut().filter(|session| names(session, key)) {
        let is_owner = owners.includes(session.agent);
        session.trip_key = is_owner.then(|| key.to_owned());
        session.withheld_trip = (!is_owner).then(|| key.to_owned());
    }
}

/// The claims of sessions that name the trip, and of requests that carry the trip ids of these sessions.
pub(super) fn claims_by_id(sessions: &[LockedSession], key: &str) -> Vec<TripClaim> {
    let naming = sessions.iter().filter(|session| names(session, key));
    naming.flat_map(claims_of).collect()
}

/// The claims to the trip that a session names: its own, and those of requests.
fn claims_of(session: &LockedSession) -> impl Iterator<Item = TripClaim> {
    let evidence = match given_trip_at(session) {
        Some(_) => ClaimEvidence::Given,
        None => ClaimEvidence::Session,
    };
    let own = TripClaim {
        agent: session.agent,
        evidence,
    };
    std::iter::once(own).chain(session.request_claims.iter().copied())
}

/// The session has this trip by its trip id, or would have it if it were not withheld.
pub(super) fn names(session: &LockedSession, key: &str) -> bool {
    [&session.trip_key, &session.withheld_trip]
        .into_iter()
        .any(|its| its.as_deref() == Some(key))
}

/// Returns whether the trip is withheld from a session.
pub(super) fn is_contested(sessions: &[LockedSession], key: &str) -> bool {
    sessions
        .iter()
        .any(|session| session.withheld_trip.as_deref() == Some(key))
}

/// Returns the times at which agents were given a trip that they have. Of several, the first one has its rows.
pub(super) fn given_since(sessions: &[LockedSession], key: &str) -> BTreeMap<Uuid, DateTime<Utc>> {
    let mut since = BTreeMap::new();
    for session in sessions.iter().filter(|session| names(session, key)) {
        if let Some(at) = given_trip_at(session) {
            let first = since.entry(session.agent).or_insert(at);
            *first = at.min(*first);
        }
    }
    since
}

/// The time at which the session was given the trip id that it has now.
fn given_trip_at(session: &LockedSession) -> Option<DateTime<Utc>> {
    let is_given = session.given.trip.is_some() && session.given.trip == session.trip_id;
    session.given.trip_at.filter(|_| is_given)
}
