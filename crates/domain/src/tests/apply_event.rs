//! Applying events: in any order and with any repetition, the same events make the same trip.

use proptest::prelude::*;

use super::generators::{
    LearnedEvent, at, bare_quote, event, events_and_shuffled_copies, learned_events, quote, rfq, seen, trip_after,
};
use crate::event::{EventKind, FactSource, Money, Party, QuoteDetails, TripStatus};
use crate::ids::MessageId;
use crate::quote::{FactChange, QuoteFacts};
use crate::quote_history::QuoteHistory;
use crate::timeline::TimelineKind;
use crate::trip::{ChangedFacts, Provenance, TripFacts};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_order_and_repetition_of_events_makes_the_same_trip((events, shuffled) in events_and_shuffled_copies()) {
        prop_assert_eq!(trip_after(&events), trip_after(&shuffled));
    }

    /// Two ids turn out to be one trip: merging their facts gives the facts of one trip.
    #[test]
    fn events_split_over_several_trips_make_the_same_trip_when_merged(
        (events, parts) in learned_events().prop_flat_map(|events| {
            let parts = prop::collection::vec(0..3_usize, events.len());
            (Just(events), parts)
        })
    ) {
        let part = |number: usize| {
            let of_part = events.iter().zip(&parts).filter(|(_, part)| **part == number);
            trip_after(of_part.map(|(event, _)| event))
        };
        prop_assert_eq!(trip_after(&events), part(0).merged_with([&part(1), &part(2)]));
        prop_assert_eq!(trip_after(&events), part(2).merged_with([&part(0), &part(1)]));
    }

    #[test]
    fn a_repeated_event_changes_nothing(events in learned_events()) {
        let mut trip = trip_after(&events);
        let before = trip.clone();
        let mut changed = ChangedFacts::default();
        for (event, provenance) in &events {
            trip.apply_event(event, *provenance, &mut changed);
        }
        prop_assert_eq!(changed, ChangedFacts::default());
        prop_assert_eq!(trip, before);
    }

    /// Only reported changes are written, so an unreported change would be lost.
    #[test]
    fn every_part_that_changes_is_reported(events in learned_events()) {
        let mut trip = TripFacts::default();
        for (event, provenance) in &events {
            let before = trip.clone();
            let mut changed = ChangedFacts::default();
            trip.apply_event(event, *provenance, &mut changed);
            let TripFacts { status, status_first_seen_at, last_activity_at, quotes, rfqs, messages, others: _ } = &trip;
            let trip_before = (&before.status, &before.status_first_seen_at, &before.last_activity_at);
            prop_assert_eq!(trip_before != (status, status_first_seen_at, last_activity_at), changed.trip);
            for (id, quote) in quotes {
                prop_assert_eq!(before.quotes.get(id) != Some(quote), changed.quotes.contains(id));
                prop_assert!(changed.quotes.is_superset(&changed.newly_stated));
            }
            for (id, rfq) in rfqs {
                prop_assert_eq!(before.rfqs.get(id) != Some(rfq), changed.rfqs.contains(id));
            }
            for id in messages {
                prop_assert_eq!(!before.messages.contains(id), changed.messages.contains(id));
            }
        }
    }

    #[test]
    fn an_event_makes_at_most_one_timeline_event(events in learned_events()) {
        let mut trip = TripFacts::default();
        let mut keys = Vec::new();
        for (event, provenance) in &events {
            let entry = trip.apply_event(event, *provenance, &mut ChangedFacts::default());
            keys.extend(entry.map(|entry| entry.dedup_key));
        }
        // A repeated event makes none, or one with a key that is known.
        for (event, provenance) in &events {
            if let Some(entry) = trip.apply_event(event, *provenance, &mut ChangedFacts::default()) {
                prop_assert!(keys.contains(&entry.dedup_key), "{}", entry.dedup_key);
            }
        }
    }
}

#[test]
fn recording_a_fact_returns_how_it_changed_the_quote() {
    let details = |tail: &str| QuoteDetails {
        aircraft_tail: Some(tail.to_owned()),
        ..bare_quote("a")
    };
    let mut quote = QuoteFacts::default();
    let mut record = |seconds: Option<i64>, source, tail: &str| {
        let version = event(seconds, source, EventKind::QuoteReceived(details(tail))).version;
        let at = version.at;
        quote.record(&QuoteHistory::of_received(details(tail), &version, at), source)
    };
    assert_eq!(record(Some(5), FactSource::Event, "N1"), FactChange::Created);
    assert_eq!(record(Some(5), FactSource::Event, "N1"), FactChange::Unchanged);
    assert_eq!(record(Some(4), FactSource::Document, "N2"), FactChange::Unchanged);
    assert_eq!(record(None, FactSource::Document, "N2"), FactChange::Unchanged);
    // A document may show the aircraft later than the price: that is no change of the quote.
    assert_eq!(record(Some(5), FactSource::Document, "N3"), FactChange::Unchanged);
    assert_eq!(record(Some(4), FactSource::Event, "N4"), FactChange::Unchanged);
    assert_eq!(record(Some(6), FactSource::Event, "N4"), FactChange::Updated);
    assert_eq!(record(Some(7), FactSource::Event, "N4"), FactChange::Unchanged);
    let received = quote.received.unwrap();
    assert_eq!(received.version.at, Some(at(7)));
    assert_eq!(
        received.first_fact_at,
        at(0),
        "without a time of its own a document is as old as its GET"
    );
}

/// The migration of histories leaves the first time empty where an event had none.
#[test]
fn a_quote_without_a_first_time_is_received_all_the_same() {
    let version = event(None, FactSource::Event, EventKind::QuoteReceived(bare_quote("a"))).version;
    let mut history = QuoteHistory::of_received(bare_quote("a"), &version, None);
    history.first_fact_at = None;
    let mut facts = QuoteFacts::default();
    facts.merge_history(&history);
    assert_eq!(facts.received.unwrap().first_fact_at, version.moment());
}

/// An event without a timestamp moves back behind a document when an earlier delivery of it becomes known, and stays there when the
/// later delivery is repeated.
#[test]
fn a_repeated_delivery_of_a_status_without_a_time_never_counts_as_newer() {
    let status = |source, received: i64, status| -> LearnedEvent {
        let kind = EventKind::TripChanged { rfq: None, status };
        (seen(None, received, source, kind), Provenance::Notified(at(received)))
    };
    let document = status(FactSource::Document, 6, TripStatus::Cancelled);
    for later in [6, 8] {
        let event = |received| status(FactSource::Event, received, TripStatus::Updated);
        for order in [
            [event(later), event(0), event(later)],
            [event(0), event(later), event(0)],
        ] {
            for place in 0..4 {
                let mut events = order.to_vec();
                events.insert(place, document.clone());
                let shown = trip_after(&events).displayed_status().unwrap().status;
                assert_eq!(shown, TripStatus::Cancelled, "{later} {place}");
            }
        }
    }
}

/// Two changes of a quote with the same timestamp, or with none: the one that was received later is the newer one. A repetition
/// counts from its first delivery, in whatever order the two are applied.
#[test]
fn events_of_the_same_time_are_ordered_by_their_first_delivery() {
    let priced = |amount: i64, seconds: Option<i64>, received: i64| -> LearnedEvent {
        let details = QuoteDetails {
            price: Some(Money {
                amount: amount.into(),
                currency: "USD".to_owned(),
            }),
            ..bare_quote("a")
        };
        let kind = EventKind::QuoteReceived(details);
        (
            seen(seconds, received, FactSource::Event, kind),
            Provenance::Notified(at(received)),
        )
    };
    for seconds in [None, Some(3)] {
        // All amounts in both orders: neither the digest nor the amount decides.
        for (older, newer) in [(100, 90), (90, 100), (1, 2), (2, 1), (7, 5), (5, 7)] {
            let story = [
                priced(older, seconds, 5),
                priced(newer, seconds, 6),
                priced(older, seconds, 9),
            ];
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let trip = trip_after(order.map(|place| &story[place]));
                let known = trip.quotes[&quote("a")].received.as_ref().unwrap();
                assert_eq!(
                    known.details.price.as_ref().unwrap().amount,
                    newer.into(),
                    "{seconds:?} {order:?}"
                );
            }
        }
    }
}

fn message() -> EventKind {
    EventKind::MessageReceived {
        message: MessageId::parse("asellermsg-1").unwrap(),
        sender: Party::default(),
        rfq: None,
        text: None,
    }
}

/// An acceptance is stated once in the timeline, and its earliest time is kept in any order.
#[test]
fn an_accepted_quote_is_a_fact_and_one_timeline_entry() {
    let accepted = |seconds: Option<i64>| {
        let (quote, rfq) = (quote("a"), Some(rfq("a")));
        event(seconds, FactSource::Event, EventKind::QuoteAccepted { quote, rfq })
    };
    for order in [[Some(9), None, Some(5)], [None, Some(5), Some(9)]] {
        let mut trip = TripFacts::default();
        let entries = order.map(|seconds| {
            let received = Provenance::Notified(at(20));
            let entry = trip.apply_event(&accepted(seconds), received, &mut ChangedFacts::default());
            entry.map(|entry| entry.kind)
        });
        assert_eq!(entries, [Some(TimelineKind::QuoteAccepted), None, None]);
        assert_eq!(trip.quotes[&quote("a")].accepted.unwrap().at, Some(at(5)));
        assert_eq!(trip.received_quotes().count(), 0, "acceptance does not count a quote");
    }
}

/// A sender whose clock runs ahead repeats an event: the activity does not depend on which copy arrived first.
#[test]
fn the_activity_does_not_depend_on_which_copy_of_an_event_arrives_first() {
    let event = event(Some(600), FactSource::Event, message());
    let activities = [(0, 60), (60, 0)].map(|(first, second)| {
        let mut trip = TripFacts::default();
        let mut changed = ChangedFacts::default();
        trip.apply_event(&event, Provenance::Notified(at(first)), &mut changed);
        trip.apply_event(&event, Provenance::Notified(at(second)), &mut changed);
        trip.last_activity_at
    });
    assert_eq!(activities, [Some(at(60)); 2]);
}

/// A sender's time may lie in the future: the activity is bounded by the time of the notification or the GET.
#[test]
fn an_activity_is_never_later_than_its_notification_or_fetch() {
    for (sender_time, provenance, expected) in [
        (Some(9), Provenance::Notified(at(5)), Some(5)),
        (Some(3), Provenance::Notified(at(5)), Some(3)),
        (None, Provenance::Notified(at(5)), Some(5)),
        (Some(9), Provenance::Polled(at(5)), Some(5)),
        (Some(3), Provenance::Polled(at(5)), Some(3)),
        (None, Provenance::Polled(at(5)), None),
    ] {
        let event = event(sender_time, FactSource::Document, message());
        let activity = trip_after([&(event, provenance)]).last_activity_at;
        assert_eq!(activity, expected.map(at), "{sender_time:?} {provenance:?}");
    }
}

/// Avinode generates prices for quotes that no seller made. Observations of a quote are pending until it is received, and the
/// order of the two makes no difference.
#[test]
fn an_observed_quote_is_not_received_until_a_seller_makes_it() {
    let details = |price: Option<i64>, tail: Option<&str>| QuoteDetails {
        price: price.map(|amount| Money {
            amount: amount.into(),
            currency: "USD".to_owned(),
        }),
        aircraft_tail: tail.map(str::to_owned),
        ..bare_quote("a")
    };
    let learned = |seconds, kind| -> LearnedEvent {
        (
            event(Some(seconds), FactSource::Document, kind),
            Provenance::Notified(at(seconds)),
        )
    };
    let observed = learned(5, EventKind::QuoteObserved(details(Some(100), None)));
    let received = learned(4, EventKind::QuoteReceived(details(None, Some("N1"))));
    let trip = trip_after([&observed]);
    assert_eq!(trip.received_quotes().count(), 0);
    assert!(!trip.has_contacted_sellers());
    let orders = [trip_after([&observed, &received]), trip_after([&received, &observed])];
    assert_eq!(orders[0], orders[1]);
    let known = orders[0].quotes[&quote("a")].received.as_ref().unwrap();
    assert_eq!(known.details, details(Some(100), Some("N1")));
    // The timeline says that the quote was received, whatever was observed before.
    let mut trip = trip_after([&observed]);
    let mut apply = |(event, provenance): &LearnedEvent| {
        let entry = trip.apply_event(event, *provenance, &mut ChangedFacts::default());
        entry.unwrap().kind
    };
    assert_eq!(apply(&received), TimelineKind::QuoteReceived);
    let cheaper = learned(6, EventKind::QuoteObserved(details(Some(90), None)));
    assert_eq!(apply(&cheaper), TimelineKind::QuoteChanged);
}
