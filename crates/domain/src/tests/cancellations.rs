//! Cancellations: of an RFQ, of all RFQs of a trip, and of the trip itself.

use super::generators::{LearnedEvent, at, bare_quote, event, learned_events, quote, rfq, trip_after};
use crate::decide::decide;
use crate::event::{EventKind, FactSource, QuoteDetails, TripStatus};
use crate::primary_quote::{PrimaryQuotePolicy, select_primary};
use crate::timeline::TimelineKind;
use crate::trip::{ChangedFacts, Provenance, TripFacts, TripStatusFact};
use proptest::prelude::*;

fn learned(seconds: i64, kind: EventKind) -> LearnedEvent {
    let event = event(Some(seconds), FactSource::Event, kind);
    (event, Provenance::Notified(at(seconds)))
}

fn sent(seconds: i64, letter: &str) -> LearnedEvent {
    learned(seconds, EventKind::TripRequested { rfq: rfq(letter) })
}

fn cancelled(seconds: i64, letter: &str) -> LearnedEvent {
    learned(seconds, EventKind::RfqCancelled { rfq: rfq(letter) })
}

fn changed(seconds: i64, status: TripStatus) -> LearnedEvent {
    learned(seconds, EventKind::TripChanged { rfq: None, status })
}

/// The status of the trip after these events, and its time in seconds, which is the same in every order of them.
fn status_in_every_order(events: &[LearnedEvent]) -> Option<TripStatusFact> {
    let mut found = Vec::new();
    permute(&mut events.to_vec(), 0, &mut |events| {
        found.push(trip_after(events).displayed_status());
    });
    found.dedup();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn permute(events: &mut Vec<LearnedEvent>, from: usize, visit: &mut impl FnMut(&[LearnedEvent])) {
    if from == events.len() {
        return visit(events);
    }
    for place in from..events.len() {
        events.swap(from, place);
        permute(events, from + 1, visit);
        events.swap(from, place);
    }
}

fn shown(status: TripStatus, seconds: i64) -> Option<TripStatusFact> {
    let at = Some(at(seconds));
    Some(TripStatusFact { status, at })
}

#[test]
fn one_cancelled_rfq_of_several_calls_no_trip_off() {
    let events = [sent(1, "a"), sent(2, "b"), cancelled(5, "a")];
    assert_eq!(status_in_every_order(&events), None);
    let updated = [&events[..], &[changed(3, TripStatus::Updated)]].concat();
    assert_eq!(status_in_every_order(&updated), shown(TripStatus::Updated, 3));
    // An RFQ that was only named may be open as well.
    let quoted = QuoteDetails {
        rfq: Some(rfq("c")),
        ..bare_quote("c")
    };
    let quoted = learned(9, EventKind::QuoteReceived(quoted));
    let named = [cancelled(5, "a"), cancelled(6, "b"), quoted];
    assert_eq!(status_in_every_order(&named), None);
}

#[test]
fn a_trip_is_called_off_with_the_last_of_its_rfqs() {
    let events = [sent(1, "a"), sent(2, "b"), cancelled(5, "a"), cancelled(7, "b")];
    assert_eq!(status_in_every_order(&events), shown(TripStatus::Cancelled, 7));
    // An older change of the trip does not revive it, and a newer one is the newest that is known.
    let older = [&events[..], &[changed(6, TripStatus::Updated)]].concat();
    assert_eq!(status_in_every_order(&older), shown(TripStatus::Cancelled, 7));
    let newer = [&events[..], &[changed(8, TripStatus::Updated)]].concat();
    assert_eq!(status_in_every_order(&newer), shown(TripStatus::Updated, 8));
    // Another RFQ goes on.
    let another = [&events[..], &[sent(9, "c")]].concat();
    assert_eq!(status_in_every_order(&another), None);
}

#[test]
fn a_trip_that_is_itself_cancelled_stays_cancelled_whatever_its_rfqs_do() {
    let events = [
        sent(1, "a"),
        sent(2, "b"),
        changed(4, TripStatus::Cancelled),
        cancelled(6, "a"),
    ];
    assert_eq!(status_in_every_order(&events), shown(TripStatus::Cancelled, 4));
    let all = [&events[..], &[cancelled(7, "b")]].concat();
    assert_eq!(status_in_every_order(&all), shown(TripStatus::Cancelled, 4));
}

/// A cancellation is shown, and no more: the count and the selection stay.
#[test]
fn a_cancellation_makes_one_timeline_entry_and_leaves_the_selection() {
    let quoted = QuoteDetails {
        rfq: Some(rfq("a")),
        ..bare_quote("a")
    };
    let mut trip = trip_after(&[sent(1, "b"), learned(3, EventKind::QuoteReceived(quoted))]);
    for (seconds, expected) in [(5, Some(TimelineKind::RfqCancelled)), (4, None), (6, None)] {
        let (event, provenance) = cancelled(seconds, "a");
        let entry = trip.apply_event(&event, provenance, &mut ChangedFacts::default());
        assert_eq!(entry.map(|entry| entry.kind), expected, "{seconds}");
    }
    assert_eq!(trip.rfqs[&rfq("a")].cancelled_at, Some(at(4)), "the earliest time");
    let policy = PrimaryQuotePolicy::Latest;
    assert_eq!(select_primary(&trip, policy, at(9)), Some(&quote("a")));
}

proptest! {
    /// The rule a second time, from the plain list of events, for a session that is decided after each of them.
    #[test]
    fn a_trip_is_called_off_if_every_rfq_that_an_event_names_is_cancelled(
        mut row in super::decide::row(), mut events in learned_events()
    ) {
        events.retain(|(event, _)| !matches!(event.kind, EventKind::TripChanged { .. }));
        let mut trip = TripFacts::default();
        for (event, provenance) in &events {
            trip.apply_event(event, *provenance, &mut ChangedFacts::default());
            row.apply(&decide(&row.session, Some(&trip), PrimaryQuotePolicy::Latest, at(100)));
        }
        let kinds = || events.iter().map(|(event, _)| &event.kind);
        let is_cancelled = |id| kinds().any(|kind| matches!(kind, EventKind::RfqCancelled { rfq } if rfq == id));
        let mut named = kinds().filter_map(EventKind::rfq).peekable();
        let called_off = named.peek().is_some() && named.all(is_cancelled);
        let expected = called_off.then_some(TripStatus::Cancelled.as_str());
        prop_assert_eq!(row.session.trip_status.as_deref(), expected);
    }
}
