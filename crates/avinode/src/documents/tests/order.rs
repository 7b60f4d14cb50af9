//! A few quotes at Avinode, reported by documents fetched at any times and by a relay's events: in any order, with any
//! repetition and split over any number of trips, the same facts are known in the end.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::support::{began_at, resource};
use crate::documents;
use crate::full_event::events;
use crate::notification::Notification;
use ingest_domain::event::{Event, EventKind};
use ingest_domain::ids::{QuoteId, TripId};
use ingest_domain::trip::{ChangedFacts, Provenance, TripFacts};

/// The state of a quote at Avinode at some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuoteState {
    pub(super) second: i64,
    pub(super) quote: u8,
    pub(super) price: Option<i64>,
    pub(super) has_update_time: bool,
    /// The message states when it was written, and the quote when it was made.
    pub(super) has_creation_time: bool,
    pub(super) is_generated: bool,
    /// The lift only links its quotes, and does not show the latest one.
    pub(super) is_linked: bool,
    /// The lift's `sourcingStatus`; 4 stands for a cancelled RFQ or trip.
    pub(super) status: u8,
}

/// The document or event that reports a state.
#[derive(Debug, Clone, Copy)]
pub(super) enum Report {
    QuoteMessage,
    Rfq,
    Trip,
    Quote,
    DeclineMessage,
    ChatMessage,
    FullEvent,
    AcceptedEvent,
}

const REPORTS: [Report; 8] = [
    Report::QuoteMessage,
    Report::Rfq,
    Report::Trip,
    Report::Quote,
    Report::DeclineMessage,
    Report::ChatMessage,
    Report::FullEvent,
    Report::AcceptedEvent,
];

pub(super) fn timestamp(second: i64) -> String {
    (began_at() + TimeDelta::seconds(second)).to_rfc3339()
}

pub(super) fn trip_id() -> TripId {
    TripId::parse("A1B2C3").unwrap()
}

fn quote_body(state: &QuoteState) -> Value {
    let mut quote = json!({
        "id": format!("aquote-{}", state.quote), "avinodeGenerated": state.is_generated,
        "sellerPrice": state.price.map(|price| json!({"price": price, "currency": "USD"})),
    });
    if state.has_creation_time {
        quote["createdOn"] = json!(timestamp(i64::from(state.quote)));
    }
    if state.has_update_time {
        quote["updatedOn"] = json!(timestamp(state.second / 2));
    }
    quote
}

fn accepted_body(state: &QuoteState) -> Value {
    json!({
        "event": "TripQuoteAccepted", "timestamp": timestamp(state.second),
        "data": {"tripId": "A1B2C3", "quote": {"id": format!("aquote-{}", state.quote)}},
    })
}

fn full_event_body(state: &QuoteState) -> Value {
    let status = if state.status == 3 { "declined" } else { "quoted" };
    let price = state.price.map(|price| json!({"amount": price, "currency": "USD"}));
    json!({
        "event": "TripRequestSellerResponse", "timestamp": timestamp(state.second),
        "data": {
            "tripId": "A1B2C3", "request": {"id": "arfq-1", "status": status},
            "quote": {"id": format!("aquote-{}", state.quote), "totalPrice": price},
        },
    })
}

/// The events of one document or delivery about a state.
pub(super) fn report(state: &QuoteState, by: Report) -> Vec<Event> {
    let links = json!({"rfqs": [{"id": "arfq-1"}]});
    let second = state.second;
    let (path, data) = match by {
        Report::QuoteMessage => (
            format!("tripmsgs/asellermsg-{}", state.quote),
            json!({"sellerQuote": quote_body(state), "links": links,
                "createdOn": state.has_creation_time.then(|| timestamp(second / 3))}),
        ),
        Report::Rfq => {
            let quote = json!({"id": format!("aquote-{}", state.quote)});
            let mut lift = json!({"sourcingStatus": state.status, "aircraftTail": "N1"});
            match state.is_linked {
                true => lift["links"] = json!({"quotes": [quote, {"id": "aquote-3"}]}),
                false => lift["latestQuote"] = quote,
            }
            let data = json!({"sellerCompany": "Northwind", "canceled": state.status == 4, "sellerLift": [lift]});
            ("rfqs/arfq-1".to_owned(), data)
        }
        Report::Trip => ("trips/atrip-1".to_owned(), json!({"canceled": state.status == 4})),
        Report::Quote => (format!("quotes/aquote-{}", state.quote), quote_body(state)),
        Report::DeclineMessage => (
            format!("tripmsgs/asellermsg-9{second}"),
            json!({"createdOn": timestamp(second), "declineReason": "OTHER", "links": links}),
        ),
        Report::ChatMessage => (
            format!("tripmsgs/asellermsg-8{second}"),
            json!({"createdOn": timestamp(second), "content": "Catering is included.", "links": links}),
        ),
        Report::FullEvent | Report::AcceptedEvent => {
            let body = match by {
                Report::AcceptedEvent => accepted_body(state),
                _ => full_event_body(state),
            };
            let Ok(Notification::Full(full)) = Notification::parse(body.to_string().as_bytes()) else {
                panic!("{body}")
            };
            return events(&full, began_at() + TimeDelta::seconds(second)).unwrap();
        }
    };
    let get_began_at: DateTime<Utc> = began_at() + TimeDelta::seconds(second);
    documents::read(&resource(&path), &data, get_began_at)
        .unwrap()
        .events_of(&trip_id())
}

fn reports() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let price = prop::option::weighted(0.8, 1..4_i64);
    let state = (0..12_i64, 1..4_u8, price, any::<[bool; 4]>(), 1..5_u8).prop_map(
        |(second, quote, price, [has_update_time, has_creation_time, is_generated, is_linked], status)| QuoteState {
            second,
            quote,
            price,
            has_update_time,
            has_creation_time,
            is_generated,
            is_linked,
            status,
        },
    );
    let by = prop::sample::select(&REPORTS[..]);
    prop::collection::vec((state, by).prop_map(|(state, by)| report(&state, by)), 0..16)
}

pub(super) fn trip_after<'a>(reports: impl IntoIterator<Item = &'a Vec<Event>>) -> TripFacts {
    let mut trip = TripFacts::default();
    for event in reports.into_iter().flatten() {
        trip.apply_event(event, Provenance::Notified(began_at()), &mut ChangedFacts::default());
    }
    trip
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_order_repetition_and_split_of_documents_and_events_ends_in_the_same_facts(
        (reports, shuffled, parts) in reports().prop_flat_map(|reports| {
            let twice: Vec<Vec<Event>> = reports.iter().chain(&reports).cloned().collect();
            let parts = prop::collection::vec(0..3_usize, twice.len());
            (Just(reports), Just(twice).prop_shuffle(), parts)
        })
    ) {
        let expected = trip_after(&reports);
        prop_assert_eq!(&expected, &trip_after(&shuffled));
        let part = |number: usize| {
            let of_part = shuffled.iter().zip(&parts).filter(|(_, part)| **part == number);
            trip_after(of_part.map(|(report, _)| report))
        };
        prop_assert_eq!(&expected, &part(0).merged_with([&part(1), &part(2)]));
    }
}

#[test]
fn the_generator_makes_every_event_kind() {
    let mut runner = TestRunner::deterministic();
    let generated = (0..100).flat_map(|_| reports().new_tree(&mut runner).unwrap().current().concat());
    let mut counts = [0; 10];
    for event in generated {
        // A new kind does not compile here, and has to be generated as well.
        let place = match event.kind {
            EventKind::QuoteReceived(_) => 0,
            EventKind::QuoteObserved(_) => 1,
            EventKind::QuoteReaffirmed { .. } => 2,
            EventKind::RfqDeclined { .. } => 3,
            EventKind::MessageReceived { .. } => 4,
            EventKind::TripRequested { .. } => 5,
            EventKind::TripChanged { .. } => 6,
            EventKind::QuoteOrigin { .. } => 7,
            EventKind::QuoteAccepted { .. } => 8,
            EventKind::RfqCancelled { .. } => 9,
        };
        counts[place] += 1;
    }
    assert!(counts.iter().all(|count| *count > 0), "generated: {counts:?}");
}

pub(super) fn accepted(second: i64, price: Option<i64>) -> QuoteState {
    QuoteState {
        second,
        quote: 1,
        price,
        has_update_time: false,
        has_creation_time: false,
        is_generated: false,
        is_linked: false,
        status: 2,
    }
}

pub(super) fn quote_message(second: i64, price: i64) -> Vec<Event> {
    report(&accepted(second, Some(price)), Report::QuoteMessage)
}

/// A repeated fetch without a change does not make a quote newer: a later decline still counts, and `latest` still selects
/// another quote.
#[test]
fn fetching_a_document_again_does_not_change_the_time_of_its_quote() {
    let quote = &QuoteId::parse("aquote-1").unwrap();
    let changed_at = |reports: &[Vec<Event>]| trip_after(reports).quotes[quote].received.as_ref().unwrap().changed.at;
    let created = began_at() + TimeDelta::seconds(5);
    assert_eq!(changed_at(&[quote_message(5, 100)]), created);
    assert_eq!(changed_at(&[quote_message(5, 100), quote_message(9, 100)]), created);
    assert_eq!(
        changed_at(&[quote_message(5, 100), quote_message(7, 90), quote_message(9, 90)]),
        began_at() + TimeDelta::seconds(7)
    );
}
