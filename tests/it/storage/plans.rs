//! A look-up of deliveries by id reads the index of the partition that has them, also with a plan that was made for any ids.

use avinode_ingest::domain::ids::QuoteId;
use avinode_ingest::postgres::transaction::Transaction;
use avinode_ingest::store::admin::delivery_list::{self, DeliveryFilter};
use avinode_ingest::store::projection::payload::{self, EventStatement, WantedPayload};
use avinode_ingest::store::{deliveries, tx};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::{days_ago, partition_of, receive_at};
use crate::crash::load::body;
use crate::support::cluster::Db;
use crate::support::partitions;

/// The statements of `store::deliveries`, `store::admin` and `store::deliveries::partitions` by id.
const STATEMENTS: [(&str, &str); 3] = [
    (
        "read_and_lock",
        "SELECT id, received_at, body FROM avinode_ingest.deliveries WHERE id = ANY ($1) AND id BETWEEN $2 AND $3
            ORDER BY id FOR KEY SHARE",
    ),
    (
        "show",
        "SELECT received_at FROM avinode_ingest.deliveries WHERE id = $2 AND $1::uuid[] IS NOT NULL AND $3::uuid IS NOT NULL",
    ),
    (
        "delete",
        "DELETE FROM avinode_ingest.deliveries WHERE id = ANY ($1) AND id BETWEEN $2 AND $3",
    ),
];

/// The tables that a plan read, and the kinds of these nodes.
fn reads(node: &Value, found: &mut Vec<(String, String)>) {
    let text = |name: &str| node[name].as_str().map(str::to_owned);
    if let Some((table, kind)) = text("Relation Name").zip(text("Node Type"))
        && node["Actual Loops"].as_f64().is_some_and(|loops| loops > 0.0)
        && kind.contains("Scan")
    {
        found.push((table, kind));
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        reads(child, found);
    }
}

async fn plan(connection: &mut PgConnection, name: &str, ids: &[Uuid]) -> Vec<(String, String)> {
    let list: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    let (lowest, highest) = (ids.iter().min().unwrap(), ids.iter().max().unwrap());
    let explained: Value = sqlx::query_scalar(AssertSqlSafe(format!(
        "EXPLAIN (ANALYZE, FORMAT json) EXECUTE {name} (ARRAY[{}]::uuid[], '{lowest}', '{highest}')",
        list.join(", ")
    )))
    .persistent(false)
    .fetch_one(connection)
    .await
    .unwrap();
    let mut found = Vec::new();
    reads(&explained[0]["Plan"], &mut found);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_found_in_one_partition_by_its_index() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 24).await;
    let mut ids = Vec::new();
    for number in 0..50 {
        let days = i64::try_from(number).unwrap() % 25 * 28;
        ids.push(receive_at(&db.pool, days_ago(days), &body(number)).await.unwrap());
    }
    db.run(
        "INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
        SELECT (left(avinode_ingest.uuid_of_time(now() - n * interval '20 minutes')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid,
            now(), '', '', '' FROM generate_series(1, 50000) AS n;
        ANALYZE avinode_ingest.deliveries",
    )
    .await;
    let mut connection = db.pool.connection().await;
    for (name, statement) in STATEMENTS {
        sqlx::raw_sql(AssertSqlSafe(format!(
            "PREPARE {name} (uuid[], uuid, uuid) AS {statement}"
        )))
        .execute(&mut connection)
        .await
        .unwrap();
    }
    for mode in ["force_generic_plan", "force_custom_plan"] {
        sqlx::raw_sql(AssertSqlSafe(format!("SET plan_cache_mode = {mode}")))
            .execute(&mut connection)
            .await
            .unwrap();
        for (name, _) in STATEMENTS {
            // The ids of one day: 0 and 25 are of the same month.
            let found = plan(&mut connection, name, &[ids[2], ids[27]]).await;
            assert_eq!(found.len(), 1, "{name}, {mode}: {found:?}");
            assert!(found[0].1.contains("Index"), "{name}, {mode}: {found:?}");
        }
    }
    connection.close().await.unwrap();
}

/// The partitions that this transaction has locked.
async fn locked(tx: &mut Transaction<'_>) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT DISTINCT relname::text FROM pg_locks JOIN pg_inherits ON inhrelid = relation
         JOIN pg_class ON pg_class.oid = relation AND relkind = 'r' WHERE pid = pg_backend_pid()",
    )
    .fetch_all(tx)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_locks_only_the_partitions_that_it_reads() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 24).await;
    let id = receive_at(&db.pool, days_ago(60), &body(1)).await.unwrap();
    let other = receive_at(&db.pool, days_ago(0), &body(2)).await.unwrap();
    let mut tx = db
        .pool
        .begin_with("SET LOCAL plan_cache_mode = force_generic_plan;")
        .await
        .unwrap();
    let read = deliveries::read(&mut tx, &[id]).await.unwrap();
    assert_eq!(read.keys().collect::<Vec<_>>(), [&id]);
    assert_eq!(locked(&mut tx).await, [partition_of(&db.pool, id).await.unwrap()]);
    assert_eq!(deliveries::read(&mut tx, &[other, id]).await.unwrap().len(), 2);
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_look_up_of_a_quotes_body_locks_only_the_partition_that_has_it() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 24).await;
    let at = days_ago(60);
    let id = receive_at(&db.pool, at, &body(1)).await.unwrap();
    receive_at(&db.pool, days_ago(0), &body(2)).await.unwrap();
    let mut tx = tx::begin(&db.pool.service()).await.unwrap();
    let quote = QuoteId::parse("aquote-1").unwrap();
    let wanted = WantedPayload {
        trip_key: "atrip-1",
        quote: &quote,
        statement: EventStatement {
            at: None,
            first_seen_at: at,
            digest: [0; 32],
        },
    };
    let found = payload::read_missing(&mut tx, &[wanted]).await.unwrap();
    assert_eq!(found.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [id]);
    assert_eq!(locked(&mut tx).await, [partition_of(&db.pool, id).await.unwrap()]);
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_deliveries_are_listed_by_index() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 24).await;
    for number in 0..48 {
        receive_at(&db.pool, days_ago(i64::try_from(number).unwrap() * 14), &body(number))
            .await
            .unwrap();
    }
    let page = |before| DeliveryFilter {
        before,
        limit: 30,
        ..DeliveryFilter::default()
    };
    let first = delivery_list::list(&db.pool, &page(None)).await.unwrap();
    assert_eq!(first.next, Some(first.data[29].id));
    let next = delivery_list::list(&db.pool, &page(first.next)).await.unwrap();
    assert_eq!(next.next, None);
    let ids: Vec<Uuid> = first
        .data
        .iter()
        .chain(&next.data)
        .map(|delivery| delivery.id)
        .collect();
    assert_eq!(ids.len(), 48);
    assert!(ids.is_sorted_by(|one, other| one > other));
}
