//! Messages: quotes, chat and their senders.

use serde_json::json;

use super::support::{at, began_at, events, observed, price, read, resource, rfq_id, trip_ids};
use crate::documents::{self, UnassignedEvent};
use ingest_domain::event::{EventKind, FactSource, Party, QuoteDescription, QuoteDetails, QuoteOrigin};
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
    // A newer price under the same id is in a newer message, whatever the creation time of the quote.
    let written_at = Some(at("2026-01-31T10:00:01Z"));
    assert_eq!((event.version.at, event.version.seen_at), (written_at, began_at()));
    assert_eq!(event.version.source, FactSource::Document);
    let expected = QuoteDetails {
        quote: QuoteId::parse("aquote-386512791").unwrap(),
        rfq: Some(rfq_id("arfq-12345678")),
        price: price("45250.5", "USD"),
        unread_price: None,
        operator: Party {
            id: Some("acompany-4711".into()),
            name: Some("Northwind Jets".into()),
        },
        aircraft_type: Some("Light jet".into()),
        aircraft_tail: Some("N123XX".into()),
        valid_until: None,
        created_at: Some(at("2026-01-31T10:00:00Z")),
        description: QuoteDescription::default(),
    };
    assert_eq!(event.kind, EventKind::QuoteReceived(expected));
}

#[test]
fn an_update_timestamp_orders_a_quote_and_its_creation_is_part_of_it() {
    let parsed = events(
        "tripmsgs/asellermsg-1",
        &json!({"sellerQuote": {"id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "updatedOn": "2026-01-31T11:00:00Z"}}),
    );
    let [received] = &parsed[..] else { panic!("{parsed:?}") };
    let EventKind::QuoteReceived(details) = &received.kind else {
        panic!("{received:?}")
    };
    assert_eq!(details.created_at, Some(at("2026-01-31T10:00:00Z")));
    assert_eq!(
        (received.at, received.version.at),
        (Some(at("2026-01-31T11:00:00Z")), Some(at("2026-01-31T11:00:00Z")))
    );
}

/// It may be one that Avinode generated, so it is fetched.
#[test]
fn a_quote_without_an_id_is_the_only_one_that_the_lifts_link() {
    let with = |quotes: serde_json::Value| {
        read(
            "tripmsgs/asellermsg-1",
            &json!({"sellerQuote": {"sellerPrice": {"price": 1, "currency": "EUR"}},
                "lift": [{"links": {"quotes": quotes}}], "links": {"rfqs": [{"id": "arfq-1"}]}}),
        )
    };
    let document = with(json!([{"id": "aquote-1"}]));
    assert_eq!(observed(&document).price, price("1", "EUR"));
    assert!(
        document.events.iter().any(|event| {
            let EventKind::QuoteOrigin { quote, origin, .. } = &event.kind else {
                return false;
            };
            (quote.as_str(), *origin) == ("aquote-1", QuoteOrigin::AcceptedLift)
        }),
        "{document:?}"
    );
    let missing: Vec<String> = document.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["rfqs/arfq-1", "quotes/aquote-1"]);
}

#[test]
fn a_quote_that_cannot_be_identified_is_an_error() {
    for quotes in [
        json!([{"id": "aquote-1"}, {"id": "aquote-2"}]),
        json!([]),
        json!([{"id": 7.5}]),
    ] {
        let data = json!({"sellerQuote": {"sellerPrice": {"price": 1, "currency": "EUR"}},
            "lift": [{"links": {"quotes": quotes}}], "links": {"rfqs": [{"id": "arfq-1"}]}});
        let error = documents::read(&resource("tripmsgs/asellermsg-1"), &data, began_at()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the sellerQuote of tripmsgs/asellermsg-1 has no id"),
            "{error}"
        );
    }
}

/// The text and the seller's own word decide; the status of the lift is that of today.
#[test]
fn a_message_beside_a_declined_lift_is_a_decline_only_if_it_says_so() {
    let kinds = |part: &str, value: serde_json::Value| {
        let mut data = json!({"lift": [{"sourcingStatus": 3}], "links": {"rfqs": [{"id": "arfq-1"}]}});
        data[part] = value;
        let document = read("tripmsgs/asellermsg-1", &data);
        let kind = |event: &UnassignedEvent| match &event.kind {
            EventKind::RfqDeclined { .. } => "declined",
            EventKind::MessageReceived { .. } => "message",
            other => panic!("{other:?}"),
        };
        let kinds: Vec<&str> = document.events.iter().map(kind).collect();
        (
            kinds.join(" "),
            document
                .missing
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    let words = |kinds: &str, missing: &str| (kinds.to_owned(), missing.to_owned());
    assert_eq!(kinds("type", json!("tripmsgs")).0, "declined");
    for text in ["message", "content"] {
        assert_eq!(
            kinds(text, json!("Perhaps on Tuesday?")),
            words("message", "rfqs/arfq-1")
        );
    }
    assert_eq!(kinds("rfqAccepted", json!(true)), words("message", "rfqs/arfq-1"));
    for refused in [json!(false), json!("False")] {
        assert_eq!(kinds("rfqAccepted", refused).0, "declined");
    }
    let refused = json!({"rfqAccepted": false, "message": "Sorry.", "links": {"rfqs": [{"id": "arfq-1"}]}});
    let events = events("tripmsgs/asellermsg-1", &refused);
    assert!(matches!(events[0].kind, EventKind::RfqDeclined { .. }));
    assert!(matches!(&events[1].kind, EventKind::MessageReceived { text: Some(text), .. } if text == "Sorry."));
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
    assert_eq!(kinds(chat), ["message"]);
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
        let EventKind::MessageReceived {
            message, sender, rfq, ..
        } = &event.kind
        else {
            panic!("{event:?}")
        };
        assert_eq!(*message, MessageId::parse(id).unwrap());
        assert_eq!((sender.name.as_deref(), rfq.as_ref()), (name, None), "{data}");
        assert_eq!(
            (event.at, event.version.at, event.version.seen_at),
            (None, None, began_at())
        );
    }
}
