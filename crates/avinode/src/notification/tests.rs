use super::*;

fn parse(body: &str) -> Result<Notification, ParseError> {
    Notification::parse(body.as_bytes())
}

fn full(body: &str) -> FullEvent {
    match parse(body) {
        Ok(Notification::Full(full)) => full,
        other => panic!("{other:?}"),
    }
}

fn thin(body: &str) -> ThinNotification {
    match parse(body) {
        Ok(Notification::Thin(thin)) => thin,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_documented_thin_samples_are_parsed() {
    let rfq = r#"{"id":"arfq-12345678","href":"https://sandbox.avinode.com/api/rfqs/arfq-12345678","type":"rfqs","tripId":"A1B2C3"}"#;
    assert_eq!(
        thin(rfq),
        ThinNotification {
            id: ResourceId::parse("arfq-12345678").unwrap(),
            href: "https://sandbox.avinode.com/api/rfqs/arfq-12345678".into(),
            kind: Some("rfqs".into()),
            trip: Some(TripId::parse("A1B2C3").unwrap()),
            unread: Vec::new(),
        }
    );
    assert_eq!(
        classify(rfq.as_bytes()),
        DeliveryKind::Thin {
            key: ResourceId::parse("arfq-12345678").unwrap()
        }
    );
    let message = thin(
        r#"{"id":"abuyermsg-1000000023","href":"https://sandbox.avinode.com/api/tripmsgs/abuyermsg-1000000023","type":"tripmsgs"}"#,
    );
    assert_eq!(message.trip, None);
}

#[test]
fn an_odd_optional_part_is_ignored() {
    let odd = thin(r#"{"id":4711,"href":"x","type":["rfqs"],"tripId":{"id":1},"new":null}"#);
    assert_eq!((odd.id.as_str(), odd.kind, odd.trip), ("4711", None, None));
    let odd = full(r#"{"event":"X","eventId":[],"timestamp":"yesterday","apiVersion":1.0,"data":{},"more":[1]}"#);
    assert_eq!(
        (odd.event_id, odd.timestamp, odd.api_version.as_deref()),
        (None, None, Some("1.0"))
    );
    let bare = full(r#"{"event":" X ","data":{"a":1}}"#);
    assert_eq!((bare.event.as_str(), bare.event_id, bare.timestamp), ("X", None, None));
}

#[test]
fn a_full_event_is_parsed_completely_and_preferred_to_a_thin_notification() {
    let body = r#"{"event":"TripChatMine","eventId":"evt-1","timestamp":"2026-01-31T10:00:00.1234567+01:00","apiVersion":"v1.0","data":{},"id":"a-1","href":"x"}"#;
    let event = full(body);
    assert_eq!(event.event_id.unwrap().as_str(), "evt-1");
    assert_eq!(
        event.timestamp.unwrap().to_rfc3339(),
        "2026-01-31T09:00:00.123456+00:00"
    );
    assert_eq!(classify(body.as_bytes()), DeliveryKind::Full { trip: None });
}

#[test]
fn an_unknown_body_is_an_error_with_a_short_reason() {
    let long = "x".repeat(201);
    let deep = format!(
        r#"{{"event":"X","data":{{"a":{}{}}}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    for (body, words) in [
        ("[]", "the body is not a JSON object"),
        ("7", "the body is not a JSON object"),
        (
            "{}",
            "neither a thin notification (id, href) nor a full event (event, data)",
        ),
        (r#"{"id":"arfq-1"}"#, "neither a thin"),
        (r#"{"event":7.5}"#, "the event \"7.5\" has no data object"),
        (r#"{"event":"X","data":[]}"#, "the event \"X\" has no data object"),
        (
            &format!(r#"{{"event":"X","eventId":"{long}","data":{{}}}}"#),
            "eventId is invalid: the id is 201 bytes long",
        ),
        (
            &format!(r#"{{"id":"{long}","href":"x"}}"#),
            "id is invalid: the id is 201 bytes long",
        ),
        (
            r#"{"event":"X","eventId":"a\nb","data":{}}"#,
            "eventId is invalid: the id contains a control character",
        ),
        (&deep, "nested deeper than 127 levels"),
        ("{", "reading the body as JSON"),
    ] {
        let reason = parse(body).unwrap_err().to_string();
        assert!(reason.contains(words), "{reason}");
        assert_eq!(classify(body.as_bytes()), DeliveryKind::Unknown);
    }
    let huge = parse(&format!(r#"{{"event":"{}\u001b"}}"#, "é".repeat(100_000)))
        .unwrap_err()
        .to_string();
    assert!(huge.chars().count() < 200, "{huge}");
}

#[test]
fn characters_that_postgres_refuses_are_replaced_in_ids() {
    let event = full(r#"{"event":"X","eventId":"evt\u0000\ud800","data":{}}"#);
    assert_eq!(event.event_id.unwrap().as_str(), "evt\u{fffd}\u{fffd}");
}
