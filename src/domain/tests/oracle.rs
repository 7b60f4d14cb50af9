//! The election read a second time, from the plain list of events and the words of the design, without [`Trip`].

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::generate::{Heard, at, learned, some_and_again};
use crate::domain::election::{Policy, elect};
use crate::domain::event::{QuoteDetails, Version, What};
use crate::domain::id::QuoteId;

struct Candidate<'a> {
    id: &'a QuoteId,
    newest: (&'a Version, &'a QuoteDetails),
    first_at: Option<DateTime<Utc>>,
}

/// All quotes that can be elected, from scratch.
fn candidates(events: &[Heard], now: DateTime<Utc>) -> Vec<Candidate<'_>> {
    let facts: Vec<(&Version, &QuoteDetails)> = events
        .iter()
        .filter_map(|(event, _)| match &event.what {
            What::QuoteReceived(details) => Some((&event.version, details)),
            _ => None,
        })
        .collect();
    let mut ids: Vec<&QuoteId> = facts.iter().map(|(_, details)| &details.quote).collect();
    ids.sort();
    ids.dedup();
    let mut found = Vec::new();
    for id in ids {
        let of_this = || facts.iter().filter(|(_, details)| &details.quote == id);
        let newest = *of_this().max_by_key(|(version, _)| *version).unwrap();
        let declined = events.iter().any(|(event, _)| match &event.what {
            What::RfqDeclined { request, quote, .. } => {
                let is_about =
                    quote.as_ref() == Some(id) || (request.is_some() && request.as_ref() == newest.1.request.as_ref());
                is_about && (event.version.at, event.version.source) >= (newest.0.at, newest.0.source)
            }
            _ => false,
        });
        if !declined && newest.1.valid_until.is_none_or(|until| until > now) {
            let first_at = of_this().map(|(version, _)| version.at).min().unwrap();
            found.push(Candidate { id, newest, first_at });
        }
    }
    found
}

fn expected(events: &[Heard], policy: Policy, now: DateTime<Utc>) -> Option<&QuoteId> {
    // Sorted by id: of equals, the first in the list is elected.
    let mut all = candidates(events, now);
    match policy {
        Policy::Latest => all.sort_by_key(|one| {
            (
                std::cmp::Reverse((one.newest.0.at, one.newest.0.source)),
                one.id.clone(),
            )
        }),
        Policy::First => all.sort_by_key(|one| (one.first_at, one.id.clone())),
        Policy::LowestPrice => {
            all.sort_by_key(|one| (one.first_at, one.id.clone()));
            let priced = |one: &Candidate<'_>| one.newest.1.price.clone();
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
        for policy in [Policy::Latest, Policy::First, Policy::LowestPrice] {
            prop_assert_eq!(elect(&trip, policy, at(now)), expected(&events, policy, at(now)), "{:?}", policy);
        }
    }
}
