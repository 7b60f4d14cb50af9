//! What documents said of a trip is kept whole: what is learned in several transactions is what is learned in one.

use std::collections::{BTreeMap, BTreeSet};

use avinode_ingest::avinode::documents;
use avinode_ingest::avinode::resource::Resource;
use avinode_ingest::avinode::resource_id::ResourceId;
use avinode_ingest::domain::ids::TripId;
use avinode_ingest::domain::trip::{ChangedFacts, Provenance, TripFacts};
use avinode_ingest::store::{facts, trips};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::bodies::base;
use crate::support::cluster::Db;

/// Documents, and the second at which the GET of each began.
fn documents() -> Vec<(&'static str, Value, i64)> {
    let message = |price: &str| {
        json!({"sellerQuote": {"id": "aquote-1", "createdOn": "2026-01-31T10:00:00Z",
            "sellerPrice": {"price": price, "currency": "USD"}}, "links": {"rfqs": [{"id": "arfq-1"}]}})
    };
    let rfq = json!({"sellerCompany": {"displayName": "Northwind Jets"}, "canceled": true,
        "sellerLift": [{"sourcingStatus": 2, "latestQuote": {"id": "aquote-1"}, "aircraftTail": "N1"}]});
    vec![
        ("asellermsg-1", message("100.10"), 5),
        ("arfq-1", rfq.clone(), 7),
        ("asellermsg-1", message("90"), 9),
        ("asellermsg-1", message("90"), 20),
        (
            "asellermsg-2",
            json!({"declineReason": "OTHER", "links": {"rfqs": ["arfq-1"]}}),
            21,
        ),
        ("arfq-1", rfq, 22),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_between_documents_is_what_is_known_of_all() {
    let db = Db::new().await;
    let id = TripId::parse("atrip-1").unwrap();
    let mut known = TripFacts::default();
    for (resource, data, second) in documents() {
        let resource = Resource::by_id(&ResourceId::parse(resource).unwrap()).unwrap();
        let began_at = base() + TimeDelta::seconds(second);
        let events = documents::read(&resource, &data, began_at).unwrap().events(&id);
        let mut tx = db.pool.begin().await.unwrap();
        let mut kept = kept(&mut tx).await;
        let mut touched = ChangedFacts::default();
        for event in &events {
            known.learn(event, Provenance::Notified(began_at), &mut ChangedFacts::default());
            kept.learn(event, Provenance::Notified(began_at), &mut touched);
        }
        let quotes = touched.quotes.iter().map(|id| ("atrip-1", id, &kept.quotes[id]));
        facts::quotes::write(&mut tx, &quotes.collect::<Vec<_>>())
            .await
            .unwrap();
        let requests = touched.requests.iter().map(|id| ("atrip-1", id, &kept.requests[id]));
        facts::rfqs::write(&mut tx, &requests.collect::<Vec<_>>())
            .await
            .unwrap();
        if touched.trip {
            trips::write(&mut tx, &[("atrip-1", &kept)]).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(kept, known, "{resource} at {second}");
    }
    let fact = known.quotes.values().next().unwrap().fact.clone().unwrap();
    assert_eq!(fact.details.price.unwrap().amount.to_string(), "90");
    assert_eq!(fact.details.aircraft_tail.as_deref(), Some("N1"));
    assert_eq!(fact.news_at, Some(base() + TimeDelta::seconds(9)));
}

/// The trip as it is kept, without the messages, of which there are none.
async fn kept(tx: &mut avinode_ingest::postgres::transaction::Transaction<'_>) -> TripFacts {
    let locked = trips::lock(tx, &["atrip-1".to_owned()]).await.unwrap();
    let mut trips: BTreeMap<String, TripFacts> = locked.unwrap().trips;
    facts::load(tx, &mut trips, &BTreeSet::new()).await.unwrap();
    trips.remove("atrip-1").unwrap()
}
