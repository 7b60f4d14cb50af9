//! Each rule of the selection separately.

use rust_decimal::Decimal;

use super::generators::{LearnedEvent, at, bare_quote, event, quote, rfq, trip_after};
use crate::event::{EventKind, FactSource, Money, Party, QuoteDetails};
use crate::primary_quote::PrimaryQuotePolicy::{self, First, Latest, LowestPrice};
use crate::primary_quote::select_primary;
use crate::trip::Provenance;

pub(super) const EVERY_POLICY: [PrimaryQuotePolicy; 3] = [Latest, First, LowestPrice];
pub(super) const USD: Option<(i64, &str)> = Some((10_000, "USD"));

/// A quote for the RFQ `r`: letter, time, price in whole units and currency.
pub(super) fn received(letter: &str, seconds: impl Into<Option<i64>>, price: Option<(i64, &str)>) -> LearnedEvent {
    received_until(letter, seconds, price, None)
}

fn received_until(
    letter: &str,
    seconds: impl Into<Option<i64>>,
    price: Option<(i64, &str)>,
    valid_until: Option<i64>,
) -> LearnedEvent {
    let details = QuoteDetails {
        rfq: Some(rfq("r")),
        price: price.map(|(amount, currency)| Money {
            amount: Decimal::from(amount),
            currency: currency.to_owned(),
        }),
        valid_until: valid_until.map(at),
        ..bare_quote(letter)
    };
    (
        event(seconds.into(), FactSource::Event, EventKind::QuoteReceived(details)),
        Provenance::Notified(at(0)),
    )
}

pub(super) fn declined(
    of_rfq: Option<&str>,
    of_quote: Option<&str>,
    seconds: impl Into<Option<i64>>,
    source: FactSource,
) -> LearnedEvent {
    let kind = EventKind::RfqDeclined {
        rfq: of_rfq.map(rfq),
        quote: of_quote.map(quote),
        reason: None,
        operator: Party::default(),
    };
    (event(seconds.into(), source, kind), Provenance::Notified(at(0)))
}

/// A document without a time of its own, fetched at this second, about a quote that was made at second 2.
pub(super) fn fetched(letter: &str, seconds: i64, price: Option<(i64, &str)>) -> LearnedEvent {
    let (mut event, provenance) = received(letter, None, price);
    event.version.source = FactSource::Document;
    event.version.seen_at = at(seconds);
    event.at = Some(at(2));
    if let EventKind::QuoteReceived(details) = &mut event.kind {
        details.created_at = event.at;
    }
    (event, provenance)
}

fn reaffirmed(letter: &str, seconds: i64) -> LearnedEvent {
    let kind = EventKind::QuoteReaffirmed {
        quote: quote(letter),
        rfq: Some(rfq("r")),
    };
    (
        event(seconds.into(), FactSource::Document, kind),
        Provenance::Notified(at(0)),
    )
}

#[track_caller]
pub(super) fn assert_selected(policies: &[PrimaryQuotePolicy], events: &[LearnedEvent], expected: Option<&str>) {
    let trip = trip_after(events);
    for policy in policies {
        let selected = select_primary(&trip, *policy, at(100)).cloned();
        assert_eq!(selected, expected.map(quote), "{policy:?}");
    }
}

#[test]
fn without_a_received_quote_none_is_selected() {
    assert_selected(&EVERY_POLICY, &[], None);
    assert_selected(&EVERY_POLICY, &[declined(None, Some("a"), 1, FactSource::Event)], None);
}

#[test]
fn a_decline_at_least_as_new_as_the_quote_excludes_it_and_an_older_one_does_not() {
    for (of_rfq, of_quote) in [(None, Some("a")), (Some("r"), None), (Some("r"), Some("a"))] {
        for (seconds, is_selected) in [(4, true), (5, false), (6, false)] {
            let events = [
                received("a", 5, USD),
                declined(of_rfq, of_quote, seconds, FactSource::Event),
            ];
            assert_selected(&EVERY_POLICY, &events, is_selected.then_some("a"));
        }
    }
}

#[test]
fn a_document_is_newer_than_an_event_of_its_time() {
    assert_selected(
        &EVERY_POLICY,
        &[
            received("a", 5, USD),
            declined(Some("r"), None, 5, FactSource::Document),
        ],
        None,
    );
    let (mut document, provenance) = received("a", 5, USD);
    document.version.source = FactSource::Document;
    assert_selected(
        &EVERY_POLICY,
        &[(document, provenance), declined(Some("r"), None, 5, FactSource::Event)],
        Some("a"),
    );
}

#[test]
fn a_decline_of_another_quote_or_rfq_excludes_nothing() {
    assert_selected(
        &EVERY_POLICY,
        &[
            received("a", 5, USD),
            declined(Some("s"), Some("b"), 9, FactSource::Event),
        ],
        Some("a"),
    );
}

#[test]
fn a_newer_fact_revives_a_declined_quote() {
    let events = [
        received("a", 5, USD),
        declined(Some("r"), None, 6, FactSource::Event),
        received("a", 7, USD),
    ];
    assert_selected(&EVERY_POLICY, &events, Some("a"));
}

#[test]
fn fetching_a_document_again_does_not_revive_a_declined_quote_and_a_changed_price_does() {
    let declined = declined(Some("r"), None, 6, FactSource::Document);
    let first = fetched("a", 5, USD);
    assert_selected(
        &EVERY_POLICY,
        &[first.clone(), declined.clone(), fetched("a", 9, USD)],
        None,
    );
    assert_selected(&EVERY_POLICY, &[declined.clone(), fetched("a", 9, USD)], None);
    let cheaper = Some((9_000, "USD"));
    assert_selected(&EVERY_POLICY, &[first, declined, fetched("a", 9, cheaper)], Some("a"));
}

#[test]
fn an_accepted_lift_revives_its_quote_after_a_decline_of_another_lift() {
    let story = |reaffirmed_at: i64| {
        [
            fetched("a", 5, USD),
            declined(Some("r"), None, 6, FactSource::Document),
            reaffirmed("a", reaffirmed_at),
        ]
    };
    assert_selected(&EVERY_POLICY, &story(5), None);
    assert_selected(&EVERY_POLICY, &story(6), Some("a"));
    assert_selected(&EVERY_POLICY, &story(7), Some("a"));
}

#[test]
fn fetching_a_document_again_does_not_make_its_quote_the_latest() {
    let other = received("b", 6, USD);
    assert_selected(
        &[Latest],
        &[fetched("a", 5, USD), other.clone(), fetched("a", 9, USD)],
        Some("b"),
    );
    assert_selected(
        &[Latest],
        &[fetched("a", 5, USD), other, fetched("a", 9, Some((1, "USD")))],
        Some("a"),
    );
}

#[test]
fn a_gap_in_a_newer_document_is_filled_from_an_older_fact_and_a_gap_in_a_newer_event_is_not() {
    let has_price = |events: &[LearnedEvent]| {
        trip_after(events).quotes[&quote("a")]
            .received
            .as_ref()
            .unwrap()
            .details
            .price
            .is_some()
    };
    assert!(has_price(&[fetched("a", 5, USD), fetched("a", 9, None)]));
    assert!(has_price(&[received("a", 5, USD), fetched("a", 9, None)]));
    assert!(!has_price(&[fetched("a", 5, USD), received("a", 9, None)]));
    assert!(!has_price(&[received("a", 5, USD), received("a", 9, None)]));
}

#[test]
fn a_quote_is_a_candidate_until_it_expires() {
    for (until, is_selected) in [(99, false), (100, false), (101, true)] {
        assert_selected(
            &EVERY_POLICY,
            &[received_until("a", 5, USD, Some(until))],
            is_selected.then_some("a"),
        );
    }
    assert_selected(
        &EVERY_POLICY,
        &[received_until("a", 5, USD, Some(99)), received("b", 4, USD)],
        Some("b"),
    );
}

#[test]
fn latest_is_by_the_newest_fact_and_first_by_the_earliest() {
    let events = [received("a", 1, USD), received("b", 2, USD), received("a", 3, USD)];
    assert_selected(&[Latest], &events, Some("a"));
    assert_selected(&[First], &events, Some("a"));
    assert_selected(&[Latest], &[received("a", 1, USD), received("b", 2, USD)], Some("b"));
}

#[test]
fn the_lowest_price_is_in_the_currency_of_the_earliest_candidate() {
    let events = [
        received("a", 1, Some((9_000, "USD"))),
        received("b", 2, Some((5_000, "EUR"))),
        received("c", 3, Some((8_000, "USD"))),
    ];
    assert_selected(&[LowestPrice], &events, Some("c"));
    let mut events = events.to_vec();
    events.push(received_until("a", 4, Some((9_000, "USD")), Some(50)));
    assert_selected(&[LowestPrice], &events, Some("b"));
}

#[test]
fn lowest_price_selects_a_quote_without_a_price_only_if_no_candidate_has_one() {
    assert_selected(
        &[LowestPrice],
        &[received("a", 1, None), received("b", 2, USD)],
        Some("b"),
    );
    assert_selected(
        &[LowestPrice],
        &[received("b", 1, None), received("a", 2, None)],
        Some("b"),
    );
}

#[test]
fn ties_break_by_quote_id() {
    for (one, other) in [("a", "b"), ("b", "a")] {
        assert_selected(
            &EVERY_POLICY,
            &[received(one, 5, USD), received(other, 5, USD)],
            Some("a"),
        );
    }
    assert_selected(
        &[LowestPrice],
        &[received("b", 1, USD), received("a", 2, USD)],
        Some("a"),
    );
}
