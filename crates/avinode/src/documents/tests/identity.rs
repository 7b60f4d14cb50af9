//! The requested resource in `data`, and documents that are not its own.

use serde_json::{Value, json};

use super::support::{began_at, read, resource, rfq_id, trip_ids};
use crate::documents;

fn error(path: &str, data: &Value) -> String {
    documents::read(&resource(path), data, began_at())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_list_is_searched_for_the_requested_resource_in_every_spelling_of_its_id() {
    for own in [
        json!({"id": "arfq-2", "tripId": "A1B2C3"}),
        json!({"id": 2, "tripId": "A1B2C3"}),
        json!({"id": "ARFQ-2", "tripId": "A1B2C3"}),
        json!({"href": "https://h/api/rfqs/arfq-2?x=1", "tripId": "A1B2C3"}),
    ] {
        let list = json!([null, {"id": "arfq-1", "tripId": "D4E5F6"}, own]);
        let document = read("rfqs/arfq-2", &list);
        assert_eq!(document.rfq, Some(rfq_id("arfq-2")));
        assert_eq!(document.trip_ids[0].as_str(), "A1B2C3");
    }
    let list = json!([{"id": "arfq-1"}, {"canceled": true}]);
    assert_eq!(
        error("rfqs/arfq-2", &list),
        "the data of rfqs/arfq-2, as fetched, is a list of 2 without an item of this id"
    );
}

#[test]
fn a_document_with_another_id_is_not_applied() {
    for (path, own) in [
        ("rfqs/arfq-2", json!({"id": "arfq-1"})),
        ("rfqs/arfq-2", json!({"id": "aquote-2"})),
        ("quotes/aquote-12", json!({"id": 2})),
        (
            "tripmsgs/asellermsg-1",
            json!({"href": "https://h/api/tripmsgs/asellermsg-3/"}),
        ),
        ("trips/atrip-1", json!({"id": "atrip-2", "tripId": "A1B2C3"})),
        ("trips/A1B2C3", json!({"id": "atrip-2", "tripId": "D4E5F6"})),
        ("trips/A1B2C3", json!({"id": "atrip-2"})),
    ] {
        let error = error(path, &own);
        assert!(
            error.contains(path) && error.ends_with("so it is not applied"),
            "{error}"
        );
    }
    for (path, own) in [
        ("rfqs/arfq-2", json!({"id": 2})),
        ("rfqs/arfq-2", json!({"id": "2"})),
        ("rfqs/arfq-2", json!({})),
        ("trips/atrip-1", json!({"id": "1"})),
    ] {
        read(path, &own);
    }
}

#[test]
fn data_within_data_is_an_error() {
    let nested = json!({"data": {"id": "arfq-1", "tripId": "A1B2C3"}});
    assert!(error("rfqs/arfq-1", &nested).contains("contains another data object"));
    read("rfqs/arfq-1", &json!({"id": "arfq-1", "data": {}}));
}

#[test]
fn parts_that_were_sent_and_not_understood_are_named() {
    let unread = |path: &str, data: &Value| {
        let document = read(path, data);
        document
            .unread
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        unread(
            "tripmsgs/asellermsg-1",
            &json!({"createdOn": "noon", "sellerQuote": {"id": "aquote-1", "validUntil": "tomorrow", "grandTotal": 5}})
        ),
        "data.createdOn \"noon\", data.sellerQuote.grandTotal \"5\", data.sellerQuote.validUntil \"tomorrow\""
    );
    assert_eq!(
        unread(
            "quotes/aquote-1",
            &json!({"updatedOn": "2026-01-31", "sellerPrice": {"price": "1.000,00", "currency": "EUR"}})
        ),
        "data.updatedOn \"2026-01-31\", data.sellerPrice.price \"1.000,00\""
    );
    assert_eq!(
        unread(
            "rfqs/arfq-1",
            &json!({"sellerLift": [{}, {"latestQuote": {"id": "aquote-1", "price": "POA"}}]})
        ),
        "data.sellerLift[1].latestQuote.price \"POA\""
    );
    assert_eq!(
        unread(
            "quotes/aquote-1",
            &json!({"createdOn": "2026-01-31T10:00:00Z", "validUntil": "2026-02-01"})
        ),
        ""
    );
}

#[test]
fn a_list_of_a_trips_rfqs_states_what_each_of_them_states() {
    let rfq = |id: &str, trip: &str| json!({"id": id, "tripId": trip});
    let list = json!([rfq("arfq-1", "A1B2C3"), {"id": 2}, {"id": "arfq-3", "links": {"trips": [{"id": "atrip-7"}]}}]);
    let document = read("rfqs/A1B2C3", &list);
    assert_eq!(trip_ids(&document), ["A1B2C3", "atrip-7"]);
    let requested: Vec<_> = document
        .events
        .iter()
        .map(|event| format!("{:?}", event.kind))
        .collect();
    assert_eq!(requested.len(), 3, "{requested:?}");
    assert_eq!(document.children.len(), 3);
    assert_eq!(document.missing, []);
    assert_eq!(trip_ids(&read("rfqs/atrip-7", &list)), ["atrip-7", "A1B2C3"]);
    // None so far.
    assert_eq!(read("rfqs/A1B2C3", &json!([])).events, []);

    let other = json!([rfq("arfq-1", "A1B2C3"), rfq("arfq-2", "D4E5F6")]);
    assert_eq!(
        error("rfqs/A1B2C3", &other),
        "the document fetched for rfqs/A1B2C3 has the id \"D4E5F6\", so it is not applied"
    );
    for odd in [
        json!([{"tripId": "A1B2C3"}]),
        json!(["arfq-1"]),
        json!([{"id": "aquote-1"}]),
    ] {
        assert!(error("rfqs/A1B2C3", &odd).contains("is not a JSON object"));
    }
}
