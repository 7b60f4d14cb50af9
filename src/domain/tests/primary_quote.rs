//! Each rule of the election by itself.

use rust_decimal::Decimal;

use super::generate::{Heard, at, event, learned, quote, rfq};
use crate::domain::event::{EventKind, FactSource, Money, Party, QuoteDetails};
use crate::domain::primary_quote::PrimaryQuotePolicy::{self, First, Latest, LowestPrice};
use crate::domain::primary_quote::select_primary;
use crate::domain::trip::Provenance;

const EVERY: [PrimaryQuotePolicy; 3] = [Latest, First, LowestPrice];

/// A quote of the RFQ `r`: letter, time, price in whole units and currency.
fn quoted(name: &str, seconds: impl Into<Option<i64>>, price: Option<(i64, &str)>) -> Heard {
    quoted_until(name, seconds, price, None)
}

fn quoted_until(
    name: &str,
    seconds: impl Into<Option<i64>>,
    price: Option<(i64, &str)>,
    valid_until: Option<i64>,
) -> Heard {
    let details = QuoteDetails {
        quote: quote(name),
        request: Some(rfq("r")),
        price: price.map(|(amount, currency)| Money {
            amount: Decimal::from(amount),
            currency: currency.to_owned(),
        }),
        operator: Party::default(),
        aircraft_type: None,
        aircraft_tail: None,
        valid_until: valid_until.map(at),
    };
    (
        event(seconds.into(), FactSource::Event, EventKind::QuoteReceived(details)),
        Provenance::Notified(at(0)),
    )
}

fn declined(
    request: Option<&str>,
    of_quote: Option<&str>,
    seconds: impl Into<Option<i64>>,
    source: FactSource,
) -> Heard {
    let what = EventKind::RfqDeclined {
        request: request.map(rfq),
        quote: of_quote.map(quote),
        reason: None,
        operator: Party::default(),
    };
    (event(seconds.into(), source, what), Provenance::Notified(at(0)))
}

#[track_caller]
fn elects(policies: &[PrimaryQuotePolicy], events: &[Heard], expected: Option<&str>) {
    let trip = learned(events);
    for policy in policies {
        let found = select_primary(&trip, *policy, at(100)).cloned();
        assert_eq!(found, expected.map(quote), "{policy:?}");
    }
}

const USD: Option<(i64, &str)> = Some((10_000, "USD"));

#[test]
fn nobody_is_elected_where_nothing_was_received() {
    elects(&EVERY, &[], None);
    elects(&EVERY, &[declined(None, Some("a"), 1, FactSource::Event)], None);
}

#[test]
fn a_decline_at_least_as_new_as_the_quote_takes_it_out_and_an_older_one_does_not() {
    for (request, of_quote) in [(None, Some("a")), (Some("r"), None), (Some("r"), Some("a"))] {
        for (seconds, stands) in [(Some(4), true), (Some(5), false), (Some(6), false), (None, true)] {
            let events = [
                quoted("a", 5, USD),
                declined(request, of_quote, seconds, FactSource::Event),
            ];
            elects(&EVERY, &events, stands.then_some("a"));
        }
    }
}

#[test]
fn a_document_is_newer_than_an_event_of_its_time() {
    elects(
        &EVERY,
        &[quoted("a", 5, USD), declined(Some("r"), None, 5, FactSource::Document)],
        None,
    );
    let (mut document, received) = quoted("a", 5, USD);
    document.version.source = FactSource::Document;
    elects(
        &EVERY,
        &[(document, received), declined(Some("r"), None, 5, FactSource::Event)],
        Some("a"),
    );
}

#[test]
fn a_decline_of_another_quote_or_rfq_takes_nothing_out() {
    elects(
        &EVERY,
        &[
            quoted("a", 5, USD),
            declined(Some("s"), Some("b"), 9, FactSource::Event),
        ],
        Some("a"),
    );
}

#[test]
fn a_quote_without_a_time_is_older_than_any_decline() {
    elects(
        &EVERY,
        &[
            quoted("a", None, USD),
            declined(Some("r"), None, None, FactSource::Event),
        ],
        None,
    );
    elects(
        &EVERY,
        &[quoted("a", None, USD), declined(Some("r"), None, 1, FactSource::Event)],
        None,
    );
}

#[test]
fn a_newer_fact_brings_a_declined_quote_back() {
    let events = [
        quoted("a", 5, USD),
        declined(Some("r"), None, 6, FactSource::Event),
        quoted("a", 7, USD),
    ];
    elects(&EVERY, &events, Some("a"));
}

/// A document without a stamp of its own, fetched at that second, about a quote that was made at the second 2.
fn shown(name: &str, seconds: i64, price: Option<(i64, &str)>) -> Heard {
    let (mut event, received) = quoted(name, seconds, price);
    event.version.source = FactSource::Document;
    event.at = Some(at(2));
    (event, received)
}

fn stands(name: &str, seconds: i64) -> Heard {
    let what = EventKind::QuoteReaffirmed {
        quote: quote(name),
        request: Some(rfq("r")),
    };
    (
        event(seconds.into(), FactSource::Document, what),
        Provenance::Notified(at(0)),
    )
}

#[test]
fn a_document_that_is_fetched_again_brings_no_declined_quote_back_and_a_changed_price_does() {
    let declined = declined(Some("r"), None, 6, FactSource::Document);
    let first = shown("a", 5, USD);
    elects(&EVERY, &[first.clone(), declined.clone(), shown("a", 9, USD)], None);
    elects(&EVERY, &[declined.clone(), shown("a", 9, USD)], None);
    let cheaper = Some((9_000, "USD"));
    elects(&EVERY, &[first, declined, shown("a", 9, cheaper)], Some("a"));
}

#[test]
fn an_answered_lift_brings_its_quote_back_from_a_decline_of_another_lift() {
    let story = |stood: i64| {
        [
            shown("a", 5, USD),
            declined(Some("r"), None, 6, FactSource::Document),
            stands("a", stood),
        ]
    };
    elects(&EVERY, &story(5), None);
    elects(&EVERY, &story(6), Some("a"));
    elects(&EVERY, &story(7), Some("a"));
}

#[test]
fn a_document_that_is_fetched_again_makes_no_quote_the_latest() {
    let other = quoted("b", 6, USD);
    elects(
        &[Latest],
        &[shown("a", 5, USD), other.clone(), shown("a", 9, USD)],
        Some("b"),
    );
    elects(
        &[Latest],
        &[shown("a", 5, USD), other, shown("a", 9, Some((1, "USD")))],
        Some("a"),
    );
}

#[test]
fn what_a_newer_document_leaves_out_stands_as_another_has_it_and_what_a_newer_event_leaves_out_does_not() {
    let price = |events: &[Heard]| {
        learned(events).quotes[&quote("a")]
            .fact
            .as_ref()
            .unwrap()
            .details
            .price
            .is_some()
    };
    assert!(price(&[shown("a", 5, USD), shown("a", 9, None)]));
    assert!(price(&[quoted("a", 5, USD), shown("a", 9, None)]));
    assert!(!price(&[shown("a", 5, USD), quoted("a", 9, None)]));
    assert!(!price(&[quoted("a", 5, USD), quoted("a", 9, None)]));
}

#[test]
fn a_quote_stands_until_the_moment_it_expires() {
    for (until, stands) in [(99, false), (100, false), (101, true)] {
        elects(&EVERY, &[quoted_until("a", 5, USD, Some(until))], stands.then_some("a"));
    }
    elects(
        &EVERY,
        &[quoted_until("a", 5, USD, Some(99)), quoted("b", 4, USD)],
        Some("b"),
    );
}

#[test]
fn latest_is_by_the_newest_fact_and_first_by_the_earliest() {
    let events = [quoted("a", 1, USD), quoted("b", 2, USD), quoted("a", 3, USD)];
    elects(&[Latest], &events, Some("a"));
    elects(&[First], &events, Some("a"));
    elects(&[Latest], &[quoted("a", 1, USD), quoted("b", 2, USD)], Some("b"));
}

#[test]
fn a_missing_time_is_the_lowest() {
    let events = [quoted("a", 1, USD), quoted("b", None, USD)];
    elects(&[Latest], &events, Some("a"));
    elects(&[First], &events, Some("b"));
}

#[test]
fn the_lowest_price_is_sought_in_the_currency_of_the_earliest_quote_that_can_be_elected() {
    let events = [
        quoted("a", 1, Some((9_000, "USD"))),
        quoted("b", 2, Some((5_000, "EUR"))),
        quoted("c", 3, Some((8_000, "USD"))),
    ];
    elects(&[LowestPrice], &events, Some("c"));
    let mut events = events.to_vec();
    events.push(quoted_until("a", 4, Some((9_000, "USD")), Some(50)));
    elects(&[LowestPrice], &events, Some("b"));
}

#[test]
fn a_quote_without_a_price_is_elected_for_its_price_only_where_none_has_one() {
    elects(&[LowestPrice], &[quoted("a", 1, None), quoted("b", 2, USD)], Some("b"));
    elects(&[LowestPrice], &[quoted("b", 1, None), quoted("a", 2, None)], Some("b"));
}

#[test]
fn ties_end_by_quote_id() {
    for (one, other) in [("a", "b"), ("b", "a")] {
        elects(&EVERY, &[quoted(one, 5, USD), quoted(other, 5, USD)], Some("a"));
    }
    elects(&[LowestPrice], &[quoted("b", 1, USD), quoted("a", 2, USD)], Some("a"));
}
