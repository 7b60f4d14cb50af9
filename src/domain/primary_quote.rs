//! Which quote is the primary one, when no person has chosen.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::ids::QuoteId;
use super::quote::{DeclineFact, ReceivedQuote};
use super::trip::TripFacts;

/// The rule that selects a primary quote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PrimaryQuotePolicy {
    /// The quote with the newest fact: the last event, or the last price where documents show it
    #[default]
    Latest,
    /// The quote with the earliest first fact
    First,
    /// The lowest price in the currency of the earliest candidate with a price
    LowestPrice,
}

/// Elects the primary quote of a trip at `now`. Ties end by quote id, so that every order of arrival elects the same.
pub fn select_primary(trip: &TripFacts, policy: PrimaryQuotePolicy, now: DateTime<Utc>) -> Option<&QuoteId> {
    let electable = || trip.received().filter(|(id, fact)| is_electable(trip, id, fact, now));
    let first = || electable().min_by_key(|(id, fact)| (fact.first_fact_at, *id));
    let elected = match policy {
        PrimaryQuotePolicy::Latest => {
            electable().max_by_key(|(id, fact)| (fact.news_at, fact.version.source, Reverse(*id)))
        }
        PrimaryQuotePolicy::First => first(),
        PrimaryQuotePolicy::LowestPrice => {
            let priced = || electable().filter_map(|(id, fact)| Some((id, fact, fact.details.price.as_ref()?)));
            match priced().min_by_key(|(id, fact, _)| (fact.first_fact_at, *id)) {
                // Prices in two currencies cannot be compared: the earliest quote sets the currency.
                Some((_, _, earliest)) => priced()
                    .filter(|(_, _, price)| price.currency == earliest.currency)
                    .min_by_key(|(id, _, price)| (price.amount, *id))
                    .map(|(id, fact, _)| (id, fact)),
                None => first(),
            }
        }
    };
    elected.map(|(id, _)| id)
}

/// Received, no decline of the quote or of its RFQ that is at least as new as its last change, and newer than the last moment
/// at which it is known to have stood; and not expired.
fn is_electable(trip: &TripFacts, id: &QuoteId, fact: &ReceivedQuote, now: DateTime<Utc>) -> bool {
    let quote = trip.quotes.get(id);
    let stood_at = quote.and_then(|quote| quote.said.stood_at);
    let counts = |decline: &DeclineFact| {
        (decline.version.at, decline.version.source) >= (fact.news_at, fact.version.source)
            && (stood_at.is_none() || decline.version.at > stood_at)
    };
    let of_quote = quote.and_then(|quote| quote.declined.as_ref());
    let of_request = fact
        .details
        .request
        .as_ref()
        .and_then(|request| trip.requests.get(request)?.declined.as_ref());
    let declined = [of_quote, of_request].into_iter().flatten().any(counts);
    let expired = fact.details.valid_until.is_some_and(|until| until <= now);
    !declined && !expired
}
