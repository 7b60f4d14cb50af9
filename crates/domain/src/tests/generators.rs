//! Generated facts about one trip: few ids, few times and few prices, so that they meet, tie and contradict each other.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;

use crate::event::{
    Event, EventKind, FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails, QuoteOrigin, TripStatus,
};
use crate::ids::{MessageId, QuoteId, RfqId, TripId};
use crate::trip::{ChangedFacts, Provenance, TripFacts};

/// An event, and how it was learned.
pub type LearnedEvent = (Event, Provenance);

/// A fixed time, plus seconds.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap() + Duration::seconds(seconds)
}

pub fn quote(letter: &str) -> QuoteId {
    QuoteId::parse(&format!("aquote-{letter}")).unwrap()
}

pub fn rfq(letter: &str) -> RfqId {
    RfqId::parse(&format!("arfq-{letter}")).unwrap()
}

/// A quote without a price, an operator or an aircraft.
pub fn bare_quote(letter: &str) -> QuoteDetails {
    QuoteDetails {
        quote: quote(letter),
        rfq: None,
        price: None,
        unread_price: None,
        operator: Party::default(),
        aircraft_type: None,
        aircraft_tail: None,
        valid_until: None,
        created_at: None,
        description: QuoteDescription::default(),
    }
}

/// An event with its version; as in production, the digest depends on the content only. It is seen at its time, or at second 0.
pub fn event(seconds: Option<i64>, source: FactSource, kind: EventKind) -> Event {
    seen(seconds, seconds.unwrap_or_default(), source, kind)
}

/// An event with a time of its own, first seen at this second.
pub fn seen(seconds: Option<i64>, seen_at: i64, source: FactSource, kind: EventKind) -> Event {
    let mut hash = DefaultHasher::new();
    format!("{kind:?}").hash(&mut hash);
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&hash.finish().to_be_bytes());
    Event {
        trip: TripId::parse("atrip-1").unwrap(),
        at: seconds.map(at),
        version: FactVersion {
            at: seconds.map(at),
            seen_at: at(seen_at),
            source,
            digest,
        },
        kind,
    }
}

/// The trip after these events.
pub fn trip_after<'a>(events: impl IntoIterator<Item = &'a LearnedEvent>) -> TripFacts {
    let mut trip = TripFacts::default();
    for (event, provenance) in events {
        trip.apply_event(event, *provenance, &mut ChangedFacts::default());
    }
    trip
}

fn letter() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["a", "b", "c", "d"][..])
}

fn price() -> impl Strategy<Value = Option<Money>> {
    let money = (1..5_i64, prop::sample::select(&["EUR", "USD"][..])).prop_map(|(amount, currency)| Money {
        amount: Decimal::new(amount * 500_050, 2),
        currency: currency.to_owned(),
    });
    prop::option::weighted(0.8, money)
}

fn quote_details() -> impl Strategy<Value = QuoteDetails> {
    let until = prop::option::weighted(0.3, 50..150_i64);
    let created = prop::option::weighted(0.4, 0..4_i64);
    (letter(), prop::option::of(letter()), price(), until, created).prop_map(|(id, of_rfq, price, until, created)| {
        QuoteDetails {
            rfq: of_rfq.map(rfq),
            price,
            valid_until: until.map(at),
            created_at: created.map(at),
            ..bare_quote(id)
        }
    })
}

fn event_kind() -> impl Strategy<Value = EventKind> {
    let decline = (prop::option::of(letter()), prop::option::of(letter()), prop::bool::ANY).prop_map(
        |(of_rfq, of_quote, has_reason)| EventKind::RfqDeclined {
            rfq: of_rfq.map(rfq),
            quote: of_quote.map(quote),
            reason: has_reason.then(|| "AIRCRAFT_NOT_AVAILABLE".to_owned()),
            operator: Party::default(),
        },
    );
    let message = (letter(), prop::option::of(letter())).prop_map(|(id, of_rfq)| EventKind::MessageReceived {
        message: MessageId::parse(id).unwrap(),
        sender: Party::default(),
        rfq: of_rfq.map(rfq),
        text: None,
    });
    let status = prop::sample::select(&[TripStatus::Updated, TripStatus::Cancelled, TripStatus::Expired][..]);
    let changed = (prop::option::of(letter()), status).prop_map(|(of_rfq, status)| EventKind::TripChanged {
        rfq: of_rfq.map(rfq),
        status,
    });
    let reaffirmed = (letter(), prop::option::of(letter())).prop_map(|(id, of_rfq)| EventKind::QuoteReaffirmed {
        quote: quote(id),
        rfq: of_rfq.map(rfq),
    });
    let origins = &[
        QuoteOrigin::AcceptedLift,
        QuoteOrigin::NotGenerated,
        QuoteOrigin::Generated,
    ];
    let origin = (letter(), prop::sample::select(&origins[..])).prop_map(|(id, origin)| EventKind::QuoteOrigin {
        quote: quote(id),
        rfq: None,
        origin,
    });
    let accepted = (letter(), prop::option::of(letter())).prop_map(|(id, of_rfq)| EventKind::QuoteAccepted {
        quote: quote(id),
        rfq: of_rfq.map(rfq),
    });
    prop_oneof![
        5 => quote_details().prop_map(EventKind::QuoteReceived),
        3 => quote_details().prop_map(EventKind::QuoteObserved),
        3 => decline,
        1 => message,
        1 => reaffirmed,
        2 => origin,
        2 => letter().prop_map(|id| EventKind::TripRequested { rfq: rfq(id) }),
        2 => letter().prop_map(|id| EventKind::RfqCancelled { rfq: rfq(id) }),
        2 => changed,
        1 => accepted,
    ]
}

/// One event. Its time may be missing, or later than the time at which it was received. A document mostly has no time of its
/// own, and half of the documents are polled. Only documents observe quotes and state their origin.
pub fn learned_event() -> impl Strategy<Value = LearnedEvent> {
    let source = prop::sample::select(&[FactSource::Event, FactSource::Document][..]);
    (
        prop::option::weighted(0.85, 0..12_i64),
        prop::option::weighted(0.4, 0..12_i64),
        prop::option::of(0..12_i64),
        source,
        event_kind(),
        0..12_i64,
    )
        .prop_map(|(timestamp, written, created, source, kind, seen_at)| {
            let source = match kind {
                EventKind::QuoteObserved(_) | EventKind::QuoteOrigin { .. } => FactSource::Document,
                _ => source,
            };
            let (seconds, provenance) = match (source, seen_at % 2) {
                (FactSource::Event, _) => (timestamp, Provenance::Notified(at(seen_at))),
                (FactSource::Document, 0) => (written, Provenance::Polled(at(seen_at))),
                (FactSource::Document, _) => (written, Provenance::Notified(at(seen_at))),
            };
            let mut event = seen(seconds, seen_at, source, kind);
            if source == FactSource::Document && event.at.is_none() {
                event.at = created.map(at);
            }
            (event, provenance)
        })
}

pub fn learned_events() -> impl Strategy<Value = Vec<LearnedEvent>> {
    prop::collection::vec(learned_event(), 0..24)
}

/// Events, and the same events shuffled, each at least once.
pub fn events_and_shuffled_copies() -> impl Strategy<Value = (Vec<LearnedEvent>, Vec<LearnedEvent>)> {
    learned_events().prop_flat_map(|events| {
        let copies = prop::collection::vec(1..3_usize, events.len());
        let copied = (Just(events.clone()), copies).prop_flat_map(|(events, copies)| {
            let all: Vec<LearnedEvent> = events
                .into_iter()
                .zip(copies)
                .flat_map(|(event, times)| vec![event; times])
                .collect();
            Just(all).prop_shuffle()
        });
        (Just(events), copied)
    })
}

#[test]
fn the_generator_makes_every_event_kind() {
    let mut runner = TestRunner::deterministic();
    let generated: Vec<Event> = (0..1_000)
        .map(|_| learned_event().new_tree(&mut runner).unwrap().current().0)
        .collect();
    assert_every_kind(&generated);
}

/// Fails if the events lack a kind, or the match below does not name one.
#[track_caller]
pub fn assert_every_kind(events: &[Event]) {
    let mut counts = [("", 0); 10];
    for event in events {
        let (place, name) = match event.kind {
            EventKind::QuoteReceived(_) => (0, "QuoteReceived"),
            EventKind::QuoteObserved(_) => (1, "QuoteObserved"),
            EventKind::QuoteReaffirmed { .. } => (2, "QuoteReaffirmed"),
            EventKind::RfqDeclined { .. } => (3, "RfqDeclined"),
            EventKind::MessageReceived { .. } => (4, "MessageReceived"),
            EventKind::TripRequested { .. } => (5, "TripRequested"),
            EventKind::TripChanged { .. } => (6, "TripChanged"),
            EventKind::QuoteOrigin { .. } => (7, "QuoteOrigin"),
            EventKind::QuoteAccepted { .. } => (8, "QuoteAccepted"),
            EventKind::RfqCancelled { .. } => (9, "RfqCancelled"),
        };
        counts[place] = (name, counts[place].1 + 1);
    }
    assert!(counts.iter().all(|(_, count)| *count > 0), "generated: {counts:?}");
}
