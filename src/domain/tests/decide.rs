//! Deciding: once or step by step, the same facts end in the same session, and a decision leaves nothing to decide.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::generate::{Heard, at, learned, some};
use crate::domain::decide::{SessionUpdate, decide};
use crate::domain::ids::QuoteId;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::domain::session::SessionSnapshot;
use crate::domain::trip::{ChangedFacts, Provenance, TripFacts};
use crate::domain::workflow::{WorkflowStep, advance_to};

/// A session and its primary quote, written as the service writes them.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    session: SessionSnapshot,
    count: usize,
    primary: Option<QuoteId>,
}

impl Row {
    fn write(&mut self, change: &SessionUpdate) {
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
                session: SessionSnapshot {
                    id: Uuid::nil(),
                    is_closed: is_over,
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

fn policy() -> impl Strategy<Value = PrimaryQuotePolicy> {
    prop::sample::select(
        &[
            PrimaryQuotePolicy::Latest,
            PrimaryQuotePolicy::First,
            PrimaryQuotePolicy::LowestPrice,
        ][..],
    )
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
            prop_assert_eq!(again, SessionUpdate { elected: first.elected, ..SessionUpdate::default() });
        }
    }

    #[test]
    fn deciding_after_every_event_ends_as_deciding_once(row in row(), events in some(), policy in policy()) {
        let (mut once, mut stepwise) = (row.clone(), row);
        once.write(&decide(&once.session, Some(&learned(&events)), policy, at(100)));
        let mut trip = TripFacts::default();
        stepwise.write(&decide(&stepwise.session, Some(&trip), policy, at(100)));
        for (event, way) in &events {
            trip.learn(event, *way, &mut ChangedFacts::default());
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
        if before.session.is_closed {
            prop_assert_eq!(&after.session.current_step, &before.session.current_step);
        }
        if before.session.is_closed || before.session.pinned {
            prop_assert_eq!(after.primary, before.primary);
        }
    }

    #[test]
    fn a_session_without_a_trip_keeps_its_count_and_loses_an_unpinned_primary(before in row(), policy in policy()) {
        let change = decide(&before.session, None, policy, at(100));
        let elected = (!before.session.is_closed && !before.session.pinned).then_some(None);
        prop_assert_eq!(change, SessionUpdate { elected, ..SessionUpdate::default() });
    }
}

#[test]
fn steps_move_forward_only_and_an_unknown_one_stays() {
    let steps = [
        WorkflowStep::UnderstandingRequest,
        WorkflowStep::SearchingAircraft,
        WorkflowStep::RequestingQuotes,
        WorkflowStep::ProposalReady,
    ];
    for (place, from) in steps.iter().enumerate() {
        assert_eq!(WorkflowStep::from_word(from.as_str()), Some(*from));
        for (goal, to) in steps.iter().enumerate() {
            assert_eq!(advance_to(Some(from.as_str()), *to), (goal > place).then_some(*to));
        }
    }
    for to in steps {
        assert_eq!(advance_to(None, to), Some(to));
        for word in ["on_hold", "", "Requesting_Quotes", " requesting_quotes"] {
            assert_eq!(advance_to(Some(word), to), None, "{word:?}");
        }
    }
}

#[test]
fn what_takes_a_session_to_its_step_is_that_sellers_were_asked_or_answered() {
    use super::generate::{event, rfq};
    use crate::domain::event::{EventKind, FactSource, Party, TripStatus};
    let step = |what: EventKind| {
        let events: [Heard; 1] = [(event(Some(1), FactSource::Event, what), Provenance::Notified(at(1)))];
        let row = SessionSnapshot {
            id: Uuid::nil(),
            is_closed: false,
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
        decide(&row, Some(&learned(&events)), PrimaryQuotePolicy::Latest, at(100)).step
    };
    let (request, operator) = (Some(rfq("r")), Party::default());
    assert_eq!(
        step(EventKind::TripRequested { request: rfq("r") }),
        Some(WorkflowStep::RequestingQuotes)
    );
    let declined = EventKind::RfqDeclined {
        request: request.clone(),
        quote: None,
        reason: None,
        operator,
    };
    assert_eq!(step(declined), Some(WorkflowStep::RequestingQuotes));
    assert_eq!(
        step(EventKind::TripChanged {
            request,
            status: TripStatus::Updated
        }),
        None
    );
}
