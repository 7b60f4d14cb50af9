//! The selection implemented a second time, from the plain list of events and the text of the design, without
//! [`TripFacts`](crate::trip::TripFacts).

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::generators::{LearnedEvent, at, events_and_shuffled_copies, trip_after};
use crate::event::{Event, EventKind, FactSource, Money, QuoteDetails, QuoteOrigin};
use crate::ids::QuoteId;
use crate::primary_quote::{PrimaryQuotePolicy, select_primary};

struct Candidate<'a> {
    id: &'a QuoteId,
    price: Option<Money>,
    changed: Moment,
    first_at: DateTime<Utc>,
}

/// Time, source, and when it was first seen.
type Moment = (DateTime<Utc>, FactSource, DateTime<Utc>);

/// One statement about a quote, and when it was seen first and last.
#[derive(Clone, Copy)]
struct Statement<'a> {
    event: &'a Event,
    details: &'a QuoteDetails,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl Statement<'_> {
    fn is_event(&self) -> bool {
        self.event.version.source == FactSource::Event
    }

    fn as_of(&self) -> DateTime<Utc> {
        match self.is_event() {
            true => self.event.version.at.unwrap_or(self.first),
            false => self.last,
        }
    }

    /// Two statements with a time of their own are compared by it.
    fn dated(&self) -> (Option<DateTime<Utc>>, FactSource, DateTime<Utc>, [u8; 32]) {
        let seen = if self.is_event() { self.first } else { self.last };
        (
            self.event.version.at,
            self.event.version.source,
            seen,
            self.event.version.digest,
        )
    }

    fn undated(&self) -> (DateTime<Utc>, FactSource, [u8; 32]) {
        (self.as_of(), self.event.version.source, self.event.version.digest)
    }

    /// When the sender stated it, if it says so.
    fn stated(&self) -> Option<Moment> {
        let at = self.event.version.at.or(self.is_event().then_some(self.first))?;
        // The GETs of a dated document do not matter.
        let seen_at = if self.is_event() { self.first } else { at };
        Some((at, self.event.version.source, seen_at))
    }
}

/// The statements about a quote, the newest first: the newest of the dated ones, of those that state a creation time and of the
/// others are compared by creation, or else by the time as of which they are known to be true.
fn newest_first<'a>(events: &'a [LearnedEvent], id: &QuoteId) -> Vec<Statement<'a>> {
    let mut left: Vec<Statement<'a>> = Vec::new();
    for (event, _) in events {
        let (EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details)) = &event.kind else {
            continue;
        };
        let seen = event.version.seen_at;
        let is_same = |known: &&mut Statement<'a>| {
            known.event.kind == event.kind
                && (known.event.version.at, known.event.version.source) == (event.version.at, event.version.source)
        };
        if &details.quote != id {
            continue;
        }
        match left.iter_mut().find(is_same) {
            Some(known) => {
                known.first = known.first.min(seen);
                known.last = known.last.max(seen);
            }
            None => left.push(Statement {
                event,
                details,
                first: seen,
                last: seen,
            }),
        }
    }
    // An event is complete: of those with a timestamp only the newest count.
    let dated_events = left.iter().filter(|it| it.is_event());
    let newest_event = dated_events.filter_map(|it| it.event.version.at).max();
    left.retain(|it| !it.is_event() || it.event.version.at.is_none() || it.event.version.at == newest_event);

    let mut sorted = Vec::new();
    while !left.is_empty() {
        let heads = [
            left.iter()
                .filter(|it| it.event.version.at.is_some())
                .max_by_key(|it| it.dated()),
            left.iter()
                .filter(|it| it.event.version.at.is_none() && it.details.created_at.is_some())
                .max_by_key(|it| (it.details.created_at, it.undated())),
            left.iter()
                .filter(|it| it.event.version.at.is_none() && it.details.created_at.is_none())
                .max_by_key(|it| it.undated()),
        ];
        let newest = *heads
            .into_iter()
            .flatten()
            .reduce(|known, other| {
                let is_newer = match (known.details.created_at, other.details.created_at) {
                    (Some(known), Some(other)) if known != other => other > known,
                    _ => other.undated() > known.undated(),
                };
                if is_newer { other } else { known }
            })
            .unwrap();
        left.retain(|it| !std::ptr::eq(it.event, newest.event));
        sorted.push(newest);
    }
    sorted
}

/// Finds the candidates.
fn candidates(events: &[LearnedEvent], now: DateTime<Utc>) -> Vec<Candidate<'_>> {
    let kinds = || events.iter().map(|(event, _)| &event.kind);
    let mut ids: Vec<&QuoteId> = kinds()
        .filter_map(|kind| match kind {
            EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details) => Some(&details.quote),
            _ => None,
        })
        .collect();
    ids.sort();
    ids.dedup();
    let is_received = |id: &QuoteId| {
        let has_origin = |wanted: QuoteOrigin| {
            kinds().any(
                |kind| matches!(kind, EventKind::QuoteOrigin { quote, origin, .. } if quote == id && *origin == wanted),
            )
        };
        let made_by_seller =
            kinds().any(|kind| matches!(kind, EventKind::QuoteReceived(details) if &details.quote == id));
        let linked = has_origin(QuoteOrigin::AcceptedLift) && has_origin(QuoteOrigin::NotGenerated);
        !has_origin(QuoteOrigin::Generated) && (made_by_seller || linked)
    };
    let mut found = Vec::new();
    for id in ids.into_iter().filter(|id| is_received(id)) {
        let statements = newest_first(events, id);
        // Back to and including the newest event.
        let end = statements
            .iter()
            .position(Statement::is_event)
            .map_or(statements.len(), |place| place + 1);
        let complete = || statements[..end].iter().map(|it| it.details);
        let price = complete().find_map(|details| details.price.clone());
        let rfq = complete().find_map(|details| details.rfq.clone());
        let valid_until = complete().find_map(|details| details.valid_until);

        let of_quote = events.iter().map(|(event, _)| event).filter(|event| match &event.kind {
            EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details) => &details.quote == id,
            _ => false,
        });
        let reaffirmed: Vec<DateTime<Utc>> = events
            .iter()
            .filter(|(event, _)| matches!(&event.kind, EventKind::QuoteReaffirmed { quote, .. } if quote == id))
            .map(|(event, _)| event.version.at.unwrap_or(event.version.seen_at))
            .collect();
        let first_stated = of_quote.map(|event| {
            let (EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details)) = &event.kind else {
                unreachable!()
            };
            let stated = [event.at, event.version.at, details.created_at]
                .into_iter()
                .flatten()
                .min();
            stated.unwrap_or(event.version.seen_at)
        });
        let first_at = first_stated.chain(reaffirmed.iter().copied()).min().unwrap();

        let newest_stated = statements.iter().filter_map(Statement::stated).max();
        let since_change: Vec<&Statement<'_>> = statements
            .iter()
            .take_while(|it| it.details.price.is_none() || it.details.price == price)
            .filter(|it| it.details.price == price)
            .collect();
        let mut changed = newest_stated;
        if let Some(first_observed) = since_change.iter().map(|it| it.first).min()
            && since_change.iter().all(|it| it.stated().is_none())
        {
            let created = since_change.iter().find_map(|it| it.details.created_at);
            let had_other_price = statements.iter().any(|it| {
                (created.is_none() || it.details.created_at.is_none() || it.details.created_at == created)
                    && it.details.price.is_some()
                    && it.details.price != price
                    && it.event.version.at.unwrap_or(it.first) < first_observed
            });
            let since = match had_other_price {
                true => first_observed,
                false => since_change
                    .iter()
                    .map(|it| it.details.created_at.unwrap_or(it.first))
                    .min()
                    .unwrap(),
            };
            changed = changed.max(Some((since, FactSource::Document, since)));
        }
        let changed = changed.unwrap();
        let declined = events.iter().any(|(event, _)| match &event.kind {
            EventKind::RfqDeclined {
                rfq: declined, quote, ..
            } => {
                let is_about = quote.as_ref() == Some(id) || (declined.is_some() && *declined == rfq);
                let version = &event.version;
                let at = version.at.unwrap_or(version.seen_at);
                let seen_at = match (version.source, version.at) {
                    (FactSource::Document, Some(at)) => at,
                    _ => version.seen_at,
                };
                is_about
                    && (at, version.source, seen_at) >= changed
                    && reaffirmed.iter().all(|reaffirmed| at > *reaffirmed)
            }
            _ => false,
        });
        if !declined && valid_until.is_none_or(|until| until > now) {
            found.push(Candidate {
                id,
                price,
                changed,
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
