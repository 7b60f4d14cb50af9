//! Declines in messages.

use serde_json::json;

use super::support::{at, decline, events};
use ingest_domain::event::EventKind;

#[test]
fn a_decline_is_found_in_every_known_place() {
    for (place, reason) in [
        (
            json!({"declineReason": "AIRCRAFT_NOT_AVAILABLE"}),
            Some("AIRCRAFT_NOT_AVAILABLE"),
        ),
        (json!({"sellerDecline": {"reason": "CABOTAGE"}}), Some("CABOTAGE")),
        (
            json!({"sellerDecline": {"declineReason": {"name": "OTHER"}}}),
            Some("OTHER"),
        ),
        (json!({"sellerDecline": {"id": 7}}), None),
        (json!({"sellerDecline": true}), None),
        (
            json!({"lift": [{"sourcingStatus": 3, "declineReason": "UNKNOWN"}]}),
            Some("UNKNOWN"),
        ),
        (json!({"lift": {"sourcingDisplayStatus": "Declined"}}), None),
    ] {
        let mut data =
            json!({"createdOn": "2026-01-31T10:00:00Z", "seller": "Northwind", "links": {"rfqs": [{"id": "arfq-1"}]}});
        data.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        let parsed = events("tripmsgs/asellermsg-1", &data);
        assert_eq!(parsed.len(), 1, "{place}");
        // A message never changes, so its own timestamp orders the decline.
        assert_eq!(parsed[0].version.at, Some(at("2026-01-31T10:00:00Z")));
        assert_eq!(decline(&parsed[0]), (Some("arfq-1"), None, reason), "{place}");
    }
}

#[test]
fn a_decline_of_all_lifts_names_the_rfq_and_a_decline_of_some_only_their_quotes() {
    let lift = |status: u8, quote: &str| json!({"sourcingStatus": status, "links": {"quotes": [{"id": quote}]}});
    let parsed = |lifts: serde_json::Value| {
        events(
            "tripmsgs/asellermsg-1",
            &json!({"lift": lifts, "links": {"rfqs": [{"id": "arfq-1"}]}}),
        )
    };
    let all = parsed(json!([lift(3, "aquote-1"), lift(3, "aquote-2")]));
    let [first, second] = &all[..] else { panic!("{all:?}") };
    assert_eq!(decline(first), (Some("arfq-1"), Some("aquote-1"), None));
    assert_eq!(decline(second), (None, Some("aquote-2"), None));
    let one = parsed(json!([lift(2, "aquote-1"), lift(3, "aquote-2")]));
    let [only] = &one[..] else { panic!("{one:?}") };
    assert_eq!(decline(only), (None, Some("aquote-2"), None));
    // A decline in a message is kept, even if the seller quoted later.
    let data = json!({"declineReason": "OTHER", "lift": [lift(2, "aquote-1")], "links": {"rfqs": [{"id": "arfq-1"}]}});
    let with_reason = events("tripmsgs/asellermsg-1", &data);
    assert_eq!(decline(&with_reason[0]), (Some("arfq-1"), None, Some("OTHER")));
}

#[test]
fn a_withdrawn_quote_is_received_and_declined() {
    let parsed = events(
        "tripmsgs/asellermsg-1",
        &json!({"createdOn": "2026-01-31T10:00:00Z", "sellerQuote": {"id": "aquote-1"}, "declineReason": "OTHER"}),
    );
    let [received, declined] = &parsed[..] else {
        panic!("{parsed:?}")
    };
    assert!(matches!(received.kind, EventKind::QuoteReceived(_)));
    assert_eq!(decline(declined), (None, Some("aquote-1"), Some("OTHER")));
    assert_eq!((declined.at, declined.version.at), (None, received.version.at));
    // The decline of another lift does not decline this quote.
    let other = events(
        "tripmsgs/asellermsg-1",
        &json!({"sellerQuote": {"id": "aquote-1"}, "lift": [{"sourcingStatus": 2, "links": {"quotes": [{"id": "aquote-1"}]}},
            {"sourcingStatus": 3, "links": {"quotes": [{"id": "aquote-2"}]}}]}),
    );
    assert_eq!(other.len(), 1);
}
