//! The table of deliveries of before becomes the first partition, on a live database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use avinode_ingest::postgres::migrator::{self, known::MIGRATOR};
use avinode_ingest::queue::admin;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{days_ago, partition_of, receive_at};
use crate::crash::load::{body, sessions};
use crate::support::actions::retry;
use crate::support::cluster::Db;
use crate::support::old_schema::migrated_below;
use crate::support::partitions;
use crate::support::retention::{defaults, run};
use crate::support::sql::{count, text};
use crate::support::worker::run_jobs;

/// The first migration of the partitions.
const PARTITIONS: i64 = 202_611_290_400;

/// Deliveries of the last two years.
async fn fill(db: &Db, rows: i64) {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
        SELECT (left(lpad(to_hex(extract(epoch FROM at)::bigint * 1000), 12, '0'), 12) || '7' || lpad(to_hex(n), 19, '0'))::uuid,
            at, 'hmac#1', '', decode(repeat('ab', 200), 'hex')
        FROM generate_series(1, {rows}) AS n, LATERAL (SELECT now() - interval '2 years' * n / {rows} AS at) AS time"
    )))
    .execute(&db.pool)
    .await
    .unwrap();
}

const FILE: &str = "SELECT relfilenode::bigint FROM pg_class WHERE oid = $1::bigint::oid";

async fn file(db: &Db, table: i64) -> i64 {
    sqlx::query_scalar(FILE).bind(table).fetch_one(&db.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_becomes_the_first_partition_while_deliveries_are_received() {
    let db = migrated_below(PARTITIONS).await;
    // Later columns, without which the workers of this program finish no job.
    db.run("ALTER TABLE avinode_ingest.jobs ADD COLUMN admin_action text, ADD COLUMN suspected boolean NOT NULL DEFAULT false")
        .await;
    fill(&db, 50_000).await;
    let role = format!("reads_{}", Uuid::now_v7().simple());
    db.run(&format!(
        "CREATE ROLE {role}; GRANT SELECT, DELETE ON avinode_ingest.deliveries TO {role}; GRANT USAGE ON SCHEMA avinode_ingest TO {role}"
    ))
    .await;
    let dies = receive_at(&db.pool, days_ago(300), br#"{"event": "SomethingNew", "data": {}}"#)
        .await
        .unwrap();
    run_jobs(&db.pool).await;
    // Their rematches run after the migration: this program applies nothing on an older schema.
    sessions(&db.pool).await;
    let table = count(&db.pool, "SELECT 'avinode_ingest.deliveries'::regclass::oid::bigint").await;
    let stored_in = file(&db, table).await;

    // The statement of receiving is that of the program before.
    let is_done = AtomicBool::new(false);
    let ((received, longest), ()) = tokio::join!(
        async {
            let (mut received, mut longest) = (Vec::new(), Duration::ZERO);
            while !is_done.load(Ordering::Relaxed) || received.len() < 20 {
                let begun = Instant::now();
                received.push(receive_at(&db.pool, days_ago(0), &body(received.len())).await.unwrap());
                longest = longest.max(begun.elapsed());
            }
            (received, longest)
        },
        async {
            let applied = migrator::migrate(&db.options).await.unwrap();
            assert!(applied.iter().all(|migration| migration.version >= PARTITIONS));
            is_done.store(true, Ordering::Relaxed);
        }
    );
    // A migration waits for a lock for 700 ms; the rest is for a slow machine.
    assert!(longest < Duration::from_millis(1500), "{longest:?}");
    assert_eq!(migrator::migrate(&db.options).await.unwrap(), []);

    let names = partitions::names(&db.pool).await;
    assert!(names[0].starts_with("deliveries_until_"), "{names:?}");
    assert_eq!(
        text(
            &db.pool,
            "SELECT name FROM avinode_ingest.delivery_partitions() WHERE lower_id IS NULL AND NOT is_default"
        )
        .await
        .as_ref(),
        Some(&names[0])
    );
    let first: i64 = sqlx::query_scalar("SELECT oid::bigint FROM avinode_ingest.delivery_partitions() WHERE name = $1")
        .bind(&names[0])
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(
        (first, file(&db, first).await),
        (table, stored_in),
        "the table was written again"
    );
    let stored = count(&db.pool, "SELECT count(*) FROM avinode_ingest.deliveries").await;
    assert_eq!(usize::try_from(stored).unwrap(), 50_001 + received.len());
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.deliveries_default").await,
        0
    );
    assert_eq!(
        count(
            &db.pool,
            "SELECT count(*) FROM pg_constraint WHERE conname = 'deliveries_bound'"
        )
        .await,
        0
    );
    let may = format!(
        "SELECT has_table_privilege('{role}', 'avinode_ingest.deliveries', 'SELECT, DELETE')
            AND has_function_privilege('{role}', 'avinode_ingest.make_delivery_partition(integer)', 'EXECUTE')"
    );
    assert!(
        sqlx::query_scalar::<_, bool>(AssertSqlSafe(may))
            .fetch_one(&db.pool)
            .await
            .unwrap()
    );
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;

    // Jobs of before find their deliveries.
    run_jobs(&db.pool).await;
    let applied = count(&db.pool, "SELECT count(*) FROM avinode_ingest.event_keys").await;
    assert_eq!(usize::try_from(applied).unwrap(), received.len());
    let dead = admin::dead_ids(&db.pool, None).await.unwrap();
    assert_eq!(dead.len(), 1);
    retry(&db.pool, &dead).await;
    run_jobs(&db.pool).await;
    let reason = text(&db.pool, "SELECT reason FROM avinode_ingest.dead_jobs")
        .await
        .unwrap();
    assert!(reason.contains("SomethingNew"), "{reason}");
    assert_eq!(partition_of(&db.pool, dies).await.as_ref(), Some(&names[0]));
    // The first partition is dropped when its newest delivery is past the retention, and not before.
    let report = run(&db.pool, &defaults()).await.remove(0);
    assert_eq!((report.dropped, report.deliveries), (vec![], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_the_future_do_not_stop_the_migration() {
    let db = migrated_below(PARTITIONS).await;
    fill(&db, 1_000).await;
    let soon = receive_at(&db.pool, days_ago(-100), &body(1)).await.unwrap();
    let far = receive_at(&db.pool, days_ago(-4000), &body(2)).await.unwrap();
    migrator::migrate(&db.options).await.unwrap();
    assert_eq!(partition_of(&db.pool, far).await.as_deref(), Some("deliveries_default"));
    let month: String = sqlx::query_scalar(
        "SELECT name FROM avinode_ingest.delivery_partitions() WHERE lower_id <= $1 AND upper_id > $1",
    )
    .bind(soon)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(partition_of(&db.pool, soon).await, Some(month));
    assert_eq!(partitions::names(&db.pool).await.len(), 13);
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.deliveries").await,
        1_002
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_interrupted_for_long_goes_on_with_a_later_bound() {
    let db = migrated_below(PARTITIONS).await;
    fill(&db, 1_000).await;
    // As the file makes it, long ago.
    db.run(
        "ALTER TABLE avinode_ingest.deliveries ADD CONSTRAINT deliveries_bound
            CHECK (id < '01a00000-0000-0000-0000-000000000000') NOT VALID",
    )
    .await;
    let functions = MIGRATOR
        .iter()
        .find(|migration| migration.version == PARTITIONS)
        .unwrap();
    db.run(functions.sql.as_str()).await;
    let swap = MIGRATOR
        .iter()
        .find(|migration| migration.version == PARTITIONS + 3)
        .unwrap();
    db.run(swap.sql.as_str()).await;
    let id = receive_at(&db.pool, days_ago(0), &body(1)).await.unwrap();
    let names = partitions::names(&db.pool).await;
    assert_eq!(partition_of(&db.pool, id).await.as_ref(), Some(&names[0]));
}
