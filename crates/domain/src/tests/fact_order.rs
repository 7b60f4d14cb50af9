//! The order of facts by two clocks: the sender's, and the one by which deliveries are received and documents fetched.

use super::generators::{LearnedEvent, at, quote, trip_after};
use super::primary_quote::{EVERY_POLICY, USD, assert_selected, declined, fetched, received};
use crate::event::{EventKind, FactSource};
use crate::primary_quote::PrimaryQuotePolicy::{First, Latest};

/// A seller's message, written at one second and fetched at another.
fn written(letter: &str, seconds: i64, fetched_at: i64, price: Option<(i64, &str)>) -> LearnedEvent {
    let (mut event, provenance) = received(letter, seconds, price);
    event.version.source = FactSource::Document;
    event.version.seen_at = at(fetched_at);
    (event, provenance)
}

/// Without timestamps the deliveries decide, also where one of two events has a timestamp.
#[test]
fn without_a_timestamp_the_time_of_the_first_delivery_decides_between_a_quote_and_a_decline() {
    let received_at = |(mut event, provenance): LearnedEvent, seconds| {
        event.version.seen_at = at(seconds);
        (event, provenance)
    };
    for (quote_at, decline_at) in [(None, None), (Some(5), None), (None, Some(5)), (Some(5), Some(5))] {
        for (decline_received, is_selected) in [(4, true), (6, false)] {
            let events = [
                received_at(received("a", quote_at, USD), 5),
                received_at(
                    declined(Some("r"), None, decline_at, FactSource::Event),
                    decline_received,
                ),
            ];
            let is_selected = match (quote_at, decline_at) {
                // The decline happened at the time at which the quote was received.
                (None, Some(_)) => decline_received == 4,
                _ => is_selected,
            };
            assert_selected(&EVERY_POLICY, &events, is_selected.then_some("a"));
        }
    }
}

/// The first message is read after the second one and after the decline: its quote is still the older one.
#[test]
fn messages_about_a_quote_are_ordered_by_their_creation_and_not_by_their_fetch() {
    let cheaper = Some((9_000, "USD"));
    let first = |fetched_at| written("a", 1, fetched_at, USD);
    let second = |fetched_at| written("a", 2, fetched_at, cheaper);
    let decline = declined(Some("r"), None, 3, FactSource::Document);
    for (first, second) in [
        (first(10), second(20)),
        (first(20), second(10)),
        (first(20), second(20)),
    ] {
        let trip = trip_after([&first, &second]);
        let details = &trip.quotes[&quote("a")].received.as_ref().unwrap().details;
        assert_eq!(details.price.as_ref().unwrap().amount, 9_000.into());
        assert_selected(&EVERY_POLICY, &[first.clone(), second.clone()], Some("a"));
        assert_selected(&EVERY_POLICY, &[first, second, decline.clone()], None);
    }
    // The creation times of the quotes in messages that state no time of their own.
    let created = |seconds: i64, fetched_at: i64, price| {
        let (mut event, provenance) = fetched("a", fetched_at, price);
        if let EventKind::QuoteReceived(details) = &mut event.kind {
            details.created_at = Some(at(seconds));
        }
        event.at = Some(at(seconds));
        (event, provenance)
    };
    for (first, second) in [
        (created(1, 10, USD), created(2, 20, cheaper)),
        (created(1, 20, USD), created(2, 10, cheaper)),
    ] {
        let trip = trip_after([&first, &second]);
        let details = &trip.quotes[&quote("a")].received.as_ref().unwrap().details;
        assert_eq!(details.price.as_ref().unwrap().amount, 9_000.into());
        assert_selected(&EVERY_POLICY, &[first, second, decline.clone()], None);
    }
    // The same message, or documents without a creation time: the later GET is newer.
    let price = |events: &[LearnedEvent]| {
        let trip = trip_after(events);
        let details = &trip.quotes[&quote("a")].received.as_ref().unwrap().details;
        details.price.as_ref().unwrap().amount
    };
    assert_eq!(
        price(&[written("a", 1, 10, USD), written("a", 1, 20, cheaper)]),
        9_000.into()
    );
    assert_eq!(
        price(&[written("a", 1, 20, USD), fetched("a", 10, cheaper)]),
        10_000.into()
    );
    assert_eq!(
        price(&[written("a", 1, 10, USD), fetched("a", 20, cheaper)]),
        9_000.into()
    );
}

#[test]
fn without_a_timestamp_an_event_is_as_old_as_its_first_delivery() {
    for (received_at, latest, first) in [(0, "a", "b"), (2, "b", "a")] {
        let (mut untimed, provenance) = received("b", None, USD);
        untimed.version.seen_at = at(received_at);
        let events = [received("a", 1, USD), (untimed, provenance)];
        assert_selected(&[Latest], &events, Some(latest));
        assert_selected(&[First], &events, Some(first));
    }
}
