//! A decision from the facts that an event names is the decision from all facts of the trip.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::decide::{Row, policy, row};
use super::generators::{at, learned_events};
use crate::decide::{decide, needs_all_facts};
use crate::event::EventKind;
use crate::ids::QuoteId;
use crate::primary_quote::{LastSelection, PrimaryQuotePolicy, SelectedQuote, select_primary};
use crate::session::SessionSnapshot;
use crate::trip::{ChangedFacts, OtherFacts, TripFacts};

/// The part of the facts that the service loads for an event: what the event names, and the quote selected last.
fn named_facts(trip: &TripFacts, event: &EventKind, selected: Option<&QuoteId>) -> TripFacts {
    let mut part = trip.clone();
    part.quotes
        .retain(|id, _| Some(id) == event.quote() || Some(id) == selected);
    let statements = part.quotes.values().flat_map(|quote| &quote.history.observations);
    let mut rfqs: BTreeSet<_> = statements.filter_map(|it| it.details.rfq.clone()).collect();
    rfqs.extend(event.rfq().cloned());
    part.rfqs.retain(|id, _| rfqs.contains(id));
    part.others = Some(OtherFacts {
        sent_rfqs: trip.sent_rfqs() - part.sent_rfqs(),
        has_contacted_sellers: trip.has_contacted_sellers(),
        open_rfqs: trip.open_rfqs() - part.open_rfqs(),
        cancelled_rfqs: (trip.rfqs.len() - trip.open_rfqs()) - (part.rfqs.len() - part.open_rfqs()),
    });
    part
}

/// A session as the service loads it with a part of the facts of its trip.
fn snapshot(row: &Row, trip: &TripFacts, selection: &LastSelection) -> SessionSnapshot {
    let mut session = row.session.clone();
    session.ledger.retain(|id| trip.quotes.contains_key(id));
    session.last_selection = Some(selection.clone());
    session
}

fn select(trip: &TripFacts, policy: PrimaryQuotePolicy, now: DateTime<Utc>) -> LastSelection {
    let quote = select_primary(trip, policy, now).map(|id| SelectedQuote {
        id: id.clone(),
        changed: trip.quotes[id].received.as_ref().unwrap().changed,
    });
    LastSelection { policy, quote }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_decision_from_the_named_facts_is_the_decision_from_all(
        mut row in row(), events in learned_events(), policy in policy(), seconds in prop::collection::vec(0..20_i64, 32)
    ) {
        let mut trip = TripFacts::default();
        let mut now = at(40);
        row.apply(&decide(&row.session, Some(&trip), policy, now));
        for ((event, provenance), later) in events.iter().zip(seconds.iter().cycle()) {
            // The selection before the event, with the time that has passed since.
            let selection = select(&trip, policy, now);
            now += chrono::Duration::seconds(*later);
            let selected = selection.quote.as_ref().map(|quote| &quote.id);
            let mut part = named_facts(&trip, &event.kind, selected);
            let (mut changed, mut changed_part) = (ChangedFacts::default(), ChangedFacts::default());
            let entry = trip.apply_event(event, *provenance, &mut changed);
            prop_assert_eq!(part.apply_event(event, *provenance, &mut changed_part), entry);
            prop_assert_eq!(&changed_part, &changed);
            for id in &changed.quotes {
                prop_assert_eq!(&part.quotes[id], &trip.quotes[id]);
            }
            for id in &changed.rfqs {
                prop_assert_eq!(&part.rfqs[id], &trip.rfqs[id]);
            }
            let all = decide(&row.session, Some(&trip), policy, now);
            let session = snapshot(&row, &part, &selection);
            if !needs_all_facts(&session, &part, policy, now) {
                prop_assert_eq!(&decide(&session, Some(&part), policy, now), &all);
            }
            row.apply(&all);
        }
    }
}

/// Otherwise the property above would hold for a rule that always asks for all facts.
#[test]
fn a_new_quote_needs_no_other_quote() {
    use super::generators::{bare_quote, event};
    use crate::event::FactSource;
    use crate::trip::Provenance;
    for policy in [PrimaryQuotePolicy::Latest, PrimaryQuotePolicy::First] {
        let mut trip = TripFacts::default();
        for (second, letter) in [(1, "a"), (2, "b"), (3, "c")] {
            let kind = EventKind::QuoteReceived(bare_quote(letter));
            let selection = select(&trip, policy, at(10));
            let selected = selection.quote.as_ref().map(|quote| &quote.id);
            let mut part = named_facts(&trip, &kind, selected);
            let quote = event(Some(second), FactSource::Event, kind);
            part.apply_event(&quote, Provenance::Notified(at(second)), &mut ChangedFacts::default());
            trip.apply_event(&quote, Provenance::Notified(at(second)), &mut ChangedFacts::default());
            assert!(part.quotes.len() <= 2);
            assert!(crate::primary_quote::reselect(&part, Some(&selection), policy, at(10)).is_some());
        }
    }
}

/// A delivery that was received earlier is applied later: the selected quote is older than it seemed.
#[test]
fn all_facts_are_needed_when_the_selected_quote_turns_out_to_be_older() {
    use super::generators::{bare_quote, seen, trip_after};
    use crate::event::FactSource;
    use crate::primary_quote::reselect;
    use crate::trip::Provenance;
    let undated = |letter: &str, second: i64| {
        let kind = EventKind::QuoteReceived(bare_quote(letter));
        (
            seen(None, second, FactSource::Event, kind),
            Provenance::Notified(at(second)),
        )
    };
    let policy = PrimaryQuotePolicy::Latest;
    let trip = trip_after(&[undated("b", 3), undated("a", 5)]);
    let selection = select(&trip, policy, at(10));
    let (earlier, provenance) = undated("a", 1);
    let selected = selection.quote.as_ref().map(|quote| &quote.id);
    assert_eq!(selected, Some(&super::generators::quote("a")));
    let mut part = named_facts(&trip, &earlier.kind, selected);
    part.apply_event(&earlier, provenance, &mut ChangedFacts::default());
    assert_eq!(reselect(&part, Some(&selection), policy, at(10)), None);
}
