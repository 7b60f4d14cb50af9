//! Decisions: once or step by step, the same facts end in the same session; repeating a decision changes nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::generators::{LearnedEvent, at, learned_events, trip_after};
use crate::decide::{SessionUpdate, decide};
use crate::event::{EventKind, QuoteOrigin};
use crate::ids::QuoteId;
use crate::primary_quote::PrimaryQuotePolicy;
use crate::session::SessionSnapshot;
use crate::trip::{ChangedFacts, Provenance, TripFacts};
use crate::workflow::{WorkflowStep, advance_to};

/// A session and its primary quote, updated as the service updates them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) session: SessionSnapshot,
    count: usize,
    primary: Option<QuoteId>,
}

impl Row {
    pub(super) fn apply(&mut self, update: &SessionUpdate) {
        let SessionUpdate {
            counted_quotes,
            step,
            primary,
            rfqs_sent,
            last_activity_at,
            trip_status,
        } = update;
        let session = &mut self.session;
        self.count += counted_quotes.len();
        session.ledger.extend(counted_quotes.iter().cloned());
        if let Some(step) = step {
            session.current_step = Some(step.as_str().to_owned());
        }
        if let Some(primary) = primary {
            self.primary.clone_from(primary);
        }
        let rfqs_sent = rfqs_sent.unwrap_or_default();
        session.quotes_expected_count = session.quotes_expected_count.max(rfqs_sent);
        session.operators_contacted_count = session.operators_contacted_count.max(rfqs_sent);
        session.last_activity_at = session.last_activity_at.max(last_activity_at.unwrap_or_default());
        if let Some(status) = trip_status {
            session.trip_status = status.as_ref().map(|status| status.status.as_str().to_owned());
            session.trip_status_at = status.as_ref().and_then(|status| status.at);
        }
    }
}

pub(super) fn row() -> impl Strategy<Value = Row> {
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
        |(step, (is_closed, pinned), expected, contacted, activity, known)| {
            let ledger: BTreeSet<QuoteId> = known.into_iter().map(super::generators::quote).collect();
            Row {
                count: ledger.len() + 3,
                session: SessionSnapshot {
                    id: Uuid::nil(),
                    is_closed,
                    current_step: step.map(str::to_owned),
                    quotes_expected_count: expected,
                    operators_contacted_count: contacted,
                    last_activity_at: at(activity),
                    trip_status: None,
                    trip_status_at: None,
                    accepts_trip_status: true,
                    pinned,
                    ledger,
                    last_selection: None,
                },
                primary: Some(super::generators::quote("z")),
            }
        },
    )
}

/// Without the statements that a quote was generated of which another event says that its seller made it.
fn without_contradictions(mut events: Vec<LearnedEvent>) -> Vec<LearnedEvent> {
    let of_sellers: BTreeSet<QuoteId> = events
        .iter()
        .filter_map(|(event, _)| match &event.kind {
            EventKind::QuoteReceived(details) => Some(details.quote.clone()),
            EventKind::QuoteOrigin {
                quote,
                origin: QuoteOrigin::NotGenerated,
                ..
            } => Some(quote.clone()),
            _ => None,
        })
        .collect();
    events.retain(|(event, _)| match &event.kind {
        EventKind::QuoteOrigin {
            quote,
            origin: QuoteOrigin::Generated,
            ..
        } => !of_sellers.contains(quote),
        _ => true,
    });
    events
}

pub(super) fn policy() -> impl Strategy<Value = PrimaryQuotePolicy> {
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
    fn a_repeated_decision_changes_nothing(mut row in row(), events in learned_events(), policy in policy()) {
        let trip = trip_after(&events);
        for trip in [Some(&trip), None, Some(&trip)] {
            let first = decide(&row.session, trip, policy, at(100));
            row.apply(&first);
            let second = decide(&row.session, trip, policy, at(100));
            // A selection returns its result each time; it is the same.
            prop_assert_eq!(second, SessionUpdate { primary: first.primary, ..SessionUpdate::default() });
        }
    }

    /// Except that a quote stays counted of which one document says that its seller made it and another that Avinode did.
    #[test]
    fn deciding_after_every_event_ends_as_deciding_once(
        row in row(), events in learned_events().prop_map(without_contradictions), policy in policy()
    ) {
        let (mut once, mut stepwise) = (row.clone(), row);
        once.apply(&decide(&once.session, Some(&trip_after(&events)), policy, at(100)));
        let mut trip = TripFacts::default();
        stepwise.apply(&decide(&stepwise.session, Some(&trip), policy, at(100)));
        for (event, provenance) in &events {
            trip.apply_event(event, *provenance, &mut ChangedFacts::default());
            stepwise.apply(&decide(&stepwise.session, Some(&trip), policy, at(100)));
        }
        prop_assert_eq!(once, stepwise);
    }

    #[test]
    fn a_session_counts_each_quote_once_and_never_moves_back(before in row(), events in learned_events(), policy in policy()) {
        let mut after = before.clone();
        let trip = trip_after(&events);
        after.apply(&decide(&after.session, Some(&trip), policy, at(100)));
        prop_assert_eq!(after.count - before.count, after.session.ledger.len() - before.session.ledger.len());
        prop_assert!(trip.received_quotes().all(|(id, _)| after.session.ledger.contains(id)));
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
        let update = decide(&before.session, None, policy, at(100));
        let primary = (!before.session.is_closed && !before.session.pinned).then_some(None);
        prop_assert_eq!(update, SessionUpdate { primary, ..SessionUpdate::default() });
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
        assert_eq!(from.as_str().parse(), Ok(*from));
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
fn a_session_advances_to_requesting_quotes_when_a_seller_was_contacted_or_answered() {
    use super::generators::{event, rfq};
    use crate::event::{FactSource, Party, TripStatus};
    let step = |kind: EventKind| {
        let events: [LearnedEvent; 1] = [(event(Some(1), FactSource::Event, kind), Provenance::Notified(at(1)))];
        let row = SessionSnapshot {
            id: Uuid::nil(),
            is_closed: false,
            current_step: None,
            quotes_expected_count: 0,
            operators_contacted_count: 0,
            last_activity_at: at(0),
            trip_status: None,
            trip_status_at: None,
            accepts_trip_status: true,
            pinned: false,
            ledger: BTreeSet::new(),
            last_selection: None,
        };
        decide(&row, Some(&trip_after(&events)), PrimaryQuotePolicy::Latest, at(100)).step
    };
    let operator = Party::default();
    assert_eq!(
        step(EventKind::TripRequested { rfq: rfq("r") }),
        Some(WorkflowStep::RequestingQuotes)
    );
    let declined = EventKind::RfqDeclined {
        rfq: Some(rfq("r")),
        quote: None,
        reason: None,
        operator,
    };
    assert_eq!(step(declined), Some(WorkflowStep::RequestingQuotes));
    assert_eq!(
        step(EventKind::TripChanged {
            rfq: Some(rfq("r")),
            status: TripStatus::Updated
        }),
        None
    );
}
