//! A missing or odd part makes a smaller event and loses none.

use serde_json::{Value, json};

use super::support::{at, began_at, events, price, quote_of, quotes, read, resource};
use crate::documents;
use ingest_domain::event::{EventKind, Party};

fn message_with(part: &str, odd: Value) -> Value {
    let mut data = json!({
        "tripId": "A1B2C3", "createdOn": "2026-01-31T10:00:00Z",
        "sellerCompany": {"id": "acompany-4711", "displayName": "Northwind Jets"},
        "sellerQuote": {"id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "sellerPrice": {"price": 1, "currency": "USD"}},
        "lift": [{"aircraftType": "Light jet", "aircraftTail": "N1", "links": {"quotes": [{"id": "aquote-1"}]}}],
        "links": {"rfqs": [{"id": "arfq-1"}]},
    });
    data[part] = odd;
    data
}

/// Every part except the quote itself, odd in every way.
#[test]
fn an_odd_part_never_loses_a_quote() {
    let odd = [
        Value::Null,
        json!(""),
        json!(" x "),
        json!(7),
        json!(-1.5e300),
        json!(true),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null, {"id": null}]),
        json!({"id": {"id": 1}}),
        json!("x".repeat(300)),
    ];
    for part in [
        "tripId",
        "trip",
        "createdOn",
        "updatedOn",
        "sellerCompany",
        "lift",
        "links",
        "type",
        "meta",
    ] {
        // A trip id with a fraction is an error: it may be another trip.
        for odd in odd.iter().filter(|odd| !(part.starts_with("trip") && odd.is_f64())) {
            let data = message_with(part, odd.clone());
            let document = read("tripmsgs/asellermsg-1", &data);
            let details = quote_of(&document);
            assert_eq!(
                (details.quote.as_str(), &details.price),
                ("aquote-1", &price("1", "USD")),
                "{part}: {odd}"
            );
        }
    }
}

#[test]
fn a_quote_is_parsed_in_every_known_shape() {
    for (parsed, id, amount) in [
        (
            json!({"id": 386512791, "sellerPrice": {"price": "12000.50", "currency": "usd"}}),
            "386512791",
            Some("12000.5"),
        ),
        (
            json!([{"id": "aquote-1", "sellerPrice": [{"price": 1.2e4, "currency": "USD"}]}]),
            "aquote-1",
            Some("12000"),
        ),
        (
            json!({"id": "aquote-1", "sellerPrice": 12000, "currency": "USD"}),
            "aquote-1",
            Some("12000"),
        ),
        (
            json!({"href": "https://sandbox.avinode.com/api/quotes/aquote-1?x=1#y"}),
            "aquote-1",
            None,
        ),
        (json!("aquote-1"), "aquote-1", None),
        (
            json!({"id": "aquote-1", "sellerPrice": {"price": "POA", "currency": "USD"}}),
            "aquote-1",
            None,
        ),
        (
            json!({"id": "aquote-1", "sellerPrice": {"price": 0, "currency": "USD"}}),
            "aquote-1",
            None,
        ),
        (json!({"id": "aquote-1", "sellerPrice": {"price": 5}}), "aquote-1", None),
        (
            json!({"id": "aquote-1", "sellerPrice": {"price": {"amount": 5}, "currency": "USD"}}),
            "aquote-1",
            None,
        ),
        (
            json!({"id": "aquote-1", "totalPrice": {"amount": 5, "currency": "USD"}}),
            "aquote-1",
            Some("5"),
        ),
    ] {
        let document = read("tripmsgs/asellermsg-1", &message_with("sellerQuote", parsed.clone()));
        let details = quote_of(&document);
        assert_eq!(details.quote.as_str(), id, "{parsed}");
        assert_eq!(
            details.price,
            amount.and_then(|amount| price(amount, "USD")),
            "{parsed}"
        );
        assert_eq!(document.missing.len(), usize::from(amount.is_none()), "{parsed}");
    }
}

#[test]
fn names_are_parsed_from_texts_and_objects() {
    for (company, id, name) in [
        (json!("Northwind"), None, Some("Northwind")),
        (
            json!({"displayName": "Northwind", "name": "NW"}),
            None,
            Some("Northwind"),
        ),
        (json!({"id": 4711, "name": "NW"}), Some("4711"), Some("NW")),
        (
            json!([{"companyId": "c-1", "id": "u-1", "companyName": "NW", "name": "A. Person"}]),
            Some("c-1"),
            Some("NW"),
        ),
        (json!({"id": "x".repeat(201)}), None, None),
        (json!({"id": " ", "name": "\u{1b}"}), None, None),
    ] {
        let parsed = read(
            "rfqs/arfq-1",
            &json!({"sellerCompany": company, "sellerLift": [{"sourcingStatus": 2, "latestQuote": "q"}]}),
        );
        let operator = quote_of(&parsed).operator;
        assert_eq!(
            operator,
            Party {
                id: id.map(Into::into),
                name: name.map(Into::into)
            },
            "{company}"
        );
    }
}

#[test]
fn an_object_stands_for_a_list_of_one_and_an_invalid_id_is_none() {
    assert_eq!(
        quotes(&events(
            "rfqs/arfq-1",
            &json!({"sellerLift": {"sourcingStatus": 2, "latestQuote": {"id": "q"}}})
        ))
        .len(),
        1
    );
    let long = "x".repeat(201);
    let document = read(
        "tripmsgs/asellermsg-1",
        &json!({"tripId": long, "links": {"rfqs": [long]}}),
    );
    assert!(matches!(document.events[0].kind, EventKind::MessageReceived { .. }));
    assert_eq!(
        (document.trip_ids.len(), document.rfq, document.missing.len()),
        (0, None, 0)
    );
}

#[test]
fn every_name_of_an_update_timestamp_orders_and_an_ambiguous_time_does_not() {
    let with = |key: &str, stamp: &str| {
        let parsed = events(
            "quotes/aquote-1",
            &json!({"createdOn": "2026-01-31T10:00:00Z", key: stamp}),
        );
        parsed.last().unwrap().version.at
    };
    for key in [
        "updatedOn",
        "modifiedOn",
        "lastModifiedOn",
        "lastUpdatedOn",
        "lastModified",
        "lastUpdated",
        "updatedAt",
        "modifiedAt",
    ] {
        assert_eq!(
            with(key, "2026-01-31 11:00+00:00"),
            Some(at("2026-01-31T11:00:00Z")),
            "{key}"
        );
    }
    for none in ["2026-01-31", "yesterday", "", "0001-01-01T00:00:00"] {
        assert_eq!(with("updatedOn", none), None, "{none}");
    }
}

#[test]
fn only_data_that_is_not_an_object_is_an_error() {
    for path in [
        "tripmsgs/asellermsg-1",
        "rfqs/arfq-1",
        "quotes/aquote-1",
        "trips/atrip-1",
    ] {
        let resource = resource(path);
        for data in [json!(null), json!([]), json!("x"), json!(7), json!([[{}]]), json!([{}])] {
            let parsed = documents::read(&resource, &data, began_at()).unwrap_err().to_string();
            assert!(parsed.contains(&resource.to_string()), "{parsed}");
        }
        assert!(documents::read(&resource, &json!({}), began_at()).is_ok());
    }
    assert_eq!(events("trips/atrip-1", &json!({})), []);
}
