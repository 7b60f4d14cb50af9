//! The election read a second time, from the plain list of events and the words of the design, without [`Trip`].

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::generate::{Heard, at, learned, some_and_again};
use crate::domain::event::{Event, EventKind, FactSource, Money, QuoteDetails};
use crate::domain::ids::QuoteId;
use crate::domain::primary_quote::{PrimaryQuotePolicy, select_primary};

struct Candidate<'a> {
    id: &'a QuoteId,
    price: Option<Money>,
    news: (Option<DateTime<Utc>>, FactSource),
    first_at: Option<DateTime<Utc>>,
}

/// All quotes that can be elected, from scratch.
fn candidates(events: &[Heard], now: DateTime<Utc>) -> Vec<Candidate<'_>> {
    let events = || events.iter().map(|(event, _)| event);
    let told = || {
        events().filter_map(|event| match &event.what {
            EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details) => Some((event, details)),
            _ => None,
        })
    };
    // A price that nobody quoted is described as well.
    let is_received = |(event, _): &(&Event, _)| matches!(event.what, EventKind::QuoteReceived(_));
    let mut ids: Vec<&QuoteId> = told().filter(is_received).map(|(_, details)| &details.quote).collect();
    ids.sort();
    ids.dedup();
    let mut found = Vec::new();
    for id in ids {
        let mut facts: Vec<(&Event, &QuoteDetails)> = told().filter(|(_, details)| &details.quote == id).collect();
        facts.sort_by_key(|(event, _)| std::cmp::Reverse(&event.version));
        let newest_version = &facts[0].0.version;
        let first_at = facts
            .iter()
            .map(|(event, _)| event.at.or(event.version.at))
            .min()
            .unwrap();
        // Of events the newest counts, and no document that is older: it says all.
        let (relayed, shown): (Vec<_>, Vec<_>) = facts
            .iter()
            .partition(|(event, _)| event.version.source == FactSource::Event);
        let relayed: Option<(&Event, &QuoteDetails)> = relayed.first().copied();
        let newer = shown
            .iter()
            .filter(|(event, _)| relayed.is_none_or(|(known, _)| known.version < event.version));
        let said: Vec<&QuoteDetails> = newer.chain(&relayed).map(|(_, details)| *details).collect();
        let price = said.iter().find_map(|details| details.price.clone());
        let request = said.iter().find_map(|details| details.request.clone());
        let valid_until = said.iter().find_map(|details| details.valid_until);

        let says_it = |details: &QuoteDetails| details.price == price;
        let is_stamped = |event: &Event| event.at == event.version.at;
        let stamped = shown.iter().chain(&relayed).filter(|(event, _)| is_stamped(event));
        let stamped = stamped.map(|(event, _)| event.version.at).max().flatten();
        let seen: Vec<&Event> = shown
            .iter()
            .filter(|(event, details)| !is_stamped(event) && says_it(details))
            .map(|(event, _)| *event)
            .collect();
        let mut news = stamped;
        if let Some(first_seen) = seen.iter().map(|event| event.version.at).min()
            && !relayed.is_some_and(|(_, details)| says_it(details))
        {
            let is_change = shown
                .iter()
                .chain(&relayed)
                .any(|(event, details)| details.price.is_some() && !says_it(details) && event.version.at < first_seen);
            let since = if is_change {
                first_seen
            } else {
                seen.iter().map(|event| event.at.or(event.version.at)).min().unwrap()
            };
            news = news.max(since);
        }
        let stood: Vec<DateTime<Utc>> = events()
            .filter(|event| matches!(&event.what, EventKind::QuoteReaffirmed { quote, .. } if quote == id))
            .filter_map(|event| event.version.at)
            .collect();
        let declined = events().any(|event| match &event.what {
            EventKind::RfqDeclined { request: of, quote, .. } => {
                let is_about = quote.as_ref() == Some(id) || (of.is_some() && *of == request);
                let version = &event.version;
                is_about
                    && (version.at, version.source) >= (news, newest_version.source)
                    && stood.iter().all(|stood| version.at > Some(*stood))
            }
            _ => false,
        });
        if !declined && valid_until.is_none_or(|until| until > now) {
            let first_at = stood.iter().min().map_or(first_at, |stood| first_at.min(Some(*stood)));
            let news = (news, newest_version.source);
            found.push(Candidate {
                id,
                price,
                news,
                first_at,
            });
        }
    }
    found
}

fn expected(events: &[Heard], policy: PrimaryQuotePolicy, now: DateTime<Utc>) -> Option<&QuoteId> {
    // Sorted by id: of equals, the first in the list is elected.
    let mut all = candidates(events, now);
    match policy {
        PrimaryQuotePolicy::Latest => all.sort_by_key(|one| (std::cmp::Reverse(one.news), one.id.clone())),
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
    fn the_elected_quote_is_the_one_that_the_words_elect_in_any_order((events, again) in some_and_again(), now in 0..160_i64) {
        let trip = learned(&again);
        for policy in [PrimaryQuotePolicy::Latest, PrimaryQuotePolicy::First, PrimaryQuotePolicy::LowestPrice] {
            prop_assert_eq!(select_primary(&trip, policy, at(now)), expected(&events, policy, at(now)), "{:?}", policy);
        }
    }
}
