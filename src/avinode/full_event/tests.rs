//! Bodies as relays send them, and bodies as nobody should.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::avinode::json::check;
use crate::avinode::notification::{DeliveryKind, Notification, route};
use crate::domain::event::Money;

const QUOTED: &str = r#"{
  "event": "TripRequestSellerResponse", "eventId": "evt-quoted-001", "timestamp": "2026-01-31T10:00:00.250Z", "apiVersion": "v1.0",
  "data": {
    "type": "rfqs",
    "trip": {"id": "atrip-64956153", "href": "https://sandbox.avinode.com/api/trips/atrip-64956153"},
    "request": {"id": "arfq-12345678", "href": "https://sandbox.avinode.com/api/rfqs/arfq-12345678", "status": "quoted"},
    "seller": {"id": "auser-11", "name": "Northwind Jets", "companyId": "acompany-4711"},
    "quote": {
      "id": "aquote-386512791", "totalPrice": {"amount": 45250.50, "currency": "usd"}, "validUntil": "2026-02-03T12:00:00",
      "aircraft": {"type": "Light Jet", "model": "Citation CJ3", "tailNumber": "N123XX", "capacity": 7},
      "schedule": {"departureTime": "2026-02-10T08:00:00Z"}
    }
  }
}"#;

fn parse(body: &str) -> FullEvent {
    match Notification::parse(body.as_bytes()) {
        Ok(Notification::Full(full)) => full,
        other => panic!("{other:?}"),
    }
}

/// The event of this name with this `data`.
fn read(event: &str, data: &str) -> Result<Vec<Event>, ParseError> {
    events(&parse(&format!(
        r#"{{"event":"{event}","timestamp":"2026-01-31T10:00:00Z","data":{data}}}"#
    )))
}

fn what(event: &str, data: &str) -> EventKind {
    let mut events = read(event, data).unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0).what
}

fn why(event: &str, data: &str) -> String {
    read(event, data).unwrap_err().to_string()
}

fn quote_of(quote: &str) -> QuoteDetails {
    match what(
        "TripRequestSellerResponse",
        &format!(r#"{{"tripId":"A1B2C3","quote":{quote}}}"#),
    ) {
        EventKind::QuoteReceived(details) => details,
        other => panic!("{other:?}"),
    }
}

fn moment(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[test]
fn a_quote_is_read_whole() {
    let event = &events(&parse(QUOTED)).unwrap()[0];
    assert_eq!(event.trip.as_str(), "atrip-64956153");
    assert_eq!(
        (event.version.at, event.version.source),
        (Some(moment("2026-01-31T10:00:00.25Z")), FactSource::Event)
    );
    assert_eq!(
        event.what,
        EventKind::QuoteReceived(QuoteDetails {
            quote: QuoteId::parse("aquote-386512791").unwrap(),
            request: Some(RfqId::parse("arfq-12345678").unwrap()),
            price: Some(Money {
                amount: "45250.50".parse().unwrap(),
                currency: "USD".into()
            }),
            operator: Party {
                id: Some("acompany-4711".into()),
                name: Some("Northwind Jets".into())
            },
            aircraft_type: Some("Light Jet".into()),
            aircraft_tail: Some("N123XX".into()),
            valid_until: Some(moment("2026-02-03T12:00:00Z")),
        })
    );
}

#[test]
fn a_quote_with_an_id_is_one_whatever_the_status_unless_declined() {
    for status in [r#""pending""#, r#""QUOTED""#, r#""accepted""#, "null"] {
        let data = format!(r#"{{"tripId":"64956150","request":{{"status":{status}}},"quote":{{"id":"aquote-1"}}}}"#);
        assert!(
            matches!(
                what("TripRequestSellerResponseMine", &data),
                EventKind::QuoteReceived(_)
            ),
            "{status}"
        );
    }
}

#[test]
fn a_price_is_exact_or_missing() {
    let price = |price: &str| quote_of(&format!(r#"{{"id":"q","totalPrice":{price}}}"#)).price;
    assert_eq!(
        price(r#"{"amount":"12000.10","currency":"EUR"}"#)
            .unwrap()
            .amount
            .to_string(),
        "12000.1"
    );
    for none in [
        r#"{"amount":0,"currency":"EUR"}"#,
        r#"{"amount":-5,"currency":"EUR"}"#,
        r#"{"amount":1e999999,"currency":"EUR"}"#,
        r#"{"amount":5}"#,
        "12",
        "null",
    ] {
        assert_eq!(price(none), None, "{none}");
    }
    let seller_price = quote_of(
        r#"{"id":"q","totalPrice":{"amount":0,"currency":"USD"},"sellerPrice":{"price":5e3,"currency":"CHF"}}"#,
    );
    assert_eq!(
        seller_price.price,
        Some(Money {
            amount: 5000.into(),
            currency: "CHF".into()
        })
    );
}

#[test]
fn a_decline_names_what_is_given() {
    let data = r#"{"trip":{"id":"a1b2c3"},"request":{"id":"arfq-1","status":"declined"},"seller":{"id":"u-1"},"declineReason":"CREW_NOT_AVAILABLE"}"#;
    let expected = EventKind::RfqDeclined {
        request: Some(RfqId::parse("arfq-1").unwrap()),
        quote: None,
        reason: Some("CREW_NOT_AVAILABLE".into()),
        operator: Party {
            id: Some("u-1".into()),
            name: None,
        },
    };
    assert_eq!(what("TripRequestSellerResponse", data), expected);
    assert_eq!(what("TripQuoteDeclined", data), expected);
    let quote = what("TripQuoteDeclined", r#"{"tripId":"A1B2C3","quote":{"id":"aquote-1"}}"#);
    assert!(matches!(
        quote,
        EventKind::RfqDeclined {
            request: None,
            quote: Some(_),
            reason: None,
            ..
        }
    ));
}

#[test]
fn a_pending_answer_states_nothing() {
    let data = r#"{"trip":{"id":"atrip-1"},"request":{"id":"arfq-1","status":"pending"}}"#;
    assert_eq!(read("TripRequestSellerResponse", data).unwrap(), []);
}

#[test]
fn a_chat_message_is_read_from_every_side() {
    let data = r#"{"type":"tripmsgs","trip":{"id":"atrip-1"},"message":{"id":"asellermsg-1000000007","content":"Hello","sentAt":"2026-01-31T10:00:00Z"},"sender":{"id":"u-1","name":"A. Person","companyId":"c-1","companyName":"Northwind"}}"#;
    for event in [
        "TripChatFromBuyer",
        "TripChatFromSeller",
        "TripChatMine",
        "TripChatSeller",
    ] {
        let expected = EventKind::MessageReceived {
            message: MessageId::parse("asellermsg-1000000007").unwrap(),
            sender: Party {
                id: Some("c-1".into()),
                name: Some("Northwind".into()),
            },
            request: None,
        };
        assert_eq!(what(event, data), expected);
    }
}

#[test]
fn a_message_without_an_id_is_known_by_its_content() {
    let id = |data: &str| match what("TripChatMine", data) {
        EventKind::MessageReceived { message, .. } => message.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    let first = id(r#"{"tripId":"A1B2C3","message":{"content":"Hello","sentAt":"10:00"}}"#);
    assert!(first.starts_with("digest-") && first.len() == 39, "{first}");
    assert_eq!(
        first,
        id(r#"{"message":{"sentAt":"10:00","content":"Hello"},"tripId":"A1B2C3"}"#)
    );
    assert_ne!(
        first,
        id(r#"{"tripId":"A1B2C3","message":{"content":"Hello","sentAt":"10:01"}}"#)
    );
}

#[test]
fn a_trip_event_says_what_became_of_the_trip() {
    let with = |action: &str| {
        what(
            "TripRequestMine",
            &format!(r#"{{"tripId":"A1B2C3","request":{{"id":"arfq-1"}},"action":"{action}"}}"#),
        )
    };
    let request = RfqId::parse("arfq-1").unwrap();
    assert_eq!(
        with("created"),
        EventKind::TripRequested {
            request: request.clone()
        }
    );
    for (action, status) in [
        ("updated", TripStatus::Updated),
        ("cancelled", TripStatus::Cancelled),
        ("Canceled", TripStatus::Cancelled),
        ("expired", TripStatus::Expired),
    ] {
        assert_eq!(
            with(action),
            EventKind::TripChanged {
                request: Some(request.clone()),
                status
            }
        );
    }
    for event in ["TripRequest", "TripRequestBuyer"] {
        assert!(matches!(
            what(event, r#"{"tripId":"x","action":"updated"}"#),
            EventKind::TripChanged { request: None, .. }
        ));
    }
    let cancelled = EventKind::TripChanged {
        request: None,
        status: TripStatus::Cancelled,
    };
    assert_eq!(what("TripCancelled", r#"{"trip":{"id":"atrip-1"}}"#), cancelled);
}

#[test]
fn an_event_that_no_rule_can_use_says_why() {
    for (event, data, words) in [
        ("EmptyLegs", "{}", "unknown event kind `EmptyLegs`"),
        ("triprequest", "{}", "unknown event kind"),
        ("TripCancelled", r#"{"trip":{"id":" "}}"#, "names no trip"),
        ("TripCancelled", r#"{"trip":"atrip-1"}"#, "names no trip"),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x","request":{"id":"r","status":"quoted"}}"#,
            "says quoted but names no quote",
        ),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x","request":{"status":"declined"}}"#,
            "neither request nor quote",
        ),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x","request":{"status":"maybe"}}"#,
            "unknown data.request.status `maybe`",
        ),
        (
            "TripRequestSellerResponse",
            r#"{"tripId":"x"}"#,
            "unknown data.request.status ``",
        ),
        (
            "TripRequest",
            r#"{"tripId":"x","action":"created"}"#,
            "names no request",
        ),
        (
            "TripRequest",
            r#"{"tripId":"x","action":["created"]}"#,
            "unknown data.action ``",
        ),
    ] {
        let said = why(event, data);
        assert!(said.starts_with("not understood: ") && said.contains(words), "{said}");
    }
    assert!(why(&"é".repeat(100_000), "{}").chars().count() < 200);
}

#[test]
fn an_id_too_long_to_keep_is_refused_never_cut() {
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
        let said = why("TripRequestSellerResponse", &data);
        assert!(
            said.contains(&format!("{name} cannot be kept: the id is 201 bytes long")),
            "{said}"
        );
    }
    let seller = quote_of(r#"{"id":"q"}"#).operator;
    assert_eq!(seller, Party::default());
}

#[test]
fn hostile_texts_become_texts_that_can_be_kept_and_shown() {
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

/// Everything that the receiver and the worker do with a body. The route agrees with the parser, and events come only of
/// full notifications that pass the check.
fn take_in(body: &[u8]) {
    let (checked, route) = (check(body), route(body));
    match Notification::parse(body) {
        Ok(Notification::Full(full)) => {
            assert!(checked.is_ok() && route == DeliveryKind::Full);
            for event in events(&full).unwrap_or_default() {
                let shown = format!("{event:?}").replace(r"\\", ""); // a backslash of the text itself is shown doubled
                assert!(!shown.contains(r"\0"), "{shown}");
            }
        }
        Ok(Notification::Thin(thin)) => assert!(checked.is_ok() && route == DeliveryKind::Thin { key: thin.id }),
        Err(why) => assert!(route == DeliveryKind::Unknown && why.to_string().chars().count() < 400),
    }
}

/// Any JSON whose keys and words are mostly those that the readers look for.
fn any_json() -> impl Strategy<Value = Value> {
    let words = "TripRequest|TripRequestSellerResponse|TripChatMine|TripCancelled|TripQuoteDeclined|created|quoted|declined|A1B2C3|2026-01-31T10:00:00Z|[0-9.eE+-]{1,12}|.{0,12}|\\PC{0,300}";
    let leaf = prop_oneof![
        6 => words.prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let key = "event|eventId|timestamp|data|trip|tripId|id|href|type|request|status|quote|totalPrice|amount|currency|validUntil|aircraft|seller|sender|message|action|.{0,3}";
    leaf.prop_recursive(5, 120, 8, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            5 => prop::collection::btree_map(key, inner, 0..10).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn hostile_bodies_make_nothing_panic() {
    let deep = format!(
        r#"{{"event":"TripCancelled","data":{}{}}}"#,
        r#"{"trip":"#.repeat(50_000),
        "}".repeat(50_000)
    );
    for body in [
        "",
        "null",
        "\"\\ud800\"",
        "{\"event\":1e999999,\"data\":{}}",
        &deep,
        &deep[..deep.len() / 2],
        &"[".repeat(200_000),
    ] {
        take_in(body.as_bytes());
    }
    assert!(check(&[QUOTED.as_bytes(), b" "].concat()).is_ok());
    take_in(QUOTED.as_bytes());
}

proptest! {
    #[test]
    fn no_bytes_make_anything_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        take_in(&bytes);
    }

    #[test]
    fn no_json_makes_anything_panic(value in any_json()) {
        check(value.to_string().as_bytes()).unwrap();
        take_in(value.to_string().as_bytes());
    }

    #[test]
    fn no_content_of_a_known_event_makes_anything_panic(
        event in "TripRequestSellerResponse|TripQuoteDeclined|TripChatMine|TripRequest|TripCancelled",
        data in any_json(),
    ) {
        take_in(json!({"event": event, "data": {"tripId": "A1B2C3", "quote": data, "request": data, "seller": data, "action": data, "message": data}}).to_string().as_bytes());
    }

    #[test]
    fn no_damage_to_a_real_body_makes_anything_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut body = QUOTED.as_bytes().to_vec();
        body[at.index(QUOTED.len())] = byte;
        take_in(&body);
        take_in(&body[..cut.index(body.len())]);
    }
}
