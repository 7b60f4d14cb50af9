//! Full events as relays send them, and malformed ones.

mod errors;
mod kinds;
mod malformed;

use chrono::{DateTime, Utc};

use super::*;
use crate::notification::Notification;
use ingest_domain::event::{Money, Party, QuoteDescription};
use ingest_domain::ids::RfqId;

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

pub(super) fn received_at() -> DateTime<Utc> {
    time("2026-01-31T10:00:01Z")
}

fn parse(body: &str) -> FullEvent {
    match Notification::parse(body.as_bytes()) {
        Ok(Notification::Full(full)) => full,
        other => panic!("{other:?}"),
    }
}

/// Parses an event with this name and `data`.
fn read(event: &str, data: &str) -> Result<Vec<Event>, ParseError> {
    let body = format!(r#"{{"event":"{event}","timestamp":"2026-01-31T10:00:00Z","data":{data}}}"#);
    events(&parse(&body), received_at())
}

fn kind(event: &str, data: &str) -> EventKind {
    let mut events = read(event, data).unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0).kind
}

fn error(event: &str, data: &str) -> String {
    read(event, data).unwrap_err().to_string()
}

fn quote_of(quote: &str) -> QuoteDetails {
    match kind(
        "TripRequestSellerResponse",
        &format!(r#"{{"tripId":"A1B2C3","quote":{quote}}}"#),
    ) {
        EventKind::QuoteReceived(details) => details,
        other => panic!("{other:?}"),
    }
}

fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[test]
fn a_quote_is_parsed_completely() {
    let event = &events(&parse(QUOTED), received_at()).unwrap()[0];
    assert_eq!(event.trip.as_str(), "atrip-64956153");
    assert_eq!(
        (event.version.at, event.version.source),
        (Some(time("2026-01-31T10:00:00.25Z")), FactSource::Event)
    );
    assert_eq!(
        event.kind,
        EventKind::QuoteReceived(QuoteDetails {
            quote: QuoteId::parse("aquote-386512791").unwrap(),
            rfq: Some(RfqId::parse("arfq-12345678").unwrap()),
            price: Some(Money {
                amount: "45250.50".parse().unwrap(),
                currency: "USD".into()
            }),
            unread_price: None,
            operator: Party {
                id: Some("acompany-4711".into()),
                name: Some("Northwind Jets".into())
            },
            aircraft_type: Some("Light Jet".into()),
            aircraft_tail: Some("N123XX".into()),
            valid_until: Some(time("2026-02-03T12:00:00Z")),
            created_at: None,
            description: QuoteDescription {
                aircraft_model: Some("Citation CJ3".into()),
                aircraft_capacity: Some(7),
                departure_time: Some("2026-02-10T08:00:00Z".into()),
                contact: Party {
                    id: Some("auser-11".into()),
                    name: None
                },
                ..QuoteDescription::default()
            },
        })
    );
}

#[test]
fn a_quote_with_an_id_is_received_with_any_status_but_declined() {
    for status in [r#""pending""#, r#""QUOTED""#, r#""accepted""#, "null"] {
        let data = format!(r#"{{"tripId":"64956150","request":{{"status":{status}}},"quote":{{"id":"aquote-1"}}}}"#);
        assert!(
            matches!(
                kind("TripRequestSellerResponseMine", &data),
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
fn a_decline_names_the_given_rfq_quote_and_reason() {
    let data = r#"{"trip":{"id":"a1b2c3"},"request":{"id":"arfq-1","status":"declined"},"seller":{"id":"u-1"},"declineReason":"CREW_NOT_AVAILABLE"}"#;
    let expected = EventKind::RfqDeclined {
        rfq: Some(RfqId::parse("arfq-1").unwrap()),
        quote: None,
        reason: Some("CREW_NOT_AVAILABLE".into()),
        operator: Party {
            id: Some("u-1".into()),
            name: None,
        },
    };
    assert_eq!(kind("TripRequestSellerResponse", data), expected);
    assert_eq!(kind("TripQuoteDeclined", data), expected);
    let quote = kind("TripQuoteDeclined", r#"{"tripId":"A1B2C3","quote":{"id":"aquote-1"}}"#);
    assert!(matches!(
        quote,
        EventKind::RfqDeclined {
            rfq: None,
            quote: Some(_),
            reason: None,
            ..
        }
    ));
}

#[test]
fn a_pending_answer_has_no_event() {
    let data = r#"{"trip":{"id":"atrip-1"},"request":{"id":"arfq-1","status":"pending"}}"#;
    assert_eq!(read("TripRequestSellerResponse", data).unwrap(), []);
}

#[test]
fn a_chat_message_is_parsed_under_every_event_name() {
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
            rfq: None,
            text: Some("Hello".into()),
        };
        assert_eq!(kind(event, data), expected);
    }
}

#[test]
fn the_text_of_a_message_is_printable_on_one_line_and_bounded() {
    let text = |data: &str| match kind("TripChatMine", &format!(r#"{{"tripId":"A1B2C3",{data}}}"#)) {
        EventKind::MessageReceived { text, .. } => text,
        other => panic!("{other:?}"),
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        text(r#""message":{"message":" Hello,\r\n\u0007you ","content":"other"}"#),
        some("Hello, you")
    );
    assert_eq!(text(r#""message":"Hello""#), some("Hello"));
    assert_eq!(text(r#""content":"Hello""#), some("Hello"));
    assert_eq!(text(r#""message":{"content":"\u001b","id":"asellermsg-1"}"#), None);
    let long = format!(r#""message":{{"content":"{}"}}"#, "é".repeat(10_000));
    assert_eq!(text(&long).unwrap().chars().count(), 2_000);
}

#[test]
fn an_accepted_quote_is_parsed_with_its_rfq() {
    let data = r#"{"trip":{"id":"atrip-1"},"quote":{"id":"aquote-1"},"request":{"id":"arfq-1"}}"#;
    let expected = EventKind::QuoteAccepted {
        quote: QuoteId::parse("aquote-1").unwrap(),
        rfq: Some(RfqId::parse("arfq-1").unwrap()),
    };
    assert_eq!(kind("TripQuoteAccepted", data), expected);
}

#[test]
fn a_message_without_an_id_gets_one_from_its_content() {
    let id = |data: &str| match kind("TripChatMine", data) {
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
fn a_trip_event_has_the_new_status_of_the_trip() {
    let with = |action: &str| {
        kind(
            "TripRequestMine",
            &format!(r#"{{"tripId":"A1B2C3","request":{{"id":"arfq-1"}},"action":"{action}"}}"#),
        )
    };
    let rfq = RfqId::parse("arfq-1").unwrap();
    assert_eq!(with("created"), EventKind::TripRequested { rfq: rfq.clone() });
    for (action, status) in [("updated", TripStatus::Updated), ("expired", TripStatus::Expired)] {
        assert_eq!(
            with(action),
            EventKind::TripChanged {
                rfq: Some(rfq.clone()),
                status
            }
        );
    }
    for event in ["TripRequest", "TripRequestBuyer"] {
        assert!(matches!(
            kind(event, r#"{"tripId":"x","action":"updated"}"#),
            EventKind::TripChanged { rfq: None, .. }
        ));
    }
}
