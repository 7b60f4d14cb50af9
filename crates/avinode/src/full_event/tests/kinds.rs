//! Events of every kind and layout that relays use, and parts that are not understood.

use super::*;
use crate::full_event;

#[test]
fn a_known_event_without_a_meaning_for_sessions_is_ignored() {
    for event in [
        "EmptyLegs",
        "EmptyLegCreatedMine",
        "EmptyLegUpdatedMine",
        "EmptyLegDeletedMine",
        "ClientLeads",
    ] {
        let body = format!(r#"{{"event":"{event}","data":{{"emptyLeg":{{"id":"aleg-1"}}}}}}"#);
        let parsed = full_event::read(&parse(&body), received_at()).unwrap();
        assert!(parsed.is_ignored && parsed.events.is_empty(), "{event}");
    }
}

#[test]
fn a_decline_and_a_cancellation_are_parsed_in_every_layout() {
    let declined = |rfq: Option<&str>, quote: Option<&str>, reason: Option<&str>| EventKind::RfqDeclined {
        rfq: rfq.map(|id| RfqId::parse(id).unwrap()),
        quote: quote.map(|id| QuoteId::parse(id).unwrap()),
        reason: reason.map(Into::into),
        operator: Party::default(),
    };
    for (data, expected) in [
        (
            r#"{"tripId":"x","quoteId":"aquote-1","rfqId":"arfq-1","reason":"CABOTAGE"}"#,
            declined(Some("arfq-1"), Some("aquote-1"), Some("CABOTAGE")),
        ),
        (
            r#"{"trip":"x","quote":"aquote-1"}"#,
            declined(None, Some("aquote-1"), None),
        ),
        (
            r#"{"id":"aquote-1","type":"quotes","tripId":"x"}"#,
            declined(None, Some("aquote-1"), None),
        ),
        (
            r#"{"quote":{"id":"aquote-1","tripId":"x","rfqId":"arfq-1","declineReason":"OTHER"}}"#,
            declined(Some("arfq-1"), Some("aquote-1"), Some("OTHER")),
        ),
        (
            r#"{"rfq":{"id":"arfq-1"},"trip":{"tripId":"x"}}"#,
            declined(Some("arfq-1"), None, None),
        ),
    ] {
        assert_eq!(kind("TripQuoteDeclined", data), expected, "{data}");
    }
    for data in [
        r#"{"id":"atrip-1"}"#,
        r#"{"tripId":"64956150"}"#,
        r#"{"trip":"a1b2c3"}"#,
    ] {
        assert!(
            matches!(
                kind("TripCancelled", data),
                EventKind::TripChanged {
                    status: TripStatus::Cancelled,
                    ..
                }
            ),
            "{data}"
        );
    }
}

#[test]
fn quotes_that_an_event_names_are_fetched_and_stated_where_they_have_a_price() {
    let read = |event: &str, data: &str| {
        let parsed = full_event::read(
            &parse(&format!(r#"{{"event":"{event}","data":{data}}}"#)),
            received_at(),
        )
        .unwrap();
        let to_fetch: Vec<String> = parsed.to_fetch.iter().map(ToString::to_string).collect();
        let stated = parsed.events.iter().map(|event| match &event.kind {
            EventKind::QuoteReceived(details) => details.quote.to_string(),
            other => panic!("{other:?}"),
        });
        (stated.collect::<Vec<_>>().join(" "), to_fetch.join(" "))
    };
    let words = |stated: &str, to_fetch: &str| (stated.to_owned(), to_fetch.to_owned());
    let quote = r#"{"id":"aquote-1","price":{"amount":5,"currency":"USD"}}"#;
    for event in ["Quotes", "QuotedTrips"] {
        assert_eq!(
            read(event, &format!(r#"{{"tripId":"x","quote":{quote}}}"#)),
            words("aquote-1", "quotes/aquote-1")
        );
        assert_eq!(
            read(
                event,
                &format!(r#"{{"tripId":"x","quotes":[{quote},{{"id":"aquote-2"}}, "aquote-3"]}}"#)
            ),
            words("aquote-1", "quotes/aquote-1 quotes/aquote-2 quotes/aquote-3")
        );
        assert_eq!(
            read(event, &format!(r#"{{"quote":{quote}}}"#)),
            words("", "quotes/aquote-1")
        );
        assert_eq!(
            read(event, r#"{"id":"aquote-1","href":"https://h/x"}"#),
            words("", "quotes/aquote-1")
        );
        assert_eq!(read(event, r#"{"trip":{"id":"atrip-1"}}"#), words("", "trips/atrip-1"));
    }
}

#[test]
fn a_part_of_a_quote_that_was_sent_and_not_understood_is_named() {
    let body = r#"{"event":"TripRequestSellerResponse","timestamp":"yesterday","data":{"tripId":"x","quote":
        {"id":"aquote-1","totalPrice":{"amount":"12,000","currency":"USD"},"validUntil":"tomorrow"}}}"#;
    let parsed = full_event::read(&parse(body), received_at()).unwrap();
    let unread: Vec<String> = parsed.unread.iter().map(ToString::to_string).collect();
    assert_eq!(
        unread,
        [
            "data.quote.totalPrice.amount \"12,000\"",
            "data.quote.validUntil \"tomorrow\"",
            "timestamp \"yesterday\"",
        ]
    );
    let EventKind::QuoteReceived(details) = &parsed.events[0].kind else {
        panic!("{parsed:?}")
    };
    assert_eq!(details.price, None);
    assert_eq!(details.unread_price.as_deref(), Some("totalPrice.amount \"12,000\""));
}

/// An action is about the RFQ that the event names; `TripCancelled` is about the trip, also where it names an RFQ.
#[test]
fn a_cancellation_is_about_the_rfq_or_the_trip() {
    let rfq = RfqId::parse("arfq-1").unwrap();
    for action in ["cancelled", "Canceled"] {
        let with = |request: &str| format!(r#"{{"tripId":"A1B2C3",{request}"action":"{action}"}}"#);
        assert_eq!(
            kind("TripRequestMine", &with(r#""request":{"id":"arfq-1"},"#)),
            EventKind::RfqCancelled { rfq: rfq.clone() }
        );
        let cancelled = EventKind::TripChanged {
            rfq: None,
            status: TripStatus::Cancelled,
        };
        assert_eq!(kind("TripRequestMine", &with("")), cancelled);
        assert_eq!(kind("TripCancelled", r#"{"trip":{"id":"atrip-1"}}"#), cancelled);
    }
    let cancelled = EventKind::TripChanged {
        rfq: Some(rfq),
        status: TripStatus::Cancelled,
    };
    assert_eq!(
        kind(
            "TripCancelled",
            r#"{"trip":{"id":"atrip-1"},"request":{"id":"arfq-1"}}"#
        ),
        cancelled
    );
}
