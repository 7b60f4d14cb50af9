//! Which quote is the primary one, when no person has chosen.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::id::QuoteId;
use super::quote::{Decline, Fact};
use super::trip::Trip;

/// How the primary quote is elected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The quote with the newest fact.
    #[default]
    Latest,
    /// The quote whose first fact is the earliest.
    First,
    /// The lowest price in the currency of the earliest electable quote that has a price.
    LowestPrice,
}

/// Elects the primary quote of a trip at `now`. Ties end by quote id, so that every order of arrival elects the same.
pub fn elect(trip: &Trip, policy: Policy, now: DateTime<Utc>) -> Option<&QuoteId> {
    let electable = || trip.received().filter(|(id, fact)| is_electable(trip, id, fact, now));
    let first = || electable().min_by_key(|(id, fact)| (fact.first_fact_at, *id));
    let elected = match policy {
        Policy::Latest => electable().max_by_key(|(id, fact)| (fact.version.at, fact.version.source, Reverse(*id))),
        Policy::First => first(),
        Policy::LowestPrice => {
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

/// Received, no decline of the quote or of its RFQ at least as new, and not expired.
fn is_electable(trip: &Trip, id: &QuoteId, fact: &Fact, now: DateTime<Utc>) -> bool {
    let at_least_as_new =
        |decline: &Decline| (decline.version.at, decline.version.source) >= (fact.version.at, fact.version.source);
    let of_quote = trip.quotes.get(id).and_then(|quote| quote.declined.as_ref());
    let of_request = fact
        .details
        .request
        .as_ref()
        .and_then(|request| trip.requests.get(request)?.declined.as_ref());
    let declined = [of_quote, of_request].into_iter().flatten().any(at_least_as_new);
    let expired = fact.details.valid_until.is_some_and(|until| until <= now);
    !declined && !expired
}
