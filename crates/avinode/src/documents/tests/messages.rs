//! Messages: quotes, chat and their senders.

use serde_json::json;

use super::support::{at, began_at, events, price, quote_of, read, rfq_id, trip_ids};
use crate::documents::UnassignedEvent;
use ingest_domain::event::{EventKind, FactSource, Party, QuoteDescription, QuoteDetails};
use ingest_domain::ids::{MessageId, QuoteId};

#[test]
fn a_message_with_a_sellers_quote_is_a_quote() {
    let document = read(
        "tripmsgs/asellermsg-1000000007",
        &json!({
            "id": "asellermsg-1000000007",
            "href": "https://sandbox.avinode.com/api/tripmsgs/asellermsg-1000000007",
            "type": "tripmsgs",
            "createdOn": "2026-01-31T10:00:01.000Z",
            "tripId": "a1b2c3",
            "sellerCompany": {"id": "acompany-4711", "displayName": "Northwind Jets", "name": "NWJ"},
            "sellerQuote": {
                "id": "aquote-386512791",
                "createdOn": "2026-01-31T10:00:00Z",
                "sellerPrice": {"price": 45250.50, "currency": "USD"},
            },
            "lift": [{"aircraftType": "Light jet", "aircraftTail": "N123XX",
                "links": {"quotes": [{"id": "aquote-386512791", "type": "quotes"}]}}],
            "links": {"rfqs": [{"id": "arfq-12345678", "type": "rfqs"}], "trips": [{"id": "atrip-64956150"}]},
        }),
    );
    assert_eq!(trip_ids(&document), ["A1B2C3", "atrip-64956150"]);
    assert_eq!(
        (document.rfq, document.missing, document.children),
        (Some(rfq_id("arfq-12345678")), vec![], vec![])
    );
    assert_eq!(document.quote, Some(QuoteId::parse("aquote-386512791").unwrap()));
    let [event] = &document.events[..] else {
        panic!("{:?}", document.events)
    };
    assert_eq!(event.at, Some(at("2026-01-31T10:00:00Z")));
    // A changed price keeps the creation timestamp, so the time of the GET orders it.
    assert_eq!(event.version.at, Some(began_at()));
    assert_eq!(event.version.source, FactSource::Document);
    let expected = QuoteDetails {
        quote: QuoteId::parse("aquote-386512791").unwrap(),
        rfq: Some(rfq_id("arfq-12345678")),
        price: price("45250.5", "USD"),
        operator: Party {
            id: Some("acompany-4711".into()),
            name: Some("Northwind Jets".into()),
        },
        aircraft_type: Some("Light jet".into()),
        aircraft_tail: Some("N123XX".into()),
        valid_until: None,
        description: QuoteDescription::default(),
    };
    assert_eq!(event.kind, EventKind::QuoteReceived(expected));
}

#[test]
fn an_update_timestamp_orders_a_quote_and_the_creation_is_reported_as_well() {
    let parsed = events(
        "tripmsgs/asellermsg-1",
        &json!({"sellerQuote": {"id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "updatedOn": "2026-01-31T11:00:00Z"}}),
    );
    let [made, received] = &parsed[..] else {
        panic!("{parsed:?}")
    };
    assert!(matches!(made.kind, EventKind::QuoteReaffirmed { .. }));
    assert_eq!(
        (made.at, made.version.at),
        (Some(at("2026-01-31T10:00:00Z")), Some(at("2026-01-31T10:00:00Z")))
    );
    assert_eq!(
        (received.at, received.version.at),
        (Some(at("2026-01-31T11:00:00Z")), Some(at("2026-01-31T11:00:00Z")))
    );
}

#[test]
fn a_quote_without_an_id_is_the_only_one_that_the_lifts_link() {
    let with = |quotes: serde_json::Value| {
        read(
            "tripmsgs/asellermsg-1",
            &json!({"sellerQuote": {"sellerPrice": {"price": 1, "currency": "EUR"}},
                "lift": [{"links": {"quotes": quotes}}], "links": {"rfqs": [{"id": "arfq-1"}]}}),
        )
    };
    assert_eq!(quote_of(&with(json!([{"id": "aquote-1"}]))).quote.as_str(), "aquote-1");
    // Several quotes are ambiguous: the message is chat, and the RFQ may show the quote.
    let several = with(json!([{"id": "aquote-1"}, {"id": "aquote-2"}]));
    assert!(matches!(several.events[0].kind, EventKind::MessageReceived { .. }));
    assert_eq!(several.missing[0].to_string(), "rfqs/arfq-1");
}

#[test]
fn a_buyer_neither_quotes_nor_declines() {
    let data = json!({
        "createdOn": "2026-01-31T10:00:00Z", "content": "A pity. Could you do Tuesday?", "declineReason": "OTHER",
        "sellerQuote": {"id": "aquote-1", "sellerPrice": {"price": 1, "currency": "USD"}},
        "lift": [{"sourcingStatus": 3, "links": {"quotes": [{"id": "aquote-1"}]}}], "links": {"rfqs": [{"id": "arfq-1"}]},
    });
    let document = read("tripmsgs/abuyermsg-1000000023", &data);
    let [message] = &document.events[..] else {
        panic!("{document:?}")
    };
    assert!(matches!(&message.kind, EventKind::MessageReceived { rfq: Some(rfq), .. } if *rfq == rfq_id("arfq-1")));
    assert_eq!(message.at, Some(at("2026-01-31T10:00:00Z")));
    assert_eq!(document.quote, Some(QuoteId::parse("aquote-1").unwrap()));
    let as_seller = events("tripmsgs/asellermsg-1", &data);
    assert!(matches!(as_seller[0].kind, EventKind::QuoteReceived(_)));
}

#[test]
fn a_sellers_text_is_a_chat_message_whatever_else_the_message_carries() {
    let kinds = |data: serde_json::Value| -> Vec<&'static str> {
        let parsed = events("tripmsgs/asellermsg-1", &data);
        let kind = |event: &UnassignedEvent| match event.kind {
            EventKind::QuoteReceived(_) => "quote",
            EventKind::RfqDeclined { .. } => "decline",
            EventKind::MessageReceived { .. } => "message",
            _ => "other",
        };
        parsed.iter().map(kind).collect()
    };
    let declined = json!([{"sourcingStatus": 3}]);
    let rfqs = json!({"rfqs": [{"id": "arfq-1"}]});
    let chat = json!({"content": "We may have another one.", "lift": declined, "links": rfqs});
    assert_eq!(kinds(chat), ["decline", "message"]);
    assert_eq!(
        kinds(json!({"content": "  ", "lift": declined, "links": rfqs})),
        ["decline"]
    );
    assert_eq!(
        kinds(json!({"content": "Here you are.", "sellerQuote": {"id": "aquote-1"}})),
        ["quote", "message"]
    );
    assert_eq!(kinds(json!({"content": "Hello", "links": rfqs})), ["message"]);
}

#[test]
fn every_other_message_is_chat() {
    for (id, data, name) in [
        (
            "asellermsg-1",
            json!({"content": "Hello", "sellerCompany": {"id": "c-1", "displayName": "Northwind"}}),
            Some("Northwind"),
        ),
        (
            "asellermsg-1",
            json!({"sellerQuote": null, "sellerDecline": null, "declineReason": ""}),
            None,
        ),
        (
            "asellermsg-1",
            json!({"sellerQuote": {}, "sellerDecline": {}, "lift": []}),
            None,
        ),
        (
            "asellermsg-1",
            json!({"sellerQuote": {"id": null}, "lift": [{"sourcingStatus": 1}]}),
            None,
        ),
        (
            "abuyermsg-1",
            json!({"buyerCompany": "Us", "sellerCompany": "Them"}),
            Some("Us"),
        ),
        ("asellermsg-1", json!({}), None),
    ] {
        let parsed = events(&format!("tripmsgs/{id}"), &data);
        let [event] = &parsed[..] else { panic!("{parsed:?}") };
        let EventKind::MessageReceived { message, sender, rfq } = &event.kind else {
            panic!("{event:?}")
        };
        assert_eq!(*message, MessageId::parse(id).unwrap());
        assert_eq!((sender.name.as_deref(), rfq.as_ref()), (name, None), "{data}");
        assert_eq!((event.at, event.version.at), (None, Some(began_at())));
    }
}
