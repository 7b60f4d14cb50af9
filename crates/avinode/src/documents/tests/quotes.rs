//! Quotes fetched by their own id.

use serde_json::{Value, json};

use super::support::{decline, events, observed, price, read, rfq_id};
use ingest_domain::event::{EventKind, Party, QuoteOrigin};
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
    let parsed = |generated: Value, lift: Value| {
        events(
            "quotes/aquote-1",
            &json!({"sellerPrice": {"price": 1, "currency": "EUR"}, "lift": lift, "avinodeGenerated": generated}),
        )
    };
    let [made_by_seller, by_avinode] =
        [QuoteOrigin::NotGenerated, QuoteOrigin::Generated].map(|origin| EventKind::QuoteOrigin {
            quote: QuoteId::parse("aquote-1").unwrap(),
            rfq: None,
            origin,
        });
    let open = json!({"sourcingStatus": 1, "sourcingDisplayStatus": "Unanswered"});
    let bare = json!({"aircraftType": "Light jet"});
    let accepted = json!({"sourcingStatus": 2});
    for (generated, lift, origin, is_received) in [
        (Value::Null, &open, &made_by_seller, None),
        (Value::Null, &bare, &made_by_seller, Some(false)),
        (Value::Null, &accepted, &made_by_seller, Some(true)),
        (json!(false), &accepted, &made_by_seller, Some(true)),
        (json!(true), &accepted, &by_avinode, Some(false)),
        (json!("true"), &bare, &by_avinode, Some(false)),
    ] {
        let events = parsed(generated.clone(), lift.clone());
        assert_eq!(&events[0].kind, origin, "{generated} {lift}");
        let received = events
            .get(1)
            .map(|event| matches!(event.kind, EventKind::QuoteReceived(_)));
        assert_eq!(received, is_received, "{generated} {lift}");
    }
    // A decline does not confirm a quote: the seller may have declined a generated price.
    let declined = parsed(Value::Null, json!({"sourcingStatus": 3}));
    assert!(matches!(declined[1].kind, EventKind::QuoteObserved(_)));
    assert_eq!(decline(&declined[2]), (None, Some("aquote-1"), None));
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
