//! Generated facts about one trip: few ids, few times and few prices, so that they meet, tie and contradict each other.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::domain::event::{Event, EventKind, FactSource, FactVersion, Money, Party, QuoteDetails, TripStatus};
use crate::domain::ids::{MessageId, QuoteId, RfqId, TripId};
use crate::domain::trip::{ChangedFacts, Provenance, TripFacts};

/// An event and the way in which it came to be known.
pub type Heard = (Event, Provenance);

/// A moment, and seconds after it.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap() + Duration::seconds(seconds)
}

/// The quote of this letter.
pub fn quote(name: &str) -> QuoteId {
    QuoteId::parse(&format!("aquote-{name}")).unwrap()
}

/// The RFQ of this letter.
pub fn rfq(name: &str) -> RfqId {
    RfqId::parse(&format!("arfq-{name}")).unwrap()
}

/// A fact with its version; as outside, the digest is of the content.
pub fn event(seconds: Option<i64>, source: FactSource, what: EventKind) -> Event {
    let mut hash = DefaultHasher::new();
    format!("{what:?}").hash(&mut hash);
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&hash.finish().to_be_bytes());
    Event {
        trip: TripId::parse("atrip-1").unwrap(),
        at: seconds.map(at),
        version: FactVersion {
            at: seconds.map(at),
            source,
            digest,
        },
        what,
    }
}

/// What is known after these.
pub fn learned<'a>(events: impl IntoIterator<Item = &'a Heard>) -> TripFacts {
    let mut trip = TripFacts::default();
    for (event, way) in events {
        trip.learn(event, *way, &mut ChangedFacts::default());
    }
    trip
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["a", "b", "c", "d"][..])
}

fn price() -> impl Strategy<Value = Option<Money>> {
    let money = (1..5_i64, prop::sample::select(&["EUR", "USD"][..])).prop_map(|(amount, currency)| Money {
        amount: Decimal::new(amount * 500_050, 2),
        currency: currency.to_owned(),
    });
    prop::option::weighted(0.8, money)
}

fn quote_received() -> impl Strategy<Value = EventKind> {
    let until = prop::option::weighted(0.3, 50..150_i64);
    (name(), prop::option::of(name()), price(), until).prop_map(|(id, request, price, until)| {
        EventKind::QuoteReceived(QuoteDetails {
            quote: quote(id),
            request: request.map(rfq),
            price,
            operator: Party::default(),
            aircraft_type: None,
            aircraft_tail: None,
            valid_until: until.map(at),
        })
    })
}

fn what() -> impl Strategy<Value = EventKind> {
    let decline = (prop::option::of(name()), prop::option::of(name()), prop::bool::ANY).prop_map(
        |(request, declined, reason)| EventKind::RfqDeclined {
            request: request.map(rfq),
            quote: declined.map(quote),
            reason: reason.then(|| "AIRCRAFT_NOT_AVAILABLE".to_owned()),
            operator: Party::default(),
        },
    );
    let message = (name(), prop::option::of(name())).prop_map(|(id, request)| EventKind::MessageReceived {
        message: MessageId::parse(id).unwrap(),
        sender: Party::default(),
        request: request.map(rfq),
    });
    let status = prop::sample::select(&[TripStatus::Updated, TripStatus::Cancelled, TripStatus::Expired][..]);
    let changed = (prop::option::of(name()), status).prop_map(|(request, status)| EventKind::TripChanged {
        request: request.map(rfq),
        status,
    });
    let described = quote_received().prop_map(|received| match received {
        EventKind::QuoteReceived(details) => EventKind::QuoteObserved(details),
        other => other,
    });
    prop_oneof![
        5 => quote_received(),
        3 => described,
        3 => decline,
        1 => message,
        1 => (name(), prop::option::of(name())).prop_map(|(id, request)| EventKind::QuoteReaffirmed {
            quote: quote(id),
            request: request.map(rfq),
        }),
        2 => name().prop_map(|id| EventKind::TripRequested { request: rfq(id) }),
        2 => changed,
    ]
}

/// One event: its time may be missing, and may lie after the moment it was received. A document's is mostly no stamp of its
/// own, and often nobody told of it. Only documents describe.
pub fn heard() -> impl Strategy<Value = Heard> {
    let source = prop::sample::select(&[FactSource::Event, FactSource::Document][..]);
    let stamp = prop::option::of(0..12_i64);
    (
        prop::option::weighted(0.85, 0..12_i64),
        source,
        stamp,
        what(),
        0..12_i64,
    )
        .prop_map(|(seconds, source, stamp, what, received)| {
            let source = match what {
                EventKind::QuoteObserved(_) => FactSource::Document,
                _ => source,
            };
            let mut event = event(seconds, source, what);
            if source == FactSource::Document {
                event.at = stamp.map(at);
            }
            let way = match (source, received % 2) {
                (FactSource::Document, 0) => Provenance::Polled(at(received)),
                _ => Provenance::Notified(at(received)),
            };
            (event, way)
        })
}

/// Some events.
pub fn some() -> impl Strategy<Value = Vec<Heard>> {
    prop::collection::vec(heard(), 0..24)
}

/// Some events, and the same ones again: each at least once, in another order.
pub fn some_and_again() -> impl Strategy<Value = (Vec<Heard>, Vec<Heard>)> {
    some().prop_flat_map(|events| {
        let copies = prop::collection::vec(1..3_usize, events.len());
        let again = (Just(events.clone()), copies).prop_flat_map(|(events, copies)| {
            let all: Vec<Heard> = events
                .into_iter()
                .zip(copies)
                .flat_map(|(event, times)| vec![event; times])
                .collect();
            Just(all).prop_shuffle()
        });
        (Just(events), again)
    })
}
