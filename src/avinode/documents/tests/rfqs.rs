//! RFQs: what was asked, how each lift stands, and the trap.

use serde_json::{Value, json};

use super::bodies::{at, began, decline, price, quotes, read, request, statements, trips};
use crate::avinode::documents::UnassignedEvent;
use crate::domain::event::{EventKind, TripStatus};

fn rfq(lifts: &Value) -> Value {
    json!({
        "id": "arfq-12345678", "type": "rfqs", "tripId": "A1B2C3", "createdOn": "2026-01-31T09:00:00Z",
        "buyerCompany": {"id": "acompany-900", "displayName": "Example Charter Brokers"}, "buyerAccount": {"id": "aaccount-901"},
        "sellerCompany": {"id": "acompany-4711", "displayName": "Northwind Jets"},
        "segments": [{"startAirport": {"icao": "KTEB"}, "paxCount": 4}],
        "sellerLift": lifts, "canceled": false,
        "links": {"trips": [{"id": "atrip-64956150"}], "tripmsgs": [{"id": "asellermsg-1"}]},
    })
}

fn of(lifts: &Value) -> Vec<UnassignedEvent> {
    statements("rfqs/arfq-12345678", &rfq(lifts))
}

fn declines(statements: &[UnassignedEvent]) -> Vec<(Option<&str>, Option<&str>, Option<&str>)> {
    let declined = statements
        .iter()
        .filter(|said| matches!(said.what, EventKind::RfqDeclined { .. }));
    declined.map(decline).collect()
}

#[test]
fn an_rfq_was_asked_and_shows_both_ids_of_its_trip() {
    let reading = read(
        "rfqs/arfq-12345678",
        &rfq(&json!([{"sourcingStatus": 1, "sourcingDisplayStatus": "Unanswered"}])),
    );
    assert_eq!(trips(&reading), ["A1B2C3", "atrip-64956150"]);
    assert_eq!(reading.request, Some(request("arfq-12345678")));
    assert_eq!(reading.children[0].to_string(), "tripmsgs/asellermsg-1");
    let [asked] = &reading.statements[..] else {
        panic!("{:?}", reading.statements)
    };
    assert_eq!(
        asked.what,
        EventKind::TripRequested {
            request: request("arfq-12345678")
        }
    );
    assert_eq!(asked.at, Some(at("2026-01-31T09:00:00Z")));
    assert_eq!((reading.missing.len(), reading.quote), (0, None));
}

#[test]
fn an_answered_lift_with_a_quote_of_its_own_is_a_quote_that_stands() {
    let said = of(&json!([{
        "sourcingStatus": 2, "sourcingDisplayStatus": "Accepted", "aircraftType": "Light jet", "aircraftTail": "N123XX", "maxPax": 7,
        "links": {"quotes": [{"id": "aquote-9"}, {"id": "aquote-1"}]},
        "latestQuote": {"id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "sellerPrice": {"price": 18500.5, "currency": "USD"}},
    }]));
    let [_, received, stands] = &said[..] else {
        panic!("{said:?}")
    };
    let EventKind::QuoteReceived(details) = &received.what else {
        panic!("{received:?}")
    };
    assert_eq!(
        (details.quote.as_str(), &details.price),
        ("aquote-1", &price("18500.5", "USD"))
    );
    assert_eq!(details.request, Some(request("arfq-12345678")));
    assert_eq!(details.operator.name.as_deref(), Some("Northwind Jets"));
    assert_eq!(
        (details.aircraft_type.as_deref(), details.aircraft_tail.as_deref()),
        (Some("Light jet"), Some("N123XX"))
    );
    assert_eq!(
        (received.at, received.version.at),
        (Some(at("2026-01-31T10:00:00Z")), Some(began()))
    );
    let EventKind::QuoteReaffirmed { quote, .. } = &stands.what else {
        panic!("{stands:?}")
    };
    assert_eq!(
        (quote.as_str(), stands.at, stands.version.at),
        ("aquote-1", None, Some(began()))
    );
}

#[test]
fn links_to_several_quotes_are_no_quotes() {
    let several = json!({"quotes": [{"id": "aquote-1"}, {"id": "aquote-2"}]});
    for lift in [
        json!({"sourcingStatus": 2, "links": several}),
        json!({"sourcingStatus": 1, "links": {"quotes": [{"id": "aquote-1"}]}}),
        json!({"sourcingDisplayStatus": "Unanswered", "latestQuote": {"id": "aquote-1"}}),
        json!({"links": {"quotes": {"id": "aquote-1"}}}),
        json!({"sourcingStatus": 2, "links": {"quotes": []}}),
        json!({"sourcingStatus": 2}),
    ] {
        assert_eq!(quotes(&of(&json!([lift]))).len(), 0, "{lift}");
    }
    for lift in [
        json!({"sourcingStatus": 2, "links": several, "latestQuote": {"id": "aquote-2"}}),
        json!({"sourcingStatus": "2", "links": {"quotes": [{"id": "aquote-2"}, {"id": "aquote-2"}]}}),
        json!({"sourcingDisplayStatus": "ACCEPTED", "links": {"quotes": {"href": "https://h/api/quotes/aquote-2"}}}),
        json!({"sourcingStatus": 2, "latestQuote": "aquote-2"}),
        json!({"sourcingStatus": 2.0, "latestQuote": [{"id": "aquote-2"}]}),
    ] {
        let said = of(&json!([lift]));
        assert_eq!(
            quotes(&said)
                .iter()
                .map(|details| details.quote.as_str())
                .collect::<Vec<_>>(),
            ["aquote-2"],
            "{lift}"
        );
    }
}

#[test]
fn an_rfq_with_several_lifts_has_several_quotes_and_the_ones_without_a_price_are_fetched() {
    let lift =
        |quote: &str, price: Value| json!({"sourcingStatus": 2, "latestQuote": {"id": quote, "sellerPrice": price}});
    let lifts = json!([
        lift("aquote-1", json!({"price": 1, "currency": "EUR"})),
        lift("aquote-2", Value::Null),
        lift("aquote-3", json!("x"))
    ]);
    let reading = read("rfqs/arfq-12345678", &rfq(&lifts));
    assert_eq!(quotes(&reading.statements).len(), 3);
    let wanting: Vec<String> = reading.missing.iter().map(ToString::to_string).collect();
    assert_eq!(wanting, ["quotes/aquote-2", "quotes/aquote-3"]);
}

#[test]
fn an_rfq_is_declined_where_no_lift_is_quoted_and_one_is_declined() {
    let quoted = json!({"sourcingStatus": 2, "latestQuote": {"id": "aquote-1"}});
    let declined = json!({"sourcingStatus": 3, "declineReason": "OTHER", "latestQuote": {"id": "aquote-2"}});
    let refused = json!({"sourcingDisplayStatus": "Declined", "links": {"quotes": []}});
    let open = json!({"sourcingStatus": 1});
    let whole = (Some("arfq-12345678"), Some("aquote-2"), Some("OTHER"));
    assert_eq!(declines(&of(&json!([declined]))), [whole]);
    assert_eq!(declines(&of(&json!([open, declined, refused]))), [whole]);
    assert_eq!(declines(&of(&json!([refused]))), [(Some("arfq-12345678"), None, None)]);
    assert_eq!(
        declines(&of(&json!([quoted, declined]))),
        [(None, Some("aquote-2"), Some("OTHER"))]
    );
    assert_eq!(declines(&of(&json!([quoted, refused]))), []);
    assert_eq!(declines(&of(&json!([quoted, open]))), []);
    assert_eq!(declines(&of(&json!([open]))), []);
    // Words about the whole say no more than its lifts.
    let mut worded = rfq(&json!([quoted]));
    worded["declineReason"] = json!("OTHER");
    assert_eq!(declines(&statements("rfqs/arfq-12345678", &worded)), []);
    worded["sellerLift"] = json!([open]);
    let said = statements("rfqs/arfq-12345678", &worded);
    assert_eq!(declines(&said), [(Some("arfq-12345678"), None, Some("OTHER"))]);
    // It is so at the moment of the GET, and bears no stamp of when it became so.
    let said = of(&json!([refused]));
    assert_eq!((said[1].at, said[1].version.at), (None, Some(began())));
}

#[test]
fn a_cancelled_rfq_calls_its_trip_off() {
    for (data, is_cancelled) in [
        (json!({"canceled": true}), true),
        (json!({"cancelled": "true"}), true),
        (json!({"canceled": false, "cancelReason": "BY_CLIENT"}), false),
        (json!({"canceled": null}), false),
        (json!({"canceled": {"by": "x"}}), false),
    ] {
        let said = statements("rfqs/arfq-1", &data);
        let expected = EventKind::TripChanged {
            request: Some(request("arfq-1")),
            status: TripStatus::Cancelled,
        };
        assert_eq!(said.iter().any(|said| said.what == expected), is_cancelled, "{data}");
    }
    let stamped = statements(
        "rfqs/arfq-1",
        &json!({"canceled": true, "createdOn": "2026-01-31T09:00:00Z", "updatedOn": "2026-01-31T11:00:00Z"}),
    );
    assert_eq!(
        (stamped[1].at, stamped[1].version.at),
        (Some(at("2026-01-31T11:00:00Z")), Some(at("2026-01-31T11:00:00Z")))
    );
}

/// What else changes in a document makes no other fact of what stays.
#[test]
fn a_facts_digest_is_of_the_fact_alone() {
    let lift = json!({"sourcingStatus": 2, "latestQuote": {"id": "aquote-1"}});
    let digest = |lifts: Value| of(&lifts)[1].version.digest;
    let one = digest(json!([lift]));
    assert_eq!(one, digest(json!([lift, {"sourcingStatus": 1, "note": "new"}])));
    assert_ne!(
        one,
        digest(json!([{"sourcingStatus": 2, "latestQuote": {"id": "aquote-1"}, "aircraftType": "Heavy"}]))
    );
}
