//! Each table keeps its rows for its time, and deletes them in small steps by an index.

use std::time::Duration;

use avinode_ingest::jobs::retention;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::crash::load::event;
use crate::support::PATIENCE;
use crate::support::actions::replay;
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{at_least, eventually};
use crate::support::pool::Pool;
use crate::support::retention::{defaults, run};
use crate::support::sessions::SessionBuilder;
use crate::support::snapshot::{assert_same, dead_jobs, snapshot};
use crate::support::sql::count;
use crate::support::worker::run_jobs;

/// The rows of each table: every second one is old.
const ROWS: i64 = 50_000;
const OLD: i64 = ROWS / 2;

/// Rows of each table; `{at}` is the time of row `n`, now or before any retention.
const FILL: [(&str, &str); 7] = [
    (
        "outcomes",
        "(job_id, kind, created_at, finished_at, attempts, outcome) SELECT n, 'full_event', {at}, {at}, 1, 'applied'",
    ),
    (
        "event_keys",
        "(event_id, delivery_id, body_sha256, applied_at) SELECT 'evt-' || n, gen_random_uuid(), '\\x00', {at}",
    ),
    (
        "timeline",
        "(session_id, seq, recorded_at, kind, dedup_key, detail)
            SELECT '00000000-0000-0000-0000-000000000001', n, {at}, 'quote_received', 'received/' || n, '{}'",
    ),
    (
        "documents",
        "(resource_id, kind, requested_at, fetch_began_at, stored_at, digest, body)
            SELECT 'arfq-' || n, 'rfqs', {at}, {at}, {at}, '\\x00', '\\x7b7d'",
    ),
    (
        "delivery_subjects",
        "(delivery_id, job_id, kind, trip_key) SELECT avinode_ingest.uuid_of_time({at}), n, 'quote', 'trip-' || n",
    ),
    (
        "batches",
        "(id, actor, action, filter, row_limit, state, begun_at) SELECT gen_random_uuid(), 'a', 'retry', '{}', 1, 'finished', {at}",
    ),
    (
        "dead_jobs",
        "(id, kind, created_at, died_at, attempts, crashes, reason, history) SELECT n, 'full_event', {at}, {at}, 1, 0, 'unknown', '{}'",
    ),
];

async fn fill(db: &Db, table: &str, columns: &str) {
    let at = "(now() - CASE WHEN n % 2 = 0 THEN interval '0' ELSE interval '5 years' - n * interval '1 second' END)";
    let columns = columns.replace("{at}", at);
    db.run(&format!(
        "INSERT INTO avinode_ingest.{table} {columns} FROM generate_series(1, {ROWS}) AS n; ANALYZE avinode_ingest.{table}"
    ))
    .await;
    // Statistics arrive late: the pages of these insertions are not to be counted as those of the deletions.
    eventually(PATIENCE, "the insertions are counted", async || {
        let inserted: i64 = sqlx::query_scalar(
            "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relid = ('avinode_ingest.' || $1)::regclass",
        )
        .bind(table)
        .fetch_one(&db.pool)
        .await
        .unwrap();
        at_least(inserted, ROWS)
    })
    .await;
}

/// Rows read by scans from end to end, deleted or emptied rows, and pages of the table and of its indexes, since the last reset.
async fn work(pool: &Pool, table: &str) -> (i64, i64, i64, i64) {
    sqlx::query_as(
        "SELECT seq_tup_read, n_tup_del + n_tup_upd, heap_blks_read + heap_blks_hit, idx_blks_read + idx_blks_hit
         FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid)
         WHERE relid = ('avinode_ingest.' || $1)::regclass",
    )
    .bind(table)
    .fetch_one(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_of_each_table_are_deleted_by_an_index_and_new_ones_stay() {
    let db = Db::new().await.without_autovacuum().await;
    for (table, columns) in FILL {
        fill(&db, table, columns).await;
        let before = work(&db.pool, table).await;
        let own = db.pool.service().sibling(2);
        run(&own, &defaults()).await;
        own.close().await; // the server counts a connection's work when it ends
        let after = eventually(PATIENCE, "the deletions are counted", async || {
            let now = work(&db.pool, table).await;
            at_least(now.1, OLD).map(|()| now)
        })
        .await;
        let left: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM avinode_ingest.{table}")))
            .fetch_one(&db.pool)
            .await
            .unwrap();
        assert_eq!(left, ROWS - OLD, "{table}");
        let (heap, index) = (after.2 - before.2, after.3 - before.3);
        println!("{table}: {OLD} rows deleted, {heap} pages of the table and {index} of its indexes");
        assert_eq!(after.0, before.0, "{table} was read from end to end");
        // A row is found, deleted and, for a document, looked up by its resource and emptied before.
        let per_row = if table == "documents" { 12 } else { 4 };
        assert!(heap < OLD * per_row, "{table}: {heap} pages");
        assert!(index < OLD * per_row * 2, "{table}: {index} pages of indexes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_in_time_and_the_next_one_goes_on() {
    let db = Db::new().await;
    fill(&db, FILL[0].0, FILL[0].1).await;
    let mut runs = 0;
    loop {
        let report = retention::run(&db.pool, &defaults(), Duration::ZERO).await.unwrap();
        assert!(report.outcomes <= 2_000, "{report:?}");
        runs += 1;
        if !report.is_unfinished {
            break;
        }
    }
    assert!(runs >= OLD / 2_000, "{runs}");
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.outcomes").await,
        ROWS - OLD
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_key_was_deleted_changes_nothing_when_it_comes_again() {
    let db = Db::new().await;
    SessionBuilder::of_trip("atrip-70000").insert(&db.pool).await;
    // Every fourth event is of this trip.
    let events: Vec<_> = (0..3).map(|number| event(number * 4)).collect();
    let ids: Vec<Uuid> = store_deliveries(&db.pool, &events, base()).await;
    run_jobs(&db.pool).await;
    let before = snapshot(&db.pool).await;
    db.run("UPDATE avinode_ingest.event_keys SET applied_at = applied_at - interval '401 days'")
        .await;
    assert_eq!(run(&db.pool, &defaults()).await[0].event_keys, 3);
    // Delivered again by the sender, and replayed by an admin.
    store_deliveries(&db.pool, &events, base()).await;
    replay(&db.pool, &ids).await;
    run_jobs(&db.pool).await;
    assert_same(&before, &snapshot(&db.pool).await);

    // Nor do entries of the timeline come back.
    db.run("UPDATE avinode_ingest.timeline SET recorded_at = recorded_at - interval '731 days'")
        .await;
    assert_eq!(run(&db.pool, &defaults()).await[0].timeline, 3);
    replay(&db.pool, &ids).await;
    run_jobs(&db.pool).await;
    assert_eq!(count(&db.pool, "SELECT count(*) FROM avinode_ingest.timeline").await, 0);
    assert_eq!(
        count(&db.pool, "SELECT sum(quotes_received_count) FROM public.chat_sessions").await,
        3
    );
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_fetch_is_kept_as_long_as_event_keys() {
    let db = Db::new().await;
    db.run(
        "INSERT INTO avinode_ingest.documents (resource_id, kind, requested_at, fetch_began_at, stored_at, digest, body)
        SELECT 'arfq-' || days, 'rfqs', at, at, at, '\\x00', '\\x7b7d'
        FROM unnest(ARRAY[29, 31, 399, 401]) AS days, LATERAL (SELECT now() - make_interval(days => days) AS at) AS time",
    )
    .await;
    run(&db.pool, &defaults()).await;
    let left: Vec<(String, bool)> =
        sqlx::query_as("SELECT resource_id, body IS NOT NULL FROM avinode_ingest.documents ORDER BY stored_at DESC")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    let left: Vec<_> = left.iter().map(|(resource, body)| (resource.as_str(), *body)).collect();
    assert_eq!(left, [("arfq-29", true), ("arfq-31", false), ("arfq-399", false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_works_without_named_statements() {
    let db = Db::new().await;
    fill(&db, FILL[1].0, FILL[1].1).await;
    let missing = crate::support::partitions::of_month(&db.pool, -12).await;
    db.run(&format!("DROP TABLE avinode_ingest.{missing}")).await;
    let pooled = db.pool.sibling(2).behind_pooler(true);
    let reports = run(&pooled, &defaults()).await;
    assert_eq!(reports[0].made, [missing]);
    assert_eq!(
        reports.iter().map(|report| report.event_keys).sum::<u64>(),
        OLD.unsigned_abs()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_sessions_are_updated_without_writing_an_index() {
    let db = Db::new().await;
    SessionBuilder::of_trip("atrip-70000").insert(&db.pool).await;
    db.run(
        "INSERT INTO avinode_ingest.session_state (session_id) SELECT gen_random_uuid() FROM generate_series(1, 500);
        INSERT INTO avinode_ingest.trips (key, last_activity_at) SELECT 'T' || n, now() FROM generate_series(1, 500) AS n",
    )
    .await;
    // Each row is updated once. There is room for that on its page even while transactions elsewhere keep the old versions.
    db.run(
        "DO $$
        DECLARE
            one record;
        BEGIN
            FOR one IN SELECT session_id FROM avinode_ingest.session_state LOOP
                UPDATE avinode_ingest.session_state SET timeline_seq = timeline_seq + 1 WHERE session_id = one.session_id;
                COMMIT;
            END LOOP;
            FOR one IN SELECT key FROM avinode_ingest.trips LOOP
                UPDATE avinode_ingest.trips SET last_activity_at = clock_timestamp() WHERE key = one.key;
                COMMIT;
            END LOOP;
        END
        $$",
    )
    .await;
    for table in ["session_state", "trips"] {
        let (hot, all) = eventually(PATIENCE, "the updates are counted", async || {
            let counted: (i64, i64) = sqlx::query_as(
                "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relid = ('avinode_ingest.' || $1)::regclass",
            )
            .bind(table)
            .fetch_one(&db.pool)
            .await
            .unwrap();
            at_least(counted.1, 500).map(|()| counted)
        })
        .await;
        println!("{table}: {hot} of {all} updates were HOT");
        assert!(hot * 100 >= all * 98, "{table}: {hot} of {all}");
    }
}
