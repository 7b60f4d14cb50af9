//! Each action, its notification and the documents after it.

use chrono::TimeDelta;
use serde_json::Value;

use super::notification::SimulatedNotification;
use super::*;
use crate::documents::document;

const BASE: &str = "http://a/api";
const SCENARIO: &str = r#"{"updated_on":true,"trips":[{"short":"S1","id":"atrip-1"},{"short":"S2","id":"atrip-2","named":false}],
    "actions":[
    {"rfq":{"at":1,"trip":"S1","rfq":"arfq-1","operator":"Northwind Jets"}},
    {"lift":{"at":2,"rfq":"arfq-1"}},
    {"quote":{"at":3,"rfq":"arfq-1","quote":"aquote-1","message":"asellermsg-1","price":"18500.5","currency":"USD"}},
    {"price":{"at":4,"quote":"aquote-1","price":"17000"}},
    {"decline":{"at":5,"rfq":"arfq-1","message":"asellermsg-2","reason":"CABOTAGE"}},
    {"chat":{"at":6,"rfq":"arfq-1","message":"abuyermsg-3","text":"Why?"}},
    {"cancel":{"at":7,"rfq":"arfq-1"}},
    {"rfq":{"at":8,"trip":"S2","rfq":"arfq-2","operator":"Silver Heron Aviation"}}]}"#;

/// Returns the state after so many actions of the scenario, one per second, and the notification of the last one.
fn after(actions: usize, edit: fn(&mut Scenario)) -> (SimulatedWorld, SimulatedNotification) {
    let mut scenario = Scenario::read(SCENARIO.as_bytes(), None).unwrap();
    edit(&mut scenario);
    let mut world = SimulatedWorld::new(&scenario);
    let begun: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut notification = None;
    for action in &scenario.actions[..actions] {
        let at = TimeDelta::seconds(i64::try_from(action.at()).unwrap());
        notification = world.apply(action, begun + at, BASE);
    }
    (world, notification.unwrap())
}

fn document_after(actions: usize, kind: &str, id: &str) -> Option<Value> {
    document(&after(actions, |_| ()).0, kind, id, BASE)
}

#[test]
fn each_action_is_notified_for_one_resource() {
    let notifications: Vec<_> = (1..=8).map(|actions| after(actions, |_| ()).1).collect();
    let parts: Vec<_> = notifications
        .iter()
        .map(|notification| (notification.kind, notification.id.as_str(), notification.event_type))
        .collect();
    assert_eq!(
        parts,
        [
            ("rfqs", "arfq-1", "TripRequestMine"),
            ("rfqs", "arfq-1", "TripRequestMine"),
            ("tripmsgs", "asellermsg-1", "TripRequestSellerResponse"),
            ("tripmsgs", "asellermsg-1", "TripRequestSellerResponse"),
            ("tripmsgs", "asellermsg-2", "TripRequestSellerResponse"),
            ("tripmsgs", "abuyermsg-3", "TripChatMine"),
            ("rfqs", "arfq-1", "TripRequestMine"),
            ("rfqs", "arfq-2", "TripRequestMine"),
        ]
    );
    assert_eq!(notifications[0].trip.as_deref(), Some("S1"));
    assert_eq!(notifications[7].trip, None);
}

#[test]
fn an_rfq_shows_both_ids_of_its_trip_and_the_automatic_prices() {
    assert_eq!(document_after(1, "rfqs", "arfq-9"), None);
    let rfq = document_after(2, "rfqs", "arfq-1").unwrap();
    assert_eq!(rfq["tripId"], "S1");
    assert_eq!(rfq["links"]["trips"][0]["id"], "atrip-1");
    assert_eq!(rfq["href"], "http://a/api/rfqs/arfq-1");
    let lifts = rfq["sellerLift"].as_array().unwrap();
    let linked: Vec<_> = lifts
        .iter()
        .map(|lift| lift["links"]["quotes"].as_array().unwrap().len())
        .collect();
    assert_eq!(linked, [2, 0]);
    assert!(
        lifts
            .iter()
            .all(|lift| lift["sourcingStatus"] == 1 && lift["latestQuote"].is_null())
    );
    let automatic = lifts[0]["links"]["quotes"][0]["id"].as_str().unwrap();
    assert!(document_after(2, "quotes", automatic).is_some());
}

#[test]
fn a_changed_price_keeps_its_id_and_creation_time_and_is_shown_in_every_document() {
    let (before, after) = (
        document_after(3, "tripmsgs", "asellermsg-1").unwrap(),
        document_after(4, "tripmsgs", "asellermsg-1").unwrap(),
    );
    assert_eq!(before["sellerQuote"]["sellerPrice"]["price"].to_string(), "18500.50");
    assert_eq!(after["sellerQuote"]["sellerPrice"]["price"].to_string(), "17000.00");
    assert_eq!(after["sellerQuote"]["createdOn"], before["sellerQuote"]["createdOn"]);
    assert_eq!(after["updatedOn"], "2026-03-01T12:00:04.000000Z");
    assert_eq!(after["links"]["rfqs"][0]["id"], "arfq-1");
    let rfq = document_after(4, "rfqs", "arfq-1").unwrap();
    assert_eq!(
        rfq["sellerLift"][0]["latestQuote"]["sellerPrice"],
        after["sellerQuote"]["sellerPrice"]
    );
    assert_eq!(
        document_after(4, "quotes", "aquote-1").unwrap()["sellerPrice"],
        after["sellerQuote"]["sellerPrice"]
    );
}

#[test]
fn a_decline_is_a_message_and_is_shown_in_the_rfq() {
    let message = document_after(5, "tripmsgs", "asellermsg-2").unwrap();
    assert_eq!(
        (&message["declineReason"], &message["sellerQuote"]),
        (&"CABOTAGE".into(), &Value::Null)
    );
    let lifts = document_after(5, "rfqs", "arfq-1").unwrap()["sellerLift"].clone();
    assert!(
        lifts
            .as_array()
            .unwrap()
            .iter()
            .all(|lift| lift["sourcingDisplayStatus"] == "Declined")
    );
    assert_eq!(document_after(7, "rfqs", "arfq-1").unwrap()["canceled"], true);
    assert_eq!(
        document_after(7, "trips", "atrip-1").unwrap()["links"]["tripmsgs"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(document_after(7, "trips", "atrip-2"), None);
}

#[test]
fn a_scenario_decides_which_fields_documents_omit() {
    let without = after(4, |scenario| scenario.updated_on = false).0;
    let without = document(&without, "rfqs", "arfq-1", BASE).unwrap();
    assert!(!without.to_string().contains("updatedOn"));
    let linked = after(4, |scenario| scenario.latest_quote = LatestQuote::Link).0;
    let lift = &document(&linked, "rfqs", "arfq-1", BASE).unwrap()["sellerLift"][0];
    assert!(lift["latestQuote"].is_null());
    let quotes = lift["links"]["quotes"].as_array().unwrap();
    let generated = |link: &&Value| {
        let id = link["id"].as_str().unwrap();
        document(&linked, "quotes", id, BASE).unwrap()["avinodeGenerated"] == true
    };
    assert_eq!((quotes.len(), quotes.iter().filter(generated).count()), (3, 2));
}

#[test]
fn the_documents_before_each_change_are_kept_and_no_two_timestamps_are_the_same() {
    let (world, _) = after(4, |_| ());
    let prices = |id: &str, price: fn(&Value) -> &Value| {
        let versions = world.versions(id).iter();
        versions
            .map(|before| {
                before
                    .as_ref()
                    .map(|before| price(before)["sellerPrice"]["price"].to_string())
            })
            .collect::<Vec<_>>()
    };
    let versions = [None, Some("18500.50".to_owned())];
    assert_eq!(prices("asellermsg-1", |message| &message["sellerQuote"]), versions);
    assert_eq!(prices("aquote-1", |quote| quote), versions, "without a notification");
    assert_eq!(world.versions("arfq-1").len(), 4);
    assert!(world.versions("arfq-2").is_empty());
    let (mut world, _) = after(1, |_| ());
    let scenario = Scenario::read(SCENARIO.as_bytes(), None).unwrap();
    let now = DateTime::UNIX_EPOCH; // a clock that goes back
    scenario.actions[1..4]
        .iter()
        .for_each(|action| drop(world.apply(action, now, BASE)));
    let quote = &world.quotes["aquote-1"];
    assert!(quote.timestamps.updated > quote.timestamps.created);
}
