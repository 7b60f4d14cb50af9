//! Quotes fetched by their own id.

use serde_json::json;

use super::support::{decline, events, observed, price, read, rfq_id};
use crate::documents::UnassignedEvent;
use ingest_domain::event::{EventKind, Party};
use ingest_domain::ids::QuoteId;

#[test]
fn the_trip_of_a_quote_can_be_found_by_its_id_and_its_rfq() {
    let document = read(
        "quotes/aquote-1",
        &json!({
            "id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "sellerMessage": "Subject to availability",
            "sellerPrice": {"price": "12000.10", "currency": "eur"},
            "sellerPriceWithoutCommission": {"price": 11000, "currency": "EUR"},
            "lift": {"aircraftType": "Light jet"},
        }),
    );
    assert_eq!((document.trip_ids.len(), document.rfq.clone()), (0, None));
    assert_eq!(document.quote, Some(QuoteId::parse("aquote-1").unwrap()));
    let details = observed(&document);
    assert_eq!(details.price, price("12000.1", "EUR"));
    assert_eq!(
        (details.aircraft_type.as_deref(), &details.operator),
        (Some("Light jet"), &Party::default())
    );
    let linked = read("quotes/aquote-1", &json!({"links": {"rfqs": {"id": "arfq-1"}}}));
    assert_eq!(
        (linked.rfq.clone(), observed(&linked).rfq),
        (Some(rfq_id("arfq-1")), Some(rfq_id("arfq-1")))
    );
    assert_eq!(
        linked.missing[0].to_string(),
        "rfqs/arfq-1",
        "nothing else names the trip"
    );
}

#[test]
fn a_generated_price_is_not_a_received_quote() {
    let parsed = |lift: serde_json::Value| {
        events(
            "quotes/aquote-1",
            &json!({"sellerPrice": {"price": 1, "currency": "EUR"}, "lift": lift}),
        )
    };
    assert_eq!(
        parsed(json!({"sourcingStatus": 1, "sourcingDisplayStatus": "Unanswered"})),
        []
    );
    let accepted = parsed(json!({"sourcingStatus": 2}));
    assert!(
        matches!(
            &accepted[..],
            [UnassignedEvent {
                kind: EventKind::QuoteReceived(_),
                ..
            }]
        ),
        "{accepted:?}"
    );
    let bare = parsed(json!({"aircraftType": "Light jet"}));
    assert!(
        matches!(
            &bare[..],
            [UnassignedEvent {
                kind: EventKind::QuoteObserved(_),
                ..
            }]
        ),
        "{bare:?}"
    );
    // A decline does not confirm a quote: the seller may have declined a generated price.
    let declined = parsed(json!({"sourcingStatus": 3}));
    assert!(matches!(declined[0].kind, EventKind::QuoteObserved(_)));
    assert_eq!(decline(&declined[1]), (None, Some("aquote-1"), None));
}

#[test]
fn an_unconfirmed_quote_reports_its_rfq_as_missing() {
    let data =
        |lift: serde_json::Value| json!({"tripId": "A1B2C3", "lift": lift, "links": {"rfqs": [{"id": "arfq-1"}]}});
    let bare = read("quotes/aquote-1", &data(json!({"aircraftType": "Light jet"})));
    assert_eq!(bare.missing[0].to_string(), "rfqs/arfq-1");
    assert!(bare.has_unconfirmed_quote());
    let accepted = read("quotes/aquote-1", &data(json!({"sourcingDisplayStatus": "Accepted"})));
    assert_eq!((accepted.missing.len(), accepted.has_unconfirmed_quote()), (0, false));
}

#[test]
fn the_price_without_commission_is_ignored() {
    let data = json!({"sellerPriceWithoutCommission": {"price": 11000, "currency": "EUR"}});
    assert_eq!(observed(&read("quotes/aquote-1", &data)).price, None);
}
