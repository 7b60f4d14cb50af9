//! Learning: in whatever order and however often, the same facts make the same trip.

use chrono::DateTime;
use proptest::prelude::*;

use super::generate::{learned, some, some_and_again};
use crate::domain::quote::FactChange;
use crate::domain::trip::{ChangedFacts, Provenance, TripFacts};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_order_and_repetition_of_events_makes_the_same_trip((events, again) in some_and_again()) {
        prop_assert_eq!(learned(&events), learned(&again));
    }

    /// Two ids turn out to be one trip: what each was told is what one would have been told.
    #[test]
    fn events_split_over_several_trips_make_the_same_trip_together(
        (events, parts) in some().prop_flat_map(|events| {
            let parts = prop::collection::vec(0..3_usize, events.len());
            (Just(events), parts)
        })
    ) {
        let part = |number: usize| learned(events.iter().zip(&parts).filter(|(_, part)| **part == number).map(|(heard, _)| heard));
        prop_assert_eq!(learned(&events), part(0).with([&part(1), &part(2)]));
        prop_assert_eq!(learned(&events), part(2).with([&part(0), &part(1)]));
    }

    #[test]
    fn an_event_heard_again_touches_nothing(events in some()) {
        let mut trip = learned(&events);
        let before = trip.clone();
        let mut touched = ChangedFacts::default();
        for (event, way) in &events {
            trip.learn(event, *way, &mut touched);
        }
        prop_assert_eq!(touched, ChangedFacts::default());
        prop_assert_eq!(trip, before);
    }

    /// What is not touched is not written: a part that changes untouched would be lost.
    #[test]
    fn every_part_that_changes_is_touched(events in some()) {
        let mut trip = TripFacts::default();
        for (event, way) in &events {
            let before = trip.clone();
            let mut touched = ChangedFacts::default();
            trip.learn(event, *way, &mut touched);
            let head = |trip: &TripFacts| (trip.status.clone(), trip.last_activity_at);
            prop_assert_eq!(head(&before) != head(&trip), touched.trip);
            for (id, quote) in &trip.quotes {
                prop_assert_eq!(before.quotes.get(id) != Some(quote), touched.quotes.contains(id));
            }
            for (id, request) in &trip.requests {
                prop_assert_eq!(before.requests.get(id) != Some(request), touched.requests.contains(id));
            }
            for id in &trip.messages {
                prop_assert_eq!(!before.messages.contains(id), touched.messages.contains(id));
            }
        }
    }

    #[test]
    fn a_line_in_the_timeline_is_told_by_each_event_at_most_once(events in some()) {
        let mut trip = TripFacts::default();
        let mut once = Vec::new();
        for (event, way) in &events {
            once.extend(trip.learn(event, *way, &mut ChangedFacts::default()).map(|line| line.cause));
        }
        // Heard again, an event tells nothing, or a line with a cause that is known.
        for (event, way) in &events {
            if let Some(line) = trip.learn(event, *way, &mut ChangedFacts::default()) {
                prop_assert!(once.contains(&line.cause), "{}", line.cause);
            }
        }
    }
}

#[test]
fn what_a_fact_was_to_a_quote_is_told() {
    use super::generate::{at, event};
    use crate::domain::event::{EventKind, FactSource, Party, QuoteDetails};
    use crate::domain::quote::QuoteFacts;
    let details = |tail: &str| QuoteDetails {
        quote: super::generate::quote("a"),
        request: None,
        price: None,
        operator: Party::default(),
        aircraft_type: None,
        aircraft_tail: Some(tail.to_owned()),
        valid_until: None,
    };
    let mut quote = QuoteFacts::default();
    let mut learn = |seconds: Option<i64>, source, tail: &str| {
        let version = event(seconds, source, EventKind::QuoteReceived(details(tail))).version;
        quote.learn(details(tail), &version, version.at)
    };
    assert_eq!(learn(Some(5), FactSource::Event, "N1"), FactChange::New);
    assert_eq!(learn(Some(5), FactSource::Event, "N1"), FactChange::Known);
    assert_eq!(learn(Some(4), FactSource::Document, "N2"), FactChange::Older);
    assert_eq!(learn(None, FactSource::Document, "N2"), FactChange::Older);
    // A document may tell the aircraft later than the price: that is no change of the quote.
    assert_eq!(learn(Some(5), FactSource::Document, "N3"), FactChange::Again);
    assert_eq!(learn(Some(5), FactSource::Event, "N4"), FactChange::Older);
    assert_eq!(learn(Some(6), FactSource::Event, "N4"), FactChange::Newer);
    assert_eq!(learn(Some(7), FactSource::Event, "N4"), FactChange::Again);
    let fact = quote.fact.unwrap();
    assert_eq!(fact.version.at, Some(at(7)));
    assert_eq!(fact.first_fact_at, None::<DateTime<_>>, "a missing time is the lowest");
}

/// A sender whose clock runs ahead repeats itself: whichever copy was received first, the activity ends alike.
#[test]
fn which_copy_of_an_event_comes_first_makes_no_difference_to_the_activity() {
    let moment = |seconds: i64| DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap();
    let event = crate::domain::event::Event {
        trip: crate::domain::ids::TripId::parse("A1B2C3").unwrap(),
        at: Some(moment(600)),
        version: crate::domain::event::FactVersion {
            at: Some(moment(600)),
            source: crate::domain::event::FactSource::Event,
            digest: [0; 32],
        },
        what: crate::domain::event::EventKind::MessageReceived {
            message: crate::domain::ids::MessageId::parse("asellermsg-1").unwrap(),
            sender: crate::domain::event::Party::default(),
            request: None,
        },
    };
    let ends = [(0, 60), (60, 0)].map(|(first, second)| {
        let mut trip = TripFacts::default();
        let mut touched = ChangedFacts::default();
        trip.learn(&event, Provenance::Notified(moment(first)), &mut touched);
        trip.repeat(&event, Provenance::Notified(moment(second)), &mut touched);
        trip.last_activity_at
    });
    assert_eq!(ends, [Some(moment(60)); 2]);
}

/// A stamp of the sender's may lie ahead: an activity has happened by the time at which we were told, or asked.
#[test]
fn no_activity_is_later_than_the_word_of_it() {
    use super::generate::{at, event};
    let message = crate::domain::event::EventKind::MessageReceived {
        message: crate::domain::ids::MessageId::parse("asellermsg-1").unwrap(),
        sender: crate::domain::event::Party::default(),
        request: None,
    };
    for (stamp, way, expected) in [
        (Some(9), Provenance::Notified(at(5)), Some(5)),
        (Some(3), Provenance::Notified(at(5)), Some(3)),
        (None, Provenance::Notified(at(5)), Some(5)),
        (Some(9), Provenance::Polled(at(5)), Some(5)),
        (Some(3), Provenance::Polled(at(5)), Some(3)),
        (None, Provenance::Polled(at(5)), None),
    ] {
        let event = event(stamp, crate::domain::event::FactSource::Document, message.clone());
        let activity = learned([&(event, way)]).last_activity_at;
        assert_eq!(activity, expected.map(at), "{stamp:?} {way:?}");
    }
}

/// What a price is that nobody quoted waits until somebody says that it was; whichever is heard first, the end is the same.
#[test]
fn a_quote_that_is_only_described_was_not_received_and_is_whole_once_it_was() {
    use super::generate::{at, event};
    use crate::domain::event::{EventKind, FactSource, Money, Party, QuoteDetails};
    let details = |price: Option<i64>, tail: Option<&str>| QuoteDetails {
        quote: super::generate::quote("a"),
        request: None,
        price: price.map(|amount| Money {
            amount: amount.into(),
            currency: "USD".to_owned(),
        }),
        operator: Party::default(),
        aircraft_type: None,
        aircraft_tail: tail.map(str::to_owned),
        valid_until: None,
    };
    let heard = |seconds, what| {
        (
            event(Some(seconds), FactSource::Document, what),
            Provenance::Notified(at(seconds)),
        )
    };
    let described = heard(5, EventKind::QuoteObserved(details(Some(100), None)));
    let received = heard(4, EventKind::QuoteReceived(details(None, Some("N1"))));
    let trip = learned([&described]);
    assert_eq!(trip.received().count(), 0);
    assert!(!trip.has_requests());
    let ends = [learned([&described, &received]), learned([&received, &described])];
    assert_eq!(ends[0], ends[1]);
    let whole: Vec<QuoteDetails> = ends[0].received().map(|(_, fact)| fact.details.clone()).collect();
    assert_eq!(whole, [details(Some(100), Some("N1"))]);
    // That it was received is the line in the timeline, whatever was known of it.
    let mut trip = learned([&described]);
    let line = trip
        .learn(&received.0, received.1, &mut ChangedFacts::default())
        .unwrap();
    assert_eq!(line.kind, "quote_received");
    let cheaper = heard(6, EventKind::QuoteObserved(details(Some(90), None)));
    let line = trip.learn(&cheaper.0, cheaper.1, &mut ChangedFacts::default()).unwrap();
    assert_eq!(line.kind, "quote_changed");
}
