//! The facts of a trip are stored completely: applying documents in several transactions ends as applying them in memory.

use std::collections::{BTreeMap, BTreeSet};

use avinode_ingest::avinode::documents;
use avinode_ingest::avinode::resource::Resource;
use avinode_ingest::domain::ids::{ResourceId, TripId};
use avinode_ingest::domain::trip::{ChangedFacts, Provenance, TripFacts};
use avinode_ingest::store::facts::rfqs_and_ledgers::LedgerScope;
use avinode_ingest::store::facts::write::{FactWrites, QuoteWrite, RfqWrite};
use avinode_ingest::store::{facts, trips};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::bodies::base;
use crate::support::cluster::Db;

/// Documents, each with the second at which its GET began.
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
async fn stored_facts_equal_the_facts_in_memory_after_every_document() {
    let db = Db::new().await;
    let id = TripId::parse("atrip-1").unwrap();
    let mut in_memory = TripFacts::default();
    for (resource, data, second) in documents() {
        let resource = Resource::by_id(&ResourceId::parse(resource).unwrap()).unwrap();
        let began_at = base() + TimeDelta::seconds(second);
        let events = documents::read(&resource, &data, began_at).unwrap().events_of(&id);
        let mut tx = db.pool.begin().await.unwrap();
        let mut stored = load(&mut tx).await;
        let mut changed = ChangedFacts::default();
        for event in &events {
            in_memory.apply_event(event, Provenance::Notified(began_at), &mut ChangedFacts::default());
            stored.apply_event(event, Provenance::Notified(began_at), &mut changed);
        }
        let ChangedFacts {
            trip,
            quotes,
            newly_stated: _,
            rfqs,
            messages,
        } = changed;
        let mut writes = FactWrites::default();
        writes.quotes.extend(quotes.iter().map(|id| QuoteWrite {
            trip_key: "atrip-1",
            id,
            facts: &stored.quotes[id],
            projected: None,
        }));
        writes.rfqs.extend(rfqs.iter().map(|id| RfqWrite {
            trip_key: "atrip-1",
            id,
            facts: &stored.rfqs[id],
        }));
        writes.messages.extend(messages.iter().map(|id| ("atrip-1", id)));
        writes.trips.extend(trip.then_some(("atrip-1", &stored)));
        facts::write::write(&mut tx, &writes).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stored, in_memory, "{resource} at {second}");
    }
    let quote = in_memory.quotes.values().next().unwrap().received.clone().unwrap();
    assert_eq!(quote.details.price.unwrap().amount.to_string(), "90");
    assert_eq!(quote.details.aircraft_tail.as_deref(), Some("N1"));
    assert_eq!(quote.changed.at, base() + TimeDelta::seconds(9));
}

/// The stored trip, without messages, of which there are none.
async fn load(tx: &mut avinode_ingest::postgres::transaction::Transaction<'_>) -> TripFacts {
    let locked = trips::lock(tx, &["atrip-1".to_owned()]).await.unwrap();
    let mut trips: BTreeMap<String, TripFacts> = locked.unwrap().trips;
    facts::load(
        tx,
        &mut trips,
        &BTreeMap::new(),
        &BTreeSet::new(),
        &LedgerScope::default(),
    )
    .await
    .unwrap();
    trips.remove("atrip-1").unwrap()
}
