//! RFQs and the status of their lifts.

use serde_json::{Value, json};

use super::support::{at, began_at, decline, events, price, quotes, read, rfq_id, trip_ids};
use crate::documents::UnassignedEvent;
use ingest_domain::event::EventKind;

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

fn events_of(lifts: &Value) -> Vec<UnassignedEvent> {
    events("rfqs/arfq-12345678", &rfq(lifts))
}

fn declines(events: &[UnassignedEvent]) -> Vec<(Option<&str>, Option<&str>, Option<&str>)> {
    let declined = events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::RfqDeclined { .. }));
    declined.map(decline).collect()
}

#[test]
fn an_rfq_was_sent_and_shows_both_ids_of_its_trip() {
    let document = read(
        "rfqs/arfq-12345678",
        &rfq(&json!([{"sourcingStatus": 1, "sourcingDisplayStatus": "Unanswered"}])),
    );
    assert_eq!(trip_ids(&document), ["A1B2C3", "atrip-64956150"]);
    assert_eq!(document.rfq, Some(rfq_id("arfq-12345678")));
    assert_eq!(document.children[0].to_string(), "tripmsgs/asellermsg-1");
    let [sent] = &document.events[..] else {
        panic!("{:?}", document.events)
    };
    assert_eq!(
        sent.kind,
        EventKind::TripRequested {
            rfq: rfq_id("arfq-12345678")
        }
    );
    assert_eq!(sent.at, Some(at("2026-01-31T09:00:00Z")));
    assert_eq!((document.missing.len(), document.quote), (0, None));
}

#[test]
fn an_accepted_lift_with_its_own_quote_is_a_received_and_reaffirmed_quote() {
    let parsed = events_of(&json!([{
        "sourcingStatus": 2, "sourcingDisplayStatus": "Accepted", "aircraftType": "Light jet", "aircraftTail": "N123XX", "maxPax": 7,
        "links": {"quotes": [{"id": "aquote-9"}, {"id": "aquote-1"}]},
        "latestQuote": {"id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "sellerPrice": {"price": 18500.5, "currency": "USD"}},
    }]));
    let [_, received, reaffirmed] = &parsed[..] else {
        panic!("{parsed:?}")
    };
    let EventKind::QuoteReceived(details) = &received.kind else {
        panic!("{received:?}")
    };
    assert_eq!(
        (details.quote.as_str(), &details.price),
        ("aquote-1", &price("18500.5", "USD"))
    );
    assert_eq!(details.rfq, Some(rfq_id("arfq-12345678")));
    assert_eq!(details.operator.name.as_deref(), Some("Northwind Jets"));
    assert_eq!(
        (details.aircraft_type.as_deref(), details.aircraft_tail.as_deref()),
        (Some("Light jet"), Some("N123XX"))
    );
    assert_eq!(
        (received.at, received.version.at),
        (Some(at("2026-01-31T10:00:00Z")), None)
    );
    assert_eq!(
        (details.created_at, received.version.seen_at),
        (received.at, began_at())
    );
    let EventKind::QuoteReaffirmed { quote, .. } = &reaffirmed.kind else {
        panic!("{reaffirmed:?}")
    };
    assert_eq!(
        (quote.as_str(), reaffirmed.at, reaffirmed.version.moment()),
        ("aquote-1", None, began_at())
    );
}

/// The quotes of a document by id, and whether they are received or linked by an accepted lift.
fn quotes_of(events: &[UnassignedEvent]) -> Vec<(&str, &str)> {
    let quotes = events.iter().filter_map(|event| match &event.kind {
        EventKind::QuoteReceived(details) => Some((details.quote.as_str(), "received")),
        EventKind::QuoteOrigin { quote, origin, .. } => Some((quote.as_str(), <&str>::from(origin))),
        _ => None,
    });
    quotes.collect()
}

#[test]
fn the_quotes_that_a_lift_links_are_fetched_unless_it_shows_its_latest_quote() {
    let several = json!({"quotes": [{"id": "aquote-1"}, {"id": "aquote-2"}]});
    let (one, two) = (("aquote-1", "accepted_lift"), ("aquote-2", "accepted_lift"));
    let received = ("aquote-2", "received");
    for (lift, expected, missing) in [
        (json!({"sourcingStatus": 2, "links": several}), vec![one, two], 2),
        (
            json!({"sourcingStatus": 1, "links": {"quotes": [{"id": "aquote-1"}]}}),
            vec![],
            0,
        ),
        (
            json!({"sourcingDisplayStatus": "Unanswered", "latestQuote": {"id": "aquote-1"}}),
            vec![],
            0,
        ),
        (json!({"links": {"quotes": {"id": "aquote-1"}}}), vec![], 0),
        (json!({"sourcingStatus": 2, "links": {"quotes": []}}), vec![], 0),
        (json!({"sourcingStatus": 2}), vec![], 0),
        (
            json!({"sourcingStatus": "2", "links": {"quotes": [{"id": "aquote-2"}, {"id": "aquote-2"}]}}),
            vec![two],
            1,
        ),
        (
            json!({"sourcingDisplayStatus": "ACCEPTED", "links": {"quotes": {"href": "https://h/api/quotes/aquote-2"}}}),
            vec![two],
            1,
        ),
        (
            json!({"sourcingStatus": 2, "links": several, "latestQuote": {"id": "aquote-2"}}),
            vec![received],
            1,
        ),
        (
            json!({"sourcingStatus": 2, "latestQuote": "aquote-2"}),
            vec![received],
            1,
        ),
        (
            json!({"sourcingStatus": 2.0, "latestQuote": [{"id": "aquote-2"}]}),
            vec![received],
            1,
        ),
        (
            json!({"sourcingStatus": 2, "links": several, "latestQuote": {"id": "aquote-2", "avinodeGenerated": true}}),
            vec![("aquote-2", "generated")],
            0,
        ),
    ] {
        let document = read("rfqs/arfq-12345678", &rfq(&json!([lift])));
        assert_eq!(quotes_of(&document.events), expected, "{lift}");
        assert_eq!(document.missing.len(), missing, "{lift}");
    }
}

#[test]
fn an_rfq_with_several_lifts_has_several_quotes_and_reports_those_without_a_price_as_missing() {
    let lift =
        |quote: &str, price: Value| json!({"sourcingStatus": 2, "latestQuote": {"id": quote, "sellerPrice": price}});
    let lifts = json!([
        lift("aquote-1", json!({"price": 1, "currency": "EUR"})),
        lift("aquote-2", Value::Null),
        lift("aquote-3", json!("x"))
    ]);
    let document = read("rfqs/arfq-12345678", &rfq(&lifts));
    assert_eq!(quotes(&document.events).len(), 3);
    let missing: Vec<String> = document.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["quotes/aquote-2", "quotes/aquote-3"]);
}

#[test]
fn an_rfq_is_declined_if_one_lift_is_declined_and_none_accepted() {
    let quoted = json!({"sourcingStatus": 2, "latestQuote": {"id": "aquote-1"}});
    let declined = json!({"sourcingStatus": 3, "declineReason": "OTHER", "latestQuote": {"id": "aquote-2"}});
    let refused = json!({"sourcingDisplayStatus": "Declined", "links": {"quotes": []}});
    let open = json!({"sourcingStatus": 1});
    let whole = (Some("arfq-12345678"), Some("aquote-2"), Some("OTHER"));
    assert_eq!(declines(&events_of(&json!([declined]))), [whole]);
    assert_eq!(declines(&events_of(&json!([open, declined, refused]))), [whole]);
    assert_eq!(
        declines(&events_of(&json!([refused]))),
        [(Some("arfq-12345678"), None, None)]
    );
    assert_eq!(
        declines(&events_of(&json!([quoted, declined]))),
        [(None, Some("aquote-2"), Some("OTHER"))]
    );
    assert_eq!(declines(&events_of(&json!([quoted, refused]))), []);
    assert_eq!(declines(&events_of(&json!([quoted, open]))), []);
    assert_eq!(declines(&events_of(&json!([open]))), []);
    // The statement of the document counts only if no lift is accepted.
    let mut with_reason = rfq(&json!([quoted]));
    with_reason["declineReason"] = json!("OTHER");
    assert_eq!(declines(&events("rfqs/arfq-12345678", &with_reason)), []);
    with_reason["sellerLift"] = json!([open]);
    let parsed = events("rfqs/arfq-12345678", &with_reason);
    assert_eq!(declines(&parsed), [(Some("arfq-12345678"), None, Some("OTHER"))]);
    // The decline is true at the time of the GET, and has no time of its own.
    let parsed = events_of(&json!([refused]));
    assert_eq!(
        (parsed[1].at, parsed[1].version.at, parsed[1].version.seen_at),
        (None, None, began_at())
    );
}

#[test]
fn a_document_states_that_its_rfq_is_cancelled_and_nothing_of_its_trip() {
    for (data, is_cancelled) in [
        (json!({"canceled": true}), true),
        (json!({"cancelled": "true"}), true),
        (json!({"canceled": false, "cancelReason": "BY_CLIENT"}), false),
        (json!({"canceled": null}), false),
        (json!({"canceled": {"by": "x"}}), false),
    ] {
        let parsed = events("rfqs/arfq-1", &data);
        let expected = EventKind::RfqCancelled { rfq: rfq_id("arfq-1") };
        assert_eq!(
            parsed.iter().any(|event| event.kind == expected),
            is_cancelled,
            "{data}"
        );
        let changes_trip = |event: &UnassignedEvent| matches!(event.kind, EventKind::TripChanged { .. });
        assert!(!parsed.iter().any(changes_trip), "{data}");
    }
    let with_times = events(
        "rfqs/arfq-1",
        &json!({"canceled": true, "createdOn": "2026-01-31T09:00:00Z", "updatedOn": "2026-01-31T11:00:00Z"}),
    );
    assert_eq!(
        (with_times[1].at, with_times[1].version.at),
        (Some(at("2026-01-31T11:00:00Z")), Some(at("2026-01-31T11:00:00Z")))
    );
}

/// Other changes of a document do not change a fact.
#[test]
fn the_digest_of_a_fact_covers_the_fact_only() {
    let lift = json!({"sourcingStatus": 2, "latestQuote": {"id": "aquote-1"}});
    let digest = |lifts: Value| events_of(&lifts)[1].version.digest;
    let one = digest(json!([lift]));
    assert_eq!(one, digest(json!([lift, {"sourcingStatus": 1, "note": "new"}])));
    assert_ne!(
        one,
        digest(json!([{"sourcingStatus": 2, "latestQuote": {"id": "aquote-1"}, "aircraftType": "Heavy"}]))
    );
}
