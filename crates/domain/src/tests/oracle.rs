//! The selection implemented a second time, from the plain list of events and the text of the design, without
//! [`TripFacts`](crate::trip::TripFacts).

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::generators::{LearnedEvent, at, events_and_shuffled_copies, trip_after};
use crate::event::{Event, EventKind, FactSource, Money, QuoteDetails};
use crate::ids::QuoteId;
use crate::primary_quote::{PrimaryQuotePolicy, select_primary};

struct Candidate<'a> {
    id: &'a QuoteId,
    price: Option<Money>,
    changed: (Option<DateTime<Utc>>, FactSource),
    first_at: Option<DateTime<Utc>>,
}

/// Finds the candidates.
fn candidates(events: &[LearnedEvent], now: DateTime<Utc>) -> Vec<Candidate<'_>> {
    let events = || events.iter().map(|(event, _)| event);
    let statements = || {
        events().filter_map(|event| match &event.kind {
            EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details) => Some((event, details)),
            _ => None,
        })
    };
    let is_received = |(event, _): &(&Event, _)| matches!(event.kind, EventKind::QuoteReceived(_));
    let mut ids: Vec<&QuoteId> = statements()
        .filter(is_received)
        .map(|(_, details)| &details.quote)
        .collect();
    ids.sort();
    ids.dedup();
    let mut found = Vec::new();
    for id in ids {
        let mut facts: Vec<(&Event, &QuoteDetails)> =
            statements().filter(|(_, details)| &details.quote == id).collect();
        facts.sort_by_key(|(event, _)| std::cmp::Reverse(&event.version));
        let newest_version = &facts[0].0.version;
        let first_at = facts
            .iter()
            .map(|(event, _)| event.at.or(event.version.at))
            .min()
            .unwrap();
        // An event is complete: only the newest one counts, and no older document.
        let (by_event, by_document): (Vec<_>, Vec<_>) = facts
            .iter()
            .partition(|(event, _)| event.version.source == FactSource::Event);
        let newest_event: Option<(&Event, &QuoteDetails)> = by_event.first().copied();
        let newer = by_document
            .iter()
            .filter(|(event, _)| newest_event.is_none_or(|(known, _)| known.version < event.version));
        let newest_first: Vec<&QuoteDetails> = newer.chain(&newest_event).map(|(_, details)| *details).collect();
        let price = newest_first.iter().find_map(|details| details.price.clone());
        let rfq = newest_first.iter().find_map(|details| details.rfq.clone());
        let valid_until = newest_first.iter().find_map(|details| details.valid_until);

        let has_price = |details: &QuoteDetails| details.price == price;
        let has_sender_time = |event: &Event| event.at == event.version.at;
        let by_sender = by_document
            .iter()
            .chain(&newest_event)
            .filter(|(event, _)| has_sender_time(event));
        let newest_sender_time = by_sender.map(|(event, _)| event.version.at).max().flatten();
        let fetched_with_price: Vec<&Event> = by_document
            .iter()
            .filter(|(event, details)| !has_sender_time(event) && has_price(details))
            .map(|(event, _)| *event)
            .collect();
        let mut changed_at = newest_sender_time;
        if let Some(first_observed) = fetched_with_price.iter().map(|event| event.version.at).min()
            && !newest_event.is_some_and(|(_, details)| has_price(details))
        {
            let had_other_price = by_document.iter().chain(&newest_event).any(|(event, details)| {
                details.price.is_some() && !has_price(details) && event.version.at < first_observed
            });
            let price_since = if had_other_price {
                first_observed
            } else {
                let times = fetched_with_price.iter().map(|event| event.at.or(event.version.at));
                times.min().unwrap()
            };
            changed_at = changed_at.max(price_since);
        }
        let reaffirmed: Vec<DateTime<Utc>> = events()
            .filter(|event| matches!(&event.kind, EventKind::QuoteReaffirmed { quote, .. } if quote == id))
            .filter_map(|event| event.version.at)
            .collect();
        let declined = events().any(|event| match &event.kind {
            EventKind::RfqDeclined {
                rfq: declined, quote, ..
            } => {
                let is_about = quote.as_ref() == Some(id) || (declined.is_some() && *declined == rfq);
                let version = &event.version;
                is_about
                    && (version.at, version.source) >= (changed_at, newest_version.source)
                    && reaffirmed.iter().all(|reaffirmed| version.at > Some(*reaffirmed))
            }
            _ => false,
        });
        if !declined && valid_until.is_none_or(|until| until > now) {
            let first_reaffirmed = reaffirmed.iter().min();
            let first_at = first_reaffirmed.map_or(first_at, |reaffirmed| first_at.min(Some(*reaffirmed)));
            found.push(Candidate {
                id,
                price,
                changed: (changed_at, newest_version.source),
                first_at,
            });
        }
    }
    found
}

fn expected(events: &[LearnedEvent], policy: PrimaryQuotePolicy, now: DateTime<Utc>) -> Option<&QuoteId> {
    // Sorted by id: the first of several equals is selected.
    let mut all = candidates(events, now);
    match policy {
        PrimaryQuotePolicy::Latest => all.sort_by_key(|one| (std::cmp::Reverse(one.changed), one.id.clone())),
        PrimaryQuotePolicy::First => all.sort_by_key(|one| (one.first_at, one.id.clone())),
        PrimaryQuotePolicy::LowestPrice => {
            all.sort_by_key(|one| (one.first_at, one.id.clone()));
            let priced = |one: &Candidate<'_>| one.price.clone();
            if let Some(currency) = all.iter().find_map(priced).map(|price| price.currency) {
                all.retain(|one| priced(one).is_some_and(|price| price.currency == currency));
                all.sort_by_key(|one| (priced(one).unwrap().amount, one.id.clone()));
            }
        }
    }
    all.first().map(|one| one.id)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_selected_quote_is_that_of_the_oracle_in_any_order(
        (events, shuffled) in events_and_shuffled_copies(), now in 0..160_i64
    ) {
        let trip = trip_after(&shuffled);
        for policy in [PrimaryQuotePolicy::Latest, PrimaryQuotePolicy::First, PrimaryQuotePolicy::LowestPrice] {
            prop_assert_eq!(select_primary(&trip, policy, at(now)), expected(&events, policy, at(now)), "{:?}", policy);
        }
    }
}
