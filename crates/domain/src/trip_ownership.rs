//! The owners of a trip that several agents claim.
//!
//! An agent writes the trip ids of the own sessions and requests, the time at which a session was created included, and trip ids
//! are consecutive numbers. So neither a claim nor its time proves anything: the evidence is what only others can write.

use std::collections::BTreeSet;

use uuid::Uuid;

/// The reason for which a trip may be an agent's. A later one outweighs the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimEvidence {
    /// A session of the agent names the trip, or an RFQ of it.
    Session,
    /// A request of the agent names the trip.
    Request,
    /// The API, or a role that may write every agent's sessions, gave the trip to a session or a request of the agent.
    Given,
}

/// The claim of an agent to a trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TripClaim {
    pub agent: Uuid,
    pub evidence: ClaimEvidence,
}

/// The agents to whom a trip belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TripOwners {
    /// No other agent claims the trip: a session's word is enough.
    Uncontested,
    /// Several agents claim it, and it is these agents' trip: one, or those to whom it was given. None, if the evidence does not
    /// tell them apart.
    Agents(BTreeSet<Uuid>),
}

impl TripOwners {
    /// Returns the owners of a trip with these claims, in any order and however often.
    pub fn of(claims: impl IntoIterator<Item = TripClaim>) -> Self {
        let claims: BTreeSet<TripClaim> = claims.into_iter().collect();
        let agents: BTreeSet<Uuid> = claims.iter().map(|claim| claim.agent).collect();
        if agents.len() < 2 {
            return Self::Uncontested;
        }
        let with = |evidence| -> BTreeSet<Uuid> {
            let claims = claims.iter().filter(|claim| claim.evidence == evidence);
            claims.map(|claim| claim.agent).collect()
        };
        let given = with(ClaimEvidence::Given);
        if !given.is_empty() {
            return Self::Agents(given);
        }
        // Agents write their requests as well: two that name one trip prove as little as two sessions.
        let by_request = with(ClaimEvidence::Request);
        Self::Agents(if by_request.len() == 1 {
            by_request
        } else {
            BTreeSet::new()
        })
    }

    pub fn includes(&self, agent: Uuid) -> bool {
        match self {
            Self::Uncontested => true,
            Self::Agents(agents) => agents.contains(&agent),
        }
    }

    pub fn is_contested(&self) -> bool {
        match self {
            Self::Uncontested => false,
            Self::Agents(_) => true,
        }
    }
}

/// Returns whether quotes of a session's trip may be shown under a request: it is the session's agent's, or no agent's.
pub fn may_show_under_request(session_agent: Uuid, request_agent: Option<Uuid>) -> bool {
    request_agent.is_none_or(|agent| agent == session_agent)
}

#[cfg(test)]
mod tests;
