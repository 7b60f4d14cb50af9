//! Unusable events, ids and texts, and the digest.

use super::*;

#[test]
fn an_unusable_event_is_an_error_with_its_reason() {
    for (event, data, words) in [
        ("TripSomethingNew", "{}", "unknown event kind \"TripSomethingNew\""),
        ("triprequest", "{}", "unknown event kind"),
        ("TripCancelled", r#"{"trip":{"id":" "}}"#, "names no trip"),
        ("TripCancelled", r#"{"trip":["atrip-1"]}"#, "names no trip"),
        (
            "TripQuoteAccepted",
            r#"{"tripId":"x"}"#,
            "is an acceptance but names no quote",
        ),
        (
            "Quotes",
            r#"{"tripId":"x"}"#,
            "names neither a quote (data.quote.id, data.quotes[].id) nor a trip",
        ),
        (
            "TripQuoteDeclined",
            r#"{"data":{"tripId":"x","quote":{"id":"aquote-1"}}}"#,
            "the data of the event contains another data object",
        ),
        ("TripChatMine", r#"{"data":[]}"#, "contains another data object"),
        ("TripSomethingNew", r#"{"data":{}}"#, "unknown event kind"),
        (
            "TripCancelled",
            r#"{"tripId":7015.0}"#,
            "data.tripId is the number 7015.0: an id is a text or a whole number",
        ),
        (
            "TripCancelled",
            r#"{"trip":{"id":7e3}}"#,
            "data.trip.id is the number 7e+3",
        ),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x","request":{"id":"r","status":"quoted"}}"#,
            "has the status \"quoted\" but names no quote",
        ),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x","request":{"status":"declined"}}"#,
            "neither an RFQ (data.request.id) nor a quote",
        ),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x","request":{"status":"maybe"}}"#,
            "unknown data.request.status \"maybe\"",
        ),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x"}"#,
            "unknown data.request.status \"\"",
        ),
        ("TripRequest", r#"{"tripId":"x","action":"created"}"#, "names no RFQ"),
        (
            "TripRequest",
            r#"{"tripId":"x","action":["created"]}"#,
            "unknown data.action \"\"",
        ),
    ] {
        let reason = error(event, data);
        assert!(reason.contains(words), "{reason}");
    }
    assert!(error(&"é".repeat(100_000), "{}").chars().count() < 200);
}

#[test]
fn a_long_id_is_refused_and_never_cut() {
    let long = "1".repeat(201);
    for (data, name) in [
        (
            format!(r#"{{"trip":{{"id":"{long}"}},"quote":{{"id":"q"}}}}"#),
            "data.trip.id",
        ),
        (format!(r#"{{"tripId":{long},"quote":{{"id":"q"}}}}"#), "data.tripId"),
        (
            format!(r#"{{"tripId":"x","quote":{{"id":"{long}"}}}}"#),
            "data.quote.id",
        ),
        (
            format!(r#"{{"tripId":"x","quote":{{"id":"q"}},"request":{{"id":"{long}"}}}}"#),
            "data.request.id",
        ),
    ] {
        let reason = error("TripRequestSellerResponse", &data);
        assert!(
            reason.contains(&format!("{name} is invalid: the id is 201 bytes long")),
            "{reason}"
        );
    }
    let seller = quote_of(r#"{"id":"q"}"#).operator;
    assert_eq!(seller, Party::default());
}

#[test]
fn texts_are_made_printable_and_short() {
    let details = quote_of(&format!(
        r#"{{"id":"a\u0000\ud800","id":"q\u0000","aircraft":{{"type":"\u001b[31m\u0000Jet","model":"x","tailNumber":"{}"}}}}"#,
        "é".repeat(100_000)
    ));
    assert_eq!(details.quote.as_str(), "q\u{fffd}");
    assert_eq!(details.aircraft_type.as_deref(), Some("[31m\u{fffd}Jet"));
    assert_eq!(details.aircraft_tail.unwrap().chars().count(), 500);
}

#[test]
fn the_same_content_in_another_key_order_is_the_same_fact() {
    let digest = |event: &str, data: &str| read(event, data).unwrap()[0].version.digest;
    let one = digest(
        "TripCancelled",
        r#"{"trip":{"id":"atrip-1","href":"h"},"request":{"id":"r"}}"#,
    );
    assert_eq!(
        one,
        digest(
            "TripCancelled",
            r#"{ "request":{"id":"r"}, "trip":{"href":"h","id":"atrip-1"} }"#
        )
    );
    assert_ne!(
        one,
        digest(
            "TripCancelled",
            r#"{"trip":{"id":"atrip-1","href":"h"},"request":{"id":"s"}}"#
        )
    );
    let data = r#"{"tripId":"x","quote":{"id":"q"}}"#;
    assert_ne!(
        digest("TripRequestSellerResponse", data),
        digest("TripRequestSellerResponseMine", data)
    );
}
