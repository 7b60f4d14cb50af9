//! A story of a few quotes at Avinode, told by documents fetched at any moments and by a relay's events: in whatever order,
//! however often and in however many parts it is heard, the same is known in the end.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bodies::{began, resource};
use crate::avinode::documents;
use crate::avinode::full_event::events;
use crate::avinode::notification::Notification;
use crate::domain::event::Event;
use crate::domain::ids::TripId;
use crate::domain::trip::{ChangedFacts, Provenance, TripFacts};

/// What Avinode shows of a quote at a moment.
#[derive(Debug, Clone)]
struct Shown {
    second: i64,
    quote: u8,
    price: Option<i64>,
    updated: bool,
    answer: u8,
}

fn stamp(second: i64) -> String {
    (began() + TimeDelta::seconds(second)).to_rfc3339()
}

fn priced(shown: &Shown) -> Value {
    let mut quote = json!({
        "id": format!("aquote-{}", shown.quote), "createdOn": stamp(i64::from(shown.quote)),
        "sellerPrice": shown.price.map(|price| json!({"price": price, "currency": "USD"})),
    });
    if shown.updated {
        quote["updatedOn"] = json!(stamp(shown.second / 2));
    }
    quote
}

/// One document or event about it.
fn told(shown: &Shown, by: u8) -> Vec<Event> {
    let trip = TripId::parse("A1B2C3").unwrap();
    let began_at: DateTime<Utc> = began() + TimeDelta::seconds(shown.second);
    let (path, data) = match by {
        0 => (
            format!("tripmsgs/asellermsg-{}", shown.quote),
            json!({"sellerQuote": priced(shown), "links": {"rfqs": [{"id": "arfq-1"}]}}),
        ),
        1 => (
            "rfqs/arfq-1".to_owned(),
            json!({"sellerCompany": "Northwind", "canceled": shown.answer == 4, "sellerLift": [
                {"sourcingStatus": shown.answer, "aircraftTail": "N1", "latestQuote": {"id": format!("aquote-{}", shown.quote)}}]}),
        ),
        2 => (format!("quotes/aquote-{}", shown.quote), priced(shown)),
        3 => (
            format!("tripmsgs/asellermsg-9{}", shown.second),
            json!({"createdOn": stamp(shown.second), "declineReason": "OTHER", "links": {"rfqs": [{"id": "arfq-1"}]}}),
        ),
        _ => {
            let body = json!({"event": "TripRequestSellerResponse", "timestamp": stamp(shown.second), "data": {
                "tripId": "A1B2C3", "request": {"id": "arfq-1", "status": if shown.answer == 3 { "declined" } else { "quoted" }},
                "quote": {"id": format!("aquote-{}", shown.quote),
                    "totalPrice": shown.price.map(|price| json!({"amount": price, "currency": "USD"}))}}});
            let Ok(Notification::Full(full)) = Notification::parse(body.to_string().as_bytes()) else {
                panic!("{body}")
            };
            return events(&full).unwrap();
        }
    };
    documents::read(&resource(&path), &data, began_at)
        .unwrap()
        .events(&trip)
}

fn story() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let shown = (
        0..12_i64,
        1..4_u8,
        prop::option::weighted(0.8, 1..4_i64),
        any::<bool>(),
        1..5_u8,
    )
        .prop_map(|(second, quote, price, updated, answer)| Shown {
            second,
            quote,
            price,
            updated,
            answer,
        });
    prop::collection::vec((shown, 0..5_u8).prop_map(|(shown, by)| told(&shown, by)), 0..16)
}

fn learned<'a>(heard: impl IntoIterator<Item = &'a Vec<Event>>) -> TripFacts {
    let mut trip = TripFacts::default();
    for event in heard.into_iter().flatten() {
        trip.learn(event, Provenance::Notified(began()), &mut ChangedFacts::default());
    }
    trip
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_order_repetition_and_split_of_documents_and_events_ends_in_the_same_facts(
        (heard, again, parts) in story().prop_flat_map(|heard| {
            let twice: Vec<Vec<Event>> = heard.iter().chain(&heard).cloned().collect();
            let parts = prop::collection::vec(0..3_usize, twice.len());
            (Just(heard), Just(twice).prop_shuffle(), parts)
        })
    ) {
        let whole = learned(&heard);
        prop_assert_eq!(&whole, &learned(&again));
        let part = |number: usize| learned(again.iter().zip(&parts).filter(|(_, part)| **part == number).map(|(heard, _)| heard));
        prop_assert_eq!(&whole, &part(0).with([&part(1), &part(2)]));
    }
}

fn message(second: i64, price: i64) -> Vec<Event> {
    let shown = Shown {
        second,
        quote: 1,
        price: Some(price),
        updated: false,
        answer: 2,
    };
    told(&shown, 0)
}

/// Fetched again without news, a quote is no younger: an answer that was declined since stays so, and `latest` goes on
/// proposing another one.
#[test]
fn a_document_that_is_fetched_again_makes_nothing_young() {
    let quote = &crate::domain::ids::QuoteId::parse("aquote-1").unwrap();
    let news = |heard: &[Vec<Event>]| learned(heard).quotes[quote].fact.as_ref().unwrap().news_at;
    let first = began() + TimeDelta::seconds(1);
    assert_eq!(news(&[message(5, 100)]), Some(first), "as old as its creation stamp");
    assert_eq!(news(&[message(5, 100), message(9, 100)]), Some(first));
    assert_eq!(
        news(&[message(5, 100), message(7, 90), message(9, 90)]),
        Some(began() + TimeDelta::seconds(7))
    );
}

/// A lift shows the aircraft, a message the price: none of them takes away what the other said.
#[test]
fn what_one_kind_of_document_leaves_out_stands_as_another_has_it() {
    let shown = Shown {
        second: 9,
        quote: 1,
        price: None,
        updated: false,
        answer: 2,
    };
    for heard in [
        vec![message(5, 100), told(&shown, 1)],
        vec![told(&shown, 1), message(5, 100)],
    ] {
        let trip = learned(&heard);
        let details = &trip.quotes.values().next().unwrap().fact.as_ref().unwrap().details;
        assert_eq!(details.price, super::price("100", "USD"));
        assert_eq!(
            (details.aircraft_tail.as_deref(), details.operator.name.as_deref()),
            (Some("N1"), Some("Northwind"))
        );
    }
}

/// Whatever a seller writes about a lift that was declined, it is declined once, and each text is a message.
#[test]
fn chat_about_what_was_declined_declines_nothing_anew() {
    let trip_id = TripId::parse("A1B2C3").unwrap();
    let heard = |number: u8, content: Option<&str>| {
        let data = json!({"createdOn": stamp(number.into()), "content": content,
            "lift": [{"sourcingStatus": 3}], "links": {"rfqs": [{"id": "arfq-1"}]}});
        let resource = resource(&format!("tripmsgs/asellermsg-{number}"));
        documents::read(&resource, &data, began()).unwrap().events(&trip_id)
    };
    let mut trip = TripFacts::default();
    let mut lines = |number, content| -> Vec<&'static str> {
        let events = heard(number, content);
        let learn = |event| trip.learn(event, Provenance::Notified(began()), &mut ChangedFacts::default());
        events.iter().filter_map(learn).map(|line| line.kind).collect()
    };
    assert_eq!(lines(1, None), ["rfq_declined"]);
    assert_eq!(lines(2, Some("Perhaps on Tuesday?")), ["message_received"]);
    assert_eq!(lines(3, Some("Or on Wednesday?")), ["message_received"]);
}

#[test]
fn a_document_that_says_nothing_new_gives_no_line_in_the_timeline() {
    fn quoted(second: i64) -> Shown {
        Shown {
            second,
            quote: 1,
            price: Some(1),
            updated: false,
            answer: 2,
        }
    }
    fn cancelled(second: i64) -> Shown {
        Shown {
            answer: 4,
            ..quoted(second)
        }
    }
    fn declined(second: i64) -> Shown {
        Shown {
            answer: 3,
            ..quoted(second)
        }
    }
    for (what, by) in [
        (quoted as fn(i64) -> Shown, 0),
        (quoted, 1),
        (quoted, 2),
        (cancelled, 1),
        (declined, 1),
    ] {
        let mut trip = learned(&[told(&what(5), by)]);
        for event in told(&what(9), by) {
            assert_eq!(
                trip.learn(&event, Provenance::Polled(began()), &mut ChangedFacts::default()),
                None,
                "{event:?}"
            );
        }
    }
    let mut trip = learned(&[message(5, 100)]);
    let changed = &message(9, 90)[0];
    assert_eq!(
        trip.learn(changed, Provenance::Polled(began()), &mut ChangedFacts::default())
            .unwrap()
            .kind,
        "quote_changed"
    );
}
