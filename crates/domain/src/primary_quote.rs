//! Selection of the primary quote of a session in which no person has chosen one.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::ids::QuoteId;
use super::newest_fact::VersionedFact;
use super::quote::ReceivedQuote;
use super::quote_history::observation::ChangeTime;
use super::trip::TripFacts;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum, IntoStaticStr, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PrimaryQuotePolicy {
    /// The quote that changed last: by the newest event or, for quotes from documents, the newest price
    #[default]
    Latest,
    /// The quote with the earliest first fact
    First,
    /// The lowest price in the currency of the earliest candidate that has a price.
    LowestPrice,
}

/// Selects the primary quote of a trip at `now`. Ties break by quote id, so that every order of arrival selects the same.
pub fn select_primary(trip: &TripFacts, policy: PrimaryQuotePolicy, now: DateTime<Utc>) -> Option<&QuoteId> {
    let candidates = || {
        trip.received_quotes()
            .filter(|(id, quote)| is_candidate(trip, id, quote, now))
    };
    let first = || candidates().min_by_key(|(id, quote)| (quote.first_fact_at, *id));
    let selected = match policy {
        PrimaryQuotePolicy::Latest => candidates().max_by_key(|(id, quote)| (quote.changed, Reverse(*id))),
        PrimaryQuotePolicy::First => first(),
        PrimaryQuotePolicy::LowestPrice => {
            let priced = || candidates().filter_map(|(id, quote)| Some((id, quote, quote.details.price.as_ref()?)));
            match priced().min_by_key(|(id, quote, _)| (quote.first_fact_at, *id)) {
                // Prices in two currencies cannot be compared: the earliest candidate sets the currency.
                Some((_, _, earliest)) => priced()
                    .filter(|(_, _, price)| price.currency == earliest.currency)
                    .min_by_key(|(id, _, price)| (price.amount, *id))
                    .map(|(id, quote, _)| (id, quote)),
                None => first(),
            }
        }
    };
    selected.map(|(id, _)| id)
}

impl PrimaryQuotePolicy {
    /// The word of the setting.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A selection among all quotes of a trip. No fact that is not loaded has changed since.
#[derive(Debug, Clone, PartialEq)]
pub struct LastSelection {
    pub policy: PrimaryQuotePolicy,
    /// `None` if there was no candidate.
    pub quote: Option<SelectedQuote>,
}

/// The quote that was selected, as it was then.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedQuote {
    pub id: QuoteId,
    pub changed: ChangeTime,
}

/// Selects as [`select_primary`], also from a part of a trip's facts: the quotes that changed, and the one that was selected last.
/// `None` if all facts are needed, because that one is no longer as good as it was.
pub fn reselect<'a>(
    trip: &'a TripFacts,
    last: Option<&LastSelection>,
    policy: PrimaryQuotePolicy,
    now: DateTime<Utc>,
) -> Option<Option<&'a QuoteId>> {
    if trip.others.is_some() {
        let last = last.filter(|last| last.policy == policy)?;
        if let Some(selected) = &last.quote {
            let quote = trip.quotes.get(&selected.id)?.received.as_ref()?;
            let is_as_good = match policy {
                PrimaryQuotePolicy::Latest => quote.changed >= selected.changed,
                // The first time of a quote only gets earlier.
                PrimaryQuotePolicy::First => true,
                // The earliest candidate sets the currency.
                PrimaryQuotePolicy::LowestPrice => false,
            };
            if !is_as_good || !is_candidate(trip, &selected.id, quote, now) {
                return None;
            }
        } else if policy == PrimaryQuotePolicy::LowestPrice {
            return None;
        }
    }
    Some(select_primary(trip, policy, now))
}

/// A candidate is neither expired nor declined.
fn is_candidate(trip: &TripFacts, id: &QuoteId, quote: &ReceivedQuote, now: DateTime<Utc>) -> bool {
    let is_expired = quote.details.valid_until.is_some_and(|until| until <= now);
    decline_of(trip, id).is_none() && !is_expired
}

/// Returns the reason of the decline that holds for a quote, if any. A decline of the quote or its RFQ holds if it is at least as new
/// as the quote's last change, and newer than the last time at which the quote was reaffirmed.
pub fn decline_of<'a>(trip: &'a TripFacts, id: &QuoteId) -> Option<&'a Option<String>> {
    let facts = trip.quotes.get(id)?;
    let Some(quote) = &facts.received else {
        return facts.decline.get().map(|decline| &decline.value);
    };
    let reaffirmed_at = facts.history.last_reaffirmed_at;
    let holds = |decline: &&VersionedFact<Option<String>>| {
        let version = &decline.version;
        let declined = ChangeTime {
            at: version.moment(),
            source: version.source,
            seen_at: version.seen_at,
        };
        declined >= quote.changed && reaffirmed_at.is_none_or(|reaffirmed_at| declined.at > reaffirmed_at)
    };
    let rfq = quote.details.rfq.as_ref();
    let of_rfq = rfq.and_then(|rfq| trip.rfqs.get(rfq)?.decline.get());
    let declines = [facts.decline.get(), of_rfq].into_iter().flatten();
    declines.filter(holds).map(|decline| &decline.value).next()
}
