//! The checks of who may claim a trip: grants to the application's roles, and trips that several agents claim.

use super::finding::{CheckName, CheckResult};
use crate::postgres::diagnostics::grants::OpenGrant;
use crate::store::withheld::WithheldTrips;

const TRUST: CheckName = CheckName("trust");

/// One line for each open grant, with the statements that close it, and one for withheld trips.
pub fn results(grants: &[OpenGrant], withheld: Option<&WithheldTrips>) -> Vec<CheckResult> {
    let mut results: Vec<CheckResult> = grants.iter().map(open_grant).collect();
    results.extend(withheld.map(withheld_trips));
    if results.is_empty() {
        results.push(TRUST.ok("no application's role can claim trips of other agents, and no session does"));
    }
    results
}

fn open_grant(grant: &OpenGrant) -> CheckResult {
    let OpenGrant {
        role,
        table_name,
        privilege,
        columns,
        revoke,
    } = grant;
    TRUST.warning(
        format!(
            "{role} may {privilege} {columns} of {table_name}: an agent can claim a trip of another agent, who then needs evidence for \
             it (docs/security.md)"
        ),
        format!("let the application's server or the API write these columns, then: {revoke}"),
    )
}

fn withheld_trips(withheld: &WithheldTrips) -> CheckResult {
    let WithheldTrips {
        sessions,
        trips,
        session,
        trip,
        without_owner,
    } = withheld;
    let mut message = format!(
        "{sessions} sessions name {trips} trips that other agents claim with better evidence, and get no quotes of them, for \
         example session {session} trip {trip}"
    );
    if !without_owner.is_empty() {
        message.push_str(&format!(
            "; no agent has evidence that outweighs the others for {}, so none gets their quotes",
            without_owner.join(", ")
        ));
    }
    TRUST.warning(
        message,
        "remove the trip id from sessions whose it is not; give the trip to its session by PATCH /v1/sessions/{id}/trip",
    )
}
