//! Trips, and the trip ids in any document.

use serde_json::json;

use super::support::{began_at, events, read, resource, trip_ids};
use crate::documents;
use ingest_domain::event::EventKind;
use ingest_domain::ids::TripId;

#[test]
fn a_trip_shows_both_of_its_ids_and_lists_its_rfqs_and_messages() {
    let document = read(
        "trips/atrip-64956150",
        &json!({
            "id": "64956150", "href": "https://sandbox.avinode.com/api/trips/atrip-64956150", "type": "trips", "tripId": "A1B2C3",
            "rfqs": [{"id": "arfq-2"}, {"id": "arfq-1", "href": "x"}],
            "links": {"tripmsgs": [{"id": "asellermsg-1"}, {"href": "https://h/api/tripmsgs/abuyermsg-2/"}], "rfqs": {"id": "arfq-1"}},
        }),
    );
    assert_eq!(trip_ids(&document), ["atrip-64956150", "A1B2C3"]);
    let children: Vec<String> = document.children.iter().map(ToString::to_string).collect();
    assert_eq!(
        children,
        [
            "tripmsgs/abuyermsg-2",
            "tripmsgs/asellermsg-1",
            "rfqs/arfq-1",
            "rfqs/arfq-2"
        ]
    );
    assert_eq!(
        (document.events.len(), document.rfq, document.missing.len()),
        (0, None, 0)
    );
    let cancelled = events("trips/atrip-1", &json!({"canceled": true}));
    assert!(matches!(cancelled[0].kind, EventKind::TripChanged { rfq: None, .. }));
}

#[test]
fn a_document_shows_at_most_one_resource_id_and_one_short_id() {
    let ids = |resource: &str, data: &serde_json::Value| -> Vec<String> {
        read(resource, data).trip_ids.iter().map(ToString::to_string).collect()
    };
    let links = json!({"links": {"trips": [{"id": "atrip-1", "tripId": "A1B2C3"}, {"id": "atrip-2"}, "B2C3D4"]}});
    assert_eq!(ids("rfqs/arfq-1", &links), ["atrip-1", "A1B2C3"]);
    assert_eq!(
        ids("trips/atrip-7", &json!({"id": "atrip-7", "tripId": "atrip-9"})),
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
fn the_events_of_a_document_are_assigned_to_a_trip() {
    let document = read("tripmsgs/asellermsg-1", &json!({"sellerQuote": {"id": "aquote-1"}}));
    let trip = TripId::parse("A1B2C3").unwrap();
    let events = document.events_of(&trip);
    assert_eq!(events.len(), document.events.len());
    assert_eq!((&events[0].trip, &events[0].kind), (&trip, &document.events[0].kind));
}

#[test]
fn a_trip_that_lists_an_rfq_with_a_short_id_shows_both_of_its_ids() {
    let data = json!({"id": "atrip-1", "rfqs": [{"id": "arfq-1"}, {"id": "arfq-2", "tripId": "a1b2c3"}]});
    assert_eq!(trip_ids(&read("trips/atrip-1", &data)), ["atrip-1", "A1B2C3"]);
    // Fetched by the short id, its own id is the other one.
    assert_eq!(trip_ids(&read("trips/A1B2C3", &data)), ["A1B2C3", "atrip-1"]);
    let own = json!({"id": "atrip-1", "tripId": "A1B2C3"});
    assert_eq!(trip_ids(&read("trips/A1B2C3", &own)), ["A1B2C3", "atrip-1"]);
    // The RFQs of an RFQ document are not its trip's.
    let rfq = json!({"id": "arfq-1", "rfqs": [{"tripId": "A1B2C3"}]});
    assert_eq!(trip_ids(&read("rfqs/arfq-1", &rfq)), [""; 0]);
}

#[test]
fn a_fractional_number_is_no_trip_id() {
    for (path, data) in [
        ("rfqs/arfq-1", json!({"tripId": 7015.0})),
        ("rfqs/arfq-1", json!({"links": {"trips": [{"id": 7015.5}]}})),
        ("trips/atrip-7015", json!({"id": 7015.0})),
        ("trips/atrip-1", json!({"rfqs": [{"tripId": 7015.0}]})),
    ] {
        let error = documents::read(&resource(path), &data, began_at())
            .unwrap_err()
            .to_string();
        assert!(error.contains("is the number 7015."), "{error}");
    }
}
