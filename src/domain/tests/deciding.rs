//! Deciding: once or step by step, the same facts end in the same session, and a decision leaves nothing to decide.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::generate::{Heard, at, learned, some};
use crate::domain::decide::{Change, decide};
use crate::domain::ids::QuoteId;
use crate::domain::primary_quote::Policy;
use crate::domain::session::Session;
use crate::domain::trip::{Touched, Trip, Way};
use crate::domain::workflow::{Step, at_least};

/// A session and its primary quote, written as the service writes them.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    session: Session,
    count: usize,
    primary: Option<QuoteId>,
}

impl Row {
    fn write(&mut self, change: &Change) {
        let session = &mut self.session;
        self.count += change.count.len();
        session.ledger.extend(change.count.iter().cloned());
        if let Some(step) = change.step {
            session.current_step = Some(step.as_str().to_owned());
        }
        if let Some(elected) = &change.elected {
            self.primary.clone_from(elected);
        }
        let requests = change.requests.unwrap_or_default();
        session.quotes_expected_count = session.quotes_expected_count.max(requests);
        session.operators_contacted_count = session.operators_contacted_count.max(requests);
        session.last_activity_at = session
            .last_activity_at
            .max(change.last_activity_at.unwrap_or_default());
        if let Some(status) = &change.trip_status {
            session.trip_status = Some(status.status.as_str().to_owned());
            session.trip_status_at = status.version.at;
        }
    }
}

fn row() -> impl Strategy<Value = Row> {
    let step = prop::option::of(prop::sample::select(
        &[
            "understanding_request",
            "searching_aircraft",
            "requesting_quotes",
            "proposal_ready",
            "on_hold",
        ][..],
    ));
    let known = prop::collection::btree_set(prop::sample::select(&["a", "b", "z"][..]), 0..3);
    (step, any::<(bool, bool)>(), 0..4_i32, 0..4_i32, -5..12_i64, known).prop_map(
        |(step, (is_over, pinned), expected, contacted, activity, known)| {
            let ledger: BTreeSet<QuoteId> = known.into_iter().map(super::generate::quote).collect();
            Row {
                count: ledger.len() + 3,
                session: Session {
                    id: Uuid::nil(),
                    is_over,
                    current_step: step.map(str::to_owned),
                    quotes_expected_count: expected,
                    operators_contacted_count: contacted,
                    last_activity_at: at(activity),
                    trip_status: None,
                    trip_status_at: None,
                    takes_trip_status: true,
                    pinned,
                    ledger,
                },
                primary: Some(super::generate::quote("z")),
            }
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(&[Policy::Latest, Policy::First, Policy::LowestPrice][..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_decision_that_was_written_leaves_nothing_to_decide(mut row in row(), events in some(), policy in policy()) {
        let trip = learned(&events);
        for trip in [Some(&trip), None, Some(&trip)] {
            let first = decide(&row.session, trip, policy, at(100));
            row.write(&first);
            let again = decide(&row.session, trip, policy, at(100));
            // An election names its outcome each time; it is the same one.
            prop_assert_eq!(again, Change { elected: first.elected, ..Change::default() });
        }
    }

    #[test]
    fn deciding_after_every_event_ends_as_deciding_once(row in row(), events in some(), policy in policy()) {
        let (mut once, mut stepwise) = (row.clone(), row);
        once.write(&decide(&once.session, Some(&learned(&events)), policy, at(100)));
        let mut trip = Trip::default();
        stepwise.write(&decide(&stepwise.session, Some(&trip), policy, at(100)));
        for (event, way) in &events {
            trip.learn(event, *way, &mut Touched::default());
            stepwise.write(&decide(&stepwise.session, Some(&trip), policy, at(100)));
        }
        prop_assert_eq!(once, stepwise);
    }

    #[test]
    fn a_session_counts_each_quote_once_and_never_falls_back(before in row(), events in some(), policy in policy()) {
        let mut after = before.clone();
        let trip = learned(&events);
        after.write(&decide(&after.session, Some(&trip), policy, at(100)));
        prop_assert_eq!(after.count - before.count, after.session.ledger.len() - before.session.ledger.len());
        prop_assert!(trip.received().all(|(id, _)| after.session.ledger.contains(id)));
        prop_assert!(after.session.ledger.is_superset(&before.session.ledger));
        prop_assert!(after.session.last_activity_at >= before.session.last_activity_at);
        prop_assert!(after.session.quotes_expected_count >= before.session.quotes_expected_count);
        prop_assert!(after.session.operators_contacted_count >= before.session.operators_contacted_count);
        if before.session.is_over {
            prop_assert_eq!(&after.session.current_step, &before.session.current_step);
        }
        if before.session.is_over || before.session.pinned {
            prop_assert_eq!(after.primary, before.primary);
        }
    }

    #[test]
    fn a_session_without_a_trip_keeps_its_count_and_loses_an_unpinned_primary(before in row(), policy in policy()) {
        let change = decide(&before.session, None, policy, at(100));
        let elected = (!before.session.is_over && !before.session.pinned).then_some(None);
        prop_assert_eq!(change, Change { elected, ..Change::default() });
    }
}

#[test]
fn steps_move_forward_only_and_an_unknown_one_stays() {
    let steps = [
        Step::UnderstandingRequest,
        Step::SearchingAircraft,
        Step::RequestingQuotes,
        Step::ProposalReady,
    ];
    for (place, from) in steps.iter().enumerate() {
        assert_eq!(Step::from_word(from.as_str()), Some(*from));
        for (goal, to) in steps.iter().enumerate() {
            assert_eq!(at_least(Some(from.as_str()), *to), (goal > place).then_some(*to));
        }
    }
    for to in steps {
        assert_eq!(at_least(None, to), Some(to));
        for word in ["on_hold", "", "Requesting_Quotes", " requesting_quotes"] {
            assert_eq!(at_least(Some(word), to), None, "{word:?}");
        }
    }
}

#[test]
fn what_takes_a_session_to_its_step_is_that_sellers_were_asked_or_answered() {
    use super::generate::{event, rfq};
    use crate::domain::event::{Operator, Source, TripStatus, What};
    let step = |what: What| {
        let events: [Heard; 1] = [(event(Some(1), Source::Event, what), Way::Told(at(1)))];
        let row = Session {
            id: Uuid::nil(),
            is_over: false,
            current_step: None,
            quotes_expected_count: 0,
            operators_contacted_count: 0,
            last_activity_at: at(0),
            trip_status: None,
            trip_status_at: None,
            takes_trip_status: true,
            pinned: false,
            ledger: BTreeSet::new(),
        };
        decide(&row, Some(&learned(&events)), Policy::Latest, at(100)).step
    };
    let (request, operator) = (Some(rfq("r")), Operator::default());
    assert_eq!(
        step(What::TripRequested { request: rfq("r") }),
        Some(Step::RequestingQuotes)
    );
    let declined = What::RfqDeclined {
        request: request.clone(),
        quote: None,
        reason: None,
        operator,
    };
    assert_eq!(step(declined), Some(Step::RequestingQuotes));
    assert_eq!(
        step(What::TripChanged {
            request,
            status: TripStatus::Updated
        }),
        None
    );
}
