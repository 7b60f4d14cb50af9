//! Documents as Avinode shows them, and documents as nobody should.

mod bodies;
mod hostile;
mod lenient;
mod orders;
mod rfqs;

use serde_json::json;

use self::bodies::{at, decline, described, price, quote_of, read, request, statements, trips};
use super::UnassignedEvent;
use crate::domain::event::{EventKind, FactSource, Party, QuoteDetails};
use crate::domain::ids::{MessageId, QuoteId};

#[test]
fn a_message_with_a_sellers_quote_is_a_quote() {
    let reading = read(
        "tripmsgs/asellermsg-1000000007",
        &json!({
            "id": "asellermsg-1000000007",
            "href": "https://sandbox.avinode.com/api/tripmsgs/asellermsg-1000000007",
            "type": "tripmsgs",
            "createdOn": "2026-01-31T10:00:01.000Z",
            "tripId": "a1b2c3",
            "sellerCompany": {"id": "acompany-4711", "displayName": "Northwind Jets", "name": "NWJ"},
            "sellerQuote": {
                "id": "aquote-386512791",
                "createdOn": "2026-01-31T10:00:00Z",
                "sellerPrice": {"price": 45250.50, "currency": "USD"},
            },
            "lift": [{"aircraftType": "Light jet", "aircraftTail": "N123XX",
                "links": {"quotes": [{"id": "aquote-386512791", "type": "quotes"}]}}],
            "links": {"rfqs": [{"id": "arfq-12345678", "type": "rfqs"}], "trips": [{"id": "atrip-64956150"}]},
        }),
    );
    assert_eq!(trips(&reading), ["A1B2C3", "atrip-64956150"]);
    assert_eq!(
        (reading.request, reading.missing, reading.children),
        (Some(request("arfq-12345678")), vec![], vec![])
    );
    assert_eq!(reading.quote, Some(QuoteId::parse("aquote-386512791").unwrap()));
    let [statement] = &reading.statements[..] else {
        panic!("{:?}", reading.statements)
    };
    assert_eq!(statement.at, Some(at("2026-01-31T10:00:00Z")));
    // A changed price keeps the creation stamp: what orders is the moment of the GET.
    assert_eq!(statement.version.at, Some(bodies::began()));
    assert_eq!(statement.version.source, FactSource::Document);
    let expected = QuoteDetails {
        quote: QuoteId::parse("aquote-386512791").unwrap(),
        request: Some(request("arfq-12345678")),
        price: price("45250.5", "USD"),
        operator: Party {
            id: Some("acompany-4711".into()),
            name: Some("Northwind Jets".into()),
        },
        aircraft_type: Some("Light jet".into()),
        aircraft_tail: Some("N123XX".into()),
        valid_until: None,
    };
    assert_eq!(statement.what, EventKind::QuoteReceived(expected));
}

#[test]
fn an_update_stamp_orders_a_quote_and_its_creation_stamp_still_tells_when_it_was_made() {
    let said = statements(
        "tripmsgs/asellermsg-1",
        &json!({"sellerQuote": {"id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "updatedOn": "2026-01-31T11:00:00Z"}}),
    );
    let [made, received] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(matches!(made.what, EventKind::QuoteReaffirmed { .. }));
    assert_eq!(
        (made.at, made.version.at),
        (Some(at("2026-01-31T10:00:00Z")), Some(at("2026-01-31T10:00:00Z")))
    );
    assert_eq!(
        (received.at, received.version.at),
        (Some(at("2026-01-31T11:00:00Z")), Some(at("2026-01-31T11:00:00Z")))
    );
}

#[test]
fn a_quote_without_an_id_of_its_own_is_the_only_one_that_the_lifts_link() {
    let with = |quotes: serde_json::Value| {
        read(
            "tripmsgs/asellermsg-1",
            &json!({"sellerQuote": {"sellerPrice": {"price": 1, "currency": "EUR"}},
                "lift": [{"links": {"quotes": quotes}}], "links": {"rfqs": [{"id": "arfq-1"}]}}),
        )
    };
    assert_eq!(quote_of(&with(json!([{"id": "aquote-1"}]))).quote.as_str(), "aquote-1");
    // Of several nobody knows which: something was said, and the RFQ may tell.
    let several = with(json!([{"id": "aquote-1"}, {"id": "aquote-2"}]));
    assert!(matches!(several.statements[0].what, EventKind::MessageReceived { .. }));
    assert_eq!(several.missing[0].to_string(), "rfqs/arfq-1");
}

#[test]
fn a_no_is_a_decline_wherever_it_stands() {
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
        let said = statements("tripmsgs/asellermsg-1", &data);
        assert_eq!(said.len(), 1, "{place}");
        // A message does not change once it is written: its own stamp orders the "no".
        assert_eq!(said[0].version.at, Some(at("2026-01-31T10:00:00Z")));
        assert_eq!(decline(&said[0]), (Some("arfq-1"), None, reason), "{place}");
    }
}

#[test]
fn a_decline_of_a_lift_names_its_quote_and_of_all_lifts_the_rfq_as_well() {
    let lift = |status: u8, quote: &str| json!({"sourcingStatus": status, "links": {"quotes": [{"id": quote}]}});
    let said = |lifts: serde_json::Value| {
        statements(
            "tripmsgs/asellermsg-1",
            &json!({"lift": lifts, "links": {"rfqs": [{"id": "arfq-1"}]}}),
        )
    };
    let all = said(json!([lift(3, "aquote-1"), lift(3, "aquote-2")]));
    let [first, second] = &all[..] else { panic!("{all:?}") };
    assert_eq!(decline(first), (Some("arfq-1"), Some("aquote-1"), None));
    assert_eq!(decline(second), (None, Some("aquote-2"), None));
    let one = said(json!([lift(2, "aquote-1"), lift(3, "aquote-2")]));
    let [only] = &one[..] else { panic!("{one:?}") };
    assert_eq!(decline(only), (None, Some("aquote-2"), None));
    // A message that said no is history: what was quoted afterwards is no reason to lose it.
    let data = json!({"declineReason": "OTHER", "lift": [lift(2, "aquote-1")], "links": {"rfqs": [{"id": "arfq-1"}]}});
    let worded = statements("tripmsgs/asellermsg-1", &data);
    assert_eq!(decline(&worded[0]), (Some("arfq-1"), None, Some("OTHER")));
}

#[test]
fn a_quote_that_was_taken_back_was_received_and_is_declined() {
    let said = statements(
        "tripmsgs/asellermsg-1",
        &json!({"createdOn": "2026-01-31T10:00:00Z", "sellerQuote": {"id": "aquote-1"}, "declineReason": "OTHER"}),
    );
    let [received, declined] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(matches!(received.what, EventKind::QuoteReceived(_)));
    assert_eq!(decline(declined), (None, Some("aquote-1"), Some("OTHER")));
    assert!(declined.version.at >= received.version.at);
    // Another lift's "no" is none of this quote.
    let other = statements(
        "tripmsgs/asellermsg-1",
        &json!({"sellerQuote": {"id": "aquote-1"}, "lift": [{"sourcingStatus": 2, "links": {"quotes": [{"id": "aquote-1"}]}},
            {"sourcingStatus": 3, "links": {"quotes": [{"id": "aquote-2"}]}}]}),
    );
    assert_eq!(other.len(), 1);
}

#[test]
fn a_buyer_neither_quotes_nor_declines() {
    let data = json!({
        "createdOn": "2026-01-31T10:00:00Z", "content": "A pity. Could you do Tuesday?", "declineReason": "OTHER",
        "sellerQuote": {"id": "aquote-1", "sellerPrice": {"price": 1, "currency": "USD"}},
        "lift": [{"sourcingStatus": 3, "links": {"quotes": [{"id": "aquote-1"}]}}], "links": {"rfqs": [{"id": "arfq-1"}]},
    });
    let reading = read("tripmsgs/abuyermsg-1000000023", &data);
    let [message] = &reading.statements[..] else {
        panic!("{reading:?}")
    };
    assert!(
        matches!(&message.what, EventKind::MessageReceived { request: Some(rfq), .. } if *rfq == request("arfq-1"))
    );
    assert_eq!(message.at, Some(at("2026-01-31T10:00:00Z")));
    assert_eq!(reading.quote, Some(QuoteId::parse("aquote-1").unwrap()));
    let as_a_seller = statements("tripmsgs/asellermsg-1", &data);
    assert!(matches!(as_a_seller[0].what, EventKind::QuoteReceived(_)));
}

#[test]
fn what_a_seller_writes_is_a_message_whatever_else_it_carries() {
    let kinds = |data: serde_json::Value| -> Vec<&'static str> {
        let said = statements("tripmsgs/asellermsg-1", &data);
        let kind = |statement: &UnassignedEvent| match statement.what {
            EventKind::QuoteReceived(_) => "quote",
            EventKind::RfqDeclined { .. } => "decline",
            EventKind::MessageReceived { .. } => "message",
            _ => "other",
        };
        said.iter().map(kind).collect()
    };
    let declined = json!([{"sourcingStatus": 3}]);
    let rfqs = json!({"rfqs": [{"id": "arfq-1"}]});
    let chat = json!({"content": "We may have another one.", "lift": declined, "links": rfqs});
    assert_eq!(kinds(chat), ["decline", "message"]);
    assert_eq!(
        kinds(json!({"content": "  ", "lift": declined, "links": rfqs})),
        ["decline"]
    );
    assert_eq!(
        kinds(json!({"content": "Here you are.", "sellerQuote": {"id": "aquote-1"}})),
        ["quote", "message"]
    );
    assert_eq!(kinds(json!({"content": "Hello", "links": rfqs})), ["message"]);
}

#[test]
fn everything_else_is_a_chat_message() {
    for (id, data, name) in [
        (
            "asellermsg-1",
            json!({"content": "Hello", "sellerCompany": {"id": "c-1", "displayName": "Northwind"}}),
            Some("Northwind"),
        ),
        (
            "asellermsg-1",
            json!({"sellerQuote": null, "sellerDecline": null, "declineReason": ""}),
            None,
        ),
        (
            "asellermsg-1",
            json!({"sellerQuote": {}, "sellerDecline": {}, "lift": []}),
            None,
        ),
        (
            "asellermsg-1",
            json!({"sellerQuote": {"id": null}, "lift": [{"sourcingStatus": 1}]}),
            None,
        ),
        (
            "abuyermsg-1",
            json!({"buyerCompany": "Us", "sellerCompany": "Them"}),
            Some("Us"),
        ),
        ("asellermsg-1", json!({}), None),
    ] {
        let said = statements(&format!("tripmsgs/{id}"), &data);
        let [statement] = &said[..] else { panic!("{said:?}") };
        let EventKind::MessageReceived {
            message,
            sender,
            request,
        } = &statement.what
        else {
            panic!("{statement:?}")
        };
        assert_eq!(*message, MessageId::parse(id).unwrap());
        assert_eq!((sender.name.as_deref(), request.as_ref()), (name, None), "{data}");
        assert_eq!((statement.at, statement.version.at), (None, Some(bodies::began())));
    }
}

#[test]
fn a_fetched_quote_is_found_by_its_own_id_and_by_its_rfq() {
    let reading = read(
        "quotes/aquote-1",
        &json!({
            "id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z", "sellerMessage": "Subject to availability",
            "sellerPrice": {"price": "12000.10", "currency": "eur"},
            "sellerPriceWithoutCommission": {"price": 11000, "currency": "EUR"},
            "lift": {"aircraftType": "Light jet"},
        }),
    );
    assert_eq!((reading.trips.len(), reading.request.clone()), (0, None));
    assert_eq!(reading.quote, Some(QuoteId::parse("aquote-1").unwrap()));
    let details = described(&reading);
    assert_eq!(details.price, price("12000.1", "EUR"));
    assert_eq!(
        (details.aircraft_type.as_deref(), &details.operator),
        (Some("Light jet"), &Party::default())
    );
    let linked = read("quotes/aquote-1", &json!({"links": {"rfqs": {"id": "arfq-1"}}}));
    assert_eq!(
        (linked.request.clone(), described(&linked).request),
        (Some(request("arfq-1")), Some(request("arfq-1")))
    );
    assert_eq!(
        linked.missing[0].to_string(),
        "rfqs/arfq-1",
        "nothing else names the trip"
    );
}

#[test]
fn a_price_that_nobody_quoted_is_no_quote() {
    let said = |lift: serde_json::Value| {
        statements(
            "quotes/aquote-1",
            &json!({"sellerPrice": {"price": 1, "currency": "EUR"}, "lift": lift}),
        )
    };
    assert_eq!(
        said(json!({"sourcingStatus": 1, "sourcingDisplayStatus": "Unanswered"})),
        []
    );
    let answered = said(json!({"sourcingStatus": 2}));
    assert!(
        matches!(
            &answered[..],
            [UnassignedEvent {
                what: EventKind::QuoteReceived(_),
                ..
            }]
        ),
        "{answered:?}"
    );
    let bare = said(json!({"aircraftType": "Light jet"}));
    assert!(
        matches!(
            &bare[..],
            [UnassignedEvent {
                what: EventKind::QuoteObserved(_),
                ..
            }]
        ),
        "{bare:?}"
    );
    // A "no" is no quote either: it may have been given to an automatic price.
    let declined = said(json!({"sourcingStatus": 3}));
    assert!(matches!(declined[0].what, EventKind::QuoteObserved(_)));
    assert_eq!(decline(&declined[1]), (None, Some("aquote-1"), None));
}

#[test]
fn a_quote_by_itself_wants_the_rfq_that_tells_whether_it_was_made() {
    let data =
        |lift: serde_json::Value| json!({"tripId": "A1B2C3", "lift": lift, "links": {"rfqs": [{"id": "arfq-1"}]}});
    let bare = read("quotes/aquote-1", &data(json!({"aircraftType": "Light jet"})));
    assert_eq!(bare.missing[0].to_string(), "rfqs/arfq-1");
    assert!(bare.is_undecided());
    let answered = read("quotes/aquote-1", &data(json!({"sourcingDisplayStatus": "Accepted"})));
    assert_eq!((answered.missing.len(), answered.is_undecided()), (0, false));
}

#[test]
fn a_price_without_commission_is_another_price() {
    let data = json!({"sellerPriceWithoutCommission": {"price": 11000, "currency": "EUR"}});
    assert_eq!(described(&read("quotes/aquote-1", &data)).price, None);
}

#[test]
fn a_trip_shows_both_of_its_ids_and_lists_what_belongs_to_it() {
    let reading = read(
        "trips/atrip-64956150",
        &json!({
            "id": "64956150", "href": "https://sandbox.avinode.com/api/trips/atrip-64956150", "type": "trips", "tripId": "A1B2C3",
            "rfqs": [{"id": "arfq-2"}, {"id": "arfq-1", "href": "x"}],
            "links": {"tripmsgs": [{"id": "asellermsg-1"}, {"href": "https://h/api/tripmsgs/abuyermsg-2/"}], "rfqs": {"id": "arfq-1"}},
        }),
    );
    assert_eq!(trips(&reading), ["atrip-64956150", "A1B2C3"]);
    let parts: Vec<String> = reading.children.iter().map(ToString::to_string).collect();
    assert_eq!(
        parts,
        [
            "tripmsgs/abuyermsg-2",
            "tripmsgs/asellermsg-1",
            "rfqs/arfq-1",
            "rfqs/arfq-2"
        ]
    );
    assert_eq!(
        (reading.statements.len(), reading.request, reading.missing.len()),
        (0, None, 0)
    );
    let called_off = statements("trips/atrip-1", &json!({"canceled": true}));
    assert!(matches!(
        called_off[0].what,
        EventKind::TripChanged { request: None, .. }
    ));
}

#[test]
fn two_trips_are_never_taken_for_one() {
    let ids = |resource: &str, data: &serde_json::Value| -> Vec<String> {
        read(resource, data).trips.iter().map(ToString::to_string).collect()
    };
    let links = json!({"links": {"trips": [{"id": "atrip-1", "tripId": "A1B2C3"}, {"id": "atrip-2"}, "B2C3D4"]}});
    assert_eq!(ids("rfqs/arfq-1", &links), ["atrip-1", "A1B2C3"]);
    assert_eq!(
        ids("trips/atrip-7", &json!({"id": "atrip-8", "tripId": "atrip-9"})),
        ["atrip-7"]
    );
    assert_eq!(
        ids(
            "rfqs/arfq-1",
            &json!({"tripId": 64956150, "trip": {"id": "atrip-64956150"}})
        ),
        ["atrip-64956150"]
    );
    assert_eq!(ids("rfqs/arfq-1", &json!({"trip": "a1b2c3"})), ["A1B2C3"]);
    assert_eq!(
        ids("rfqs/arfq-1", &json!({"tripId": null, "trip": [], "links": "x"})),
        [""; 0]
    );
}

#[test]
fn the_events_of_a_reading_are_its_statements_about_a_trip() {
    let reading = read("tripmsgs/asellermsg-1", &json!({"sellerQuote": {"id": "aquote-1"}}));
    let trip = crate::domain::ids::TripId::parse("A1B2C3").unwrap();
    let events = reading.events(&trip);
    assert_eq!(events.len(), reading.statements.len());
    assert_eq!((&events[0].trip, &events[0].what), (&trip, &reading.statements[0].what));
}
