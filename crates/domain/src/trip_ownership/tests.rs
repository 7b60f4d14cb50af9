use proptest::prelude::*;

use super::*;

const ALICE: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);
const CAROL: Uuid = Uuid::from_u128(3);

fn claim(agent: Uuid, evidence: ClaimEvidence) -> TripClaim {
    TripClaim { agent, evidence }
}

fn owners(claims: &[(Uuid, ClaimEvidence)]) -> TripOwners {
    TripOwners::of(claims.iter().map(|(agent, evidence)| claim(*agent, *evidence)))
}

fn agents(agents: &[Uuid]) -> TripOwners {
    TripOwners::Agents(agents.iter().copied().collect())
}

use ClaimEvidence::{Given, Request, Session};

#[test]
fn a_trip_that_one_agent_claims_is_uncontested_whatever_the_evidence() {
    assert_eq!(owners(&[]), TripOwners::Uncontested);
    assert_eq!(owners(&[(ALICE, Session), (ALICE, Session)]), TripOwners::Uncontested);
    assert_eq!(owners(&[(ALICE, Session), (ALICE, Given)]), TripOwners::Uncontested);
    assert!(owners(&[(ALICE, Session)]).includes(ALICE));
}

#[test]
fn the_agent_whose_request_names_the_trip_outweighs_sessions() {
    let claims = [(ALICE, Session), (BOB, Session), (BOB, Request), (CAROL, Session)];
    assert_eq!(owners(&claims), agents(&[BOB]));
}

#[test]
fn a_trip_that_was_given_outweighs_requests() {
    let claims = [(ALICE, Request), (BOB, Given), (CAROL, Request), (CAROL, Session)];
    assert_eq!(owners(&claims), agents(&[BOB]));
    assert!(!owners(&claims).includes(ALICE));
}

#[test]
fn a_trip_that_was_given_to_two_agents_is_both_agents() {
    assert_eq!(
        owners(&[(ALICE, Given), (BOB, Given), (CAROL, Request)]),
        agents(&[ALICE, BOB])
    );
}

#[test]
fn claims_without_evidence_that_tells_them_apart_give_the_trip_to_none() {
    assert_eq!(owners(&[(ALICE, Session), (BOB, Session)]), agents(&[]));
    assert_eq!(owners(&[(ALICE, Request), (BOB, Request)]), agents(&[]));
}

#[test]
fn quotes_are_shown_under_requests_of_the_sessions_agent_or_of_none() {
    assert!(may_show_under_request(ALICE, Some(ALICE)));
    assert!(may_show_under_request(ALICE, None));
    assert!(!may_show_under_request(ALICE, Some(BOB)));
}

fn claims() -> impl Strategy<Value = Vec<TripClaim>> {
    let agent = prop::sample::select(&[ALICE, BOB, CAROL][..]);
    let evidence = prop::sample::select(&[Session, Request, Given][..]);
    let one = (agent, evidence).prop_map(|(agent, evidence)| claim(agent, evidence));
    prop::collection::vec(one, 0..8)
}

proptest! {
    #[test]
    fn order_and_repetition_of_claims_do_not_matter(
        (claims, shuffled) in claims().prop_flat_map(|claims| {
            let repeated: Vec<TripClaim> = claims.iter().chain(&claims).copied().collect();
            (Just(claims), Just(repeated).prop_shuffle())
        })
    ) {
        prop_assert_eq!(TripOwners::of(claims), TripOwners::of(shuffled));
    }

    /// Whatever an agent writes as an agent, it never takes a trip that was given to another one.
    #[test]
    fn no_claim_of_an_agents_own_takes_a_given_trip(claims in claims(), own in prop::sample::select(&[Session, Request][..])) {
        let was_given = claims.iter().any(|claim| claim.evidence == Given);
        let others: Vec<TripClaim> = claims.into_iter().filter(|claim| claim.agent != CAROL).collect();
        prop_assume!(was_given && others.iter().any(|claim| claim.evidence == Given));
        let with_own = others.iter().copied().chain([claim(CAROL, own)]);
        let owners = TripOwners::of(with_own);
        prop_assert!(!owners.includes(CAROL));
        for given in others.iter().filter(|claim| claim.evidence == Given) {
            prop_assert!(owners.includes(given.agent));
        }
    }
}
