//! A database with facts of an older program: the migration of the histories keeps what is known about every quote.

use std::collections::{BTreeMap, BTreeSet};

use avinode_ingest::domain::event::{FactSource, Money, Party, QuoteDescription, QuoteDetails};
use avinode_ingest::domain::ids::{QuoteId, RfqId};
use avinode_ingest::domain::quote_history::QuoteHistory;
use avinode_ingest::domain::quote_history::observation::Observation;
use avinode_ingest::domain::trip::TripFacts;
use avinode_ingest::postgres::migrator;
use avinode_ingest::postgres::migrator::known::MIGRATOR;
use avinode_ingest::store::facts::rfqs_and_ledgers::LedgerScope;
use avinode_ingest::store::{facts, tx};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use sqlx::migrate::Migrator;

use crate::support::bodies::{at, base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::sql::text;

/// The version of `add_times_of_first_sight`.
const CONVERTS: i64 = 202_611_280_510;

/// Migrates to the version before.
async fn older() -> Db {
    let db = Db::empty().await;
    let known = MIGRATOR.iter().filter(|migration| migration.version < CONVERTS);
    let mut migrator = Migrator::with_migrations(known.cloned().collect());
    migrator.dangerous_set_table_name(&*MIGRATOR.table_name);
    migrator.create_schema("avinode_ingest");
    migrator.run(&mut db.pool.connection().await).await.unwrap();
    db
}

fn moment(seconds: i64) -> DateTime<Utc> {
    base() + Duration::seconds(seconds)
}

fn details(id: &str, price: Option<&str>) -> Value {
    json!({
        "quote": id, "rfq": "arfq-1", "price": price.map(|amount| json!({"amount": amount, "currency": "USD"})),
        "operator": {"id": "company-1", "name": "Northwind \"Jets\""}, "aircraft_type": "Light Jet", "aircraft_tail": null,
        "valid_until": at(500),
    })
}

/// An observation as the older program wrote it.
fn written(details: &Value, source: &str, times: [Option<i64>; 2], has_sender_time: bool, digest: u8) -> Value {
    let [first, latest] = times.map(|seconds| seconds.map(at));
    json!({
        "details": details, "earliest_at": first, "first_version_at": first, "has_sender_time": has_sender_time,
        "latest_version": {"at": latest, "source": source, "digest": hex::encode([digest; 32])},
    })
}

fn observation(
    id: &str,
    price: Option<&str>,
    source: FactSource,
    at: Option<i64>,
    seen: [i64; 2],
    digest: u8,
) -> Observation {
    Observation {
        details: QuoteDetails {
            quote: QuoteId::parse(id).unwrap(),
            rfq: Some(RfqId::parse("arfq-1").unwrap()),
            price: price.map(|amount| Money {
                amount: amount.parse().unwrap(),
                currency: "USD".to_owned(),
            }),
            unread_price: None,
            operator: Party {
                id: Some("company-1".to_owned()),
                name: Some("Northwind \"Jets\"".to_owned()),
            },
            aircraft_type: Some("Light Jet".to_owned()),
            aircraft_tail: None,
            valid_until: Some(moment(500)),
            created_at: None,
            description: QuoteDescription::default(),
        },
        source,
        at: at.map(moment),
        first_seen_at: moment(seen[0]),
        last_seen_at: moment(seen[1]),
        digest: [digest; 32],
    }
}

async fn insert(db: &Db, id: &str, received: bool, first_fact_at: Option<i64>, history: Option<&Value>) {
    sqlx::query(
        "INSERT INTO avinode_ingest.quote_facts (trip_key, quote_id, received, rfq_id, amount, currency, operator_name,
            fact_at, fact_source, fact_digest, first_fact_at, history)
         VALUES ('atrip-1', $1, $2, 'arfq-1', 9000.5, 'USD', 'Northwind', $3, 0, $4, $5, $6)",
    )
    .bind(id)
    .bind(received)
    .bind(moment(1))
    .bind(&[1_u8; 32][..])
    .bind(first_fact_at.map(moment))
    .bind(history)
    .execute(&db.pool)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_of_an_older_program_are_converted_and_nothing_is_lost() {
    let db = older().await;
    db.run("INSERT INTO avinode_ingest.trips (key) VALUES ('atrip-1')")
        .await;
    let whole = |id: &str| {
        let (priced, bare) = (details(id, Some("12000.1")), details(id, None));
        json!({
            "received": true,
            "event": written(&priced, "event", [Some(1), Some(1)], true, 1),
            "documents": [
                // Read at 3 and again at 6, without a time of its own; a message that was written at 2.
                written(&bare, "document", [Some(3), Some(6)], false, 2),
                written(&details(id, Some("0.01")), "document", [Some(2), Some(2)], true, 3),
            ],
            "first_reaffirmed_at": at(0), "last_reaffirmed_at": at(8),
        })
    };
    let pending = |id: &str| {
        let document = written(&details(id, Some("70")), "document", [Some(4), Some(4)], false, 4);
        json!({
            "received": false, "event": null, "documents": [document], "first_reaffirmed_at": null, "last_reaffirmed_at": null,
        })
    };
    // An event without a timestamp, whose document was read later; only reaffirmed.
    let undated = |id: &str| {
        let document = written(&details(id, None), "document", [Some(5), Some(5)], false, 6);
        let event = written(&details(id, Some("80")), "event", [None, None], true, 5);
        json!({
            "received": true, "event": event, "documents": [document], "first_reaffirmed_at": null, "last_reaffirmed_at": null,
        })
    };
    let reaffirmed = json!({
        "received": false, "event": null, "documents": [], "first_reaffirmed_at": at(4), "last_reaffirmed_at": at(5),
    });
    insert(&db, "aquote-1", true, Some(1), Some(&whole("aquote-1"))).await;
    insert(&db, "aquote-2", false, None, Some(&pending("aquote-2"))).await;
    insert(&db, "aquote-3", true, None, Some(&undated("aquote-3"))).await;
    insert(&db, "aquote-4", false, None, Some(&reaffirmed)).await;
    insert(&db, "aquote-5", true, Some(1), None).await;
    migrator::migrate(&db.options).await.unwrap();

    let expected: [(&str, QuoteHistory); 4] = [
        (
            "aquote-1",
            QuoteHistory {
                made_by_seller: true,
                observations: vec![
                    observation("aquote-1", Some("12000.1"), FactSource::Event, Some(1), [1, 1], 1),
                    observation("aquote-1", None, FactSource::Document, None, [3, 6], 2),
                    observation("aquote-1", Some("0.01"), FactSource::Document, Some(2), [2, 2], 3),
                ],
                first_fact_at: Some(moment(0)),
                last_reaffirmed_at: Some(moment(8)),
                ..QuoteHistory::default()
            },
        ),
        (
            "aquote-2",
            QuoteHistory {
                observations: vec![observation(
                    "aquote-2",
                    Some("70"),
                    FactSource::Document,
                    None,
                    [4, 4],
                    4,
                )],
                ..QuoteHistory::default()
            },
        ),
        (
            "aquote-3",
            QuoteHistory {
                made_by_seller: true,
                observations: vec![
                    Observation {
                        first_seen_at: DateTime::UNIX_EPOCH,
                        last_seen_at: DateTime::UNIX_EPOCH,
                        ..observation("aquote-3", Some("80"), FactSource::Event, None, [0, 0], 5)
                    },
                    observation("aquote-3", None, FactSource::Document, None, [5, 5], 6),
                ],
                ..QuoteHistory::default()
            },
        ),
        (
            "aquote-4",
            QuoteHistory {
                first_fact_at: Some(moment(4)),
                last_reaffirmed_at: Some(moment(5)),
                ..QuoteHistory::default()
            },
        ),
    ];
    let mut trips = BTreeMap::from([("atrip-1".to_owned(), TripFacts::default())]);
    let mut tx = tx::begin(&db.pool).await.unwrap();
    facts::load(
        &mut tx,
        &mut trips,
        &BTreeMap::new(),
        &BTreeSet::new(),
        &LedgerScope::default(),
    )
    .await
    .unwrap();
    tx.rollback().await.unwrap();
    let loaded = &trips["atrip-1"].quotes;
    for (id, history) in expected {
        // As this program orders the observations.
        let mut ordered = QuoteHistory::default();
        ordered.merge(&history);
        assert_eq!(loaded[&QuoteId::parse(id).unwrap()].history, ordered, "{id}");
    }
    let one_event = loaded[&QuoteId::parse("aquote-5").unwrap()].received.as_ref().unwrap();
    assert_eq!(one_event.details.price.as_ref().unwrap().amount.to_string(), "9000.5");
    assert_eq!(
        (one_event.version.at, one_event.first_fact_at),
        (Some(moment(1)), moment(1))
    );
    // The older program may not run on the converted histories, and this one continues.
    let oldest = "SELECT oldest_migration::text FROM avinode_ingest.compatibility";
    assert_eq!(text(&db.pool, oldest).await, Some(CONVERTS.to_string()));
    let bodies: Vec<Value> = (1..6)
        .map(|n| {
            quote(
                &format!("evt-{n}"),
                "atrip-1",
                "arfq-1",
                &format!("aquote-{n}"),
                20,
                &format!("{n}00"),
                "USD",
            )
        })
        .collect();
    receive(&db.pool, &bodies).await;
    let amounts =
        "SELECT string_agg(amount::text, ' ' ORDER BY quote_id) FROM avinode_ingest.quote_facts WHERE received";
    assert_eq!(text(&db.pool, amounts).await.as_deref(), Some("100 200 300 400 500"));
}
