//! Documents repeat and complete each other: a gap is filled, and a repetition makes no entry of a timeline.

use serde_json::json;

use super::order::{QuoteState, Report, accepted, quote_message, report, timestamp, trip_after, trip_id};
use super::support::{began_at, price, resource};
use crate::documents;
use ingest_domain::timeline::TimelineKind;
use ingest_domain::trip::{ChangedFacts, Provenance, TripFacts};

/// A lift shows the aircraft, a message the price.
#[test]
fn a_gap_in_one_document_is_filled_from_another() {
    let rfq = report(&accepted(9, None), Report::Rfq);
    for reports in [
        vec![quote_message(5, 100), rfq.clone()],
        vec![rfq, quote_message(5, 100)],
    ] {
        let trip = trip_after(&reports);
        let details = &trip.quotes.values().next().unwrap().received.as_ref().unwrap().details;
        assert_eq!(details.price, price("100", "USD"));
        assert_eq!(
            (details.aircraft_tail.as_deref(), details.operator.name.as_deref()),
            (Some("N1"), Some("Northwind"))
        );
    }
}

/// Every message links the declined lift, and each text is a chat message.
#[test]
fn chat_about_a_declined_lift_makes_no_further_decline() {
    let mut trip = TripFacts::default();
    let mut kinds = |number: u8, content: Option<&str>| -> Vec<TimelineKind> {
        let data = json!({"createdOn": timestamp(number.into()), "content": content,
            "lift": [{"sourcingStatus": 3}], "links": {"rfqs": [{"id": "arfq-1"}]}});
        let resource = resource(&format!("tripmsgs/asellermsg-{number}"));
        let document = documents::read(&resource, &data, began_at()).unwrap();
        let events = document.events_of(&trip_id());
        let apply = |event| trip.apply_event(event, Provenance::Notified(began_at()), &mut ChangedFacts::default());
        events.iter().filter_map(apply).map(|entry| entry.kind).collect()
    };
    assert_eq!(kinds(1, None), [TimelineKind::RfqDeclined]);
    assert_eq!(kinds(2, Some("Perhaps on Tuesday?")), [TimelineKind::MessageReceived]);
    assert_eq!(kinds(3, Some("Or on Wednesday?")), [TimelineKind::MessageReceived]);
}

#[test]
fn a_document_without_a_change_makes_no_timeline_event() {
    let quoted = |second| accepted(second, Some(1));
    let cancelled = |second| QuoteState {
        status: 4,
        ..quoted(second)
    };
    let declined = |second| QuoteState {
        status: 3,
        ..quoted(second)
    };
    let states: [(&dyn Fn(i64) -> QuoteState, Report); 6] = [
        (&quoted, Report::QuoteMessage),
        (&quoted, Report::Rfq),
        (&quoted, Report::Quote),
        (&cancelled, Report::Rfq),
        (&cancelled, Report::Trip),
        (&declined, Report::Rfq),
    ];
    for (state, by) in states {
        let mut trip = trip_after(&[report(&state(5), by)]);
        for event in report(&state(9), by) {
            assert_eq!(
                trip.apply_event(&event, Provenance::Polled(began_at()), &mut ChangedFacts::default()),
                None,
                "{event:?}"
            );
        }
    }
    let mut trip = trip_after(&[quote_message(5, 100)]);
    let cheaper = &quote_message(9, 90)[0];
    let entry = trip.apply_event(cheaper, Provenance::Polled(began_at()), &mut ChangedFacts::default());
    assert_eq!(entry.unwrap().kind, TimelineKind::QuoteChanged);
}
