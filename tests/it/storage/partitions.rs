//! Partitions are made ahead, dropped after their retention, and keep what a job needs.

use avinode_ingest::queue::admin;
use avinode_ingest::store::deliveries;
use chrono::{TimeZone, Utc};
use uuid::Uuid;

use super::{days_ago, partition_of, receive_at};
use crate::support::actions::{replay, retry};
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::partitions;
use crate::support::retention::{days, defaults, run};
use crate::support::sql::count;
use crate::support::worker::run_jobs;

const DEFAULT: &str = "deliveries_default";

fn body(number: usize) -> Vec<u8> {
    let (event, quote_id) = (format!("evt-{number}"), format!("aquote-{number}"));
    serde_json::to_vec(&quote(&event, "A1B2C3", "arfq-1", &quote_id, 0, "9000", "USD")).unwrap()
}

/// A delivery of an unknown event: its job dies.
const UNKNOWN: &[u8] = br#"{"event": "SomethingNew", "eventId": "evt-new", "data": {}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn partitions_of_a_year_ahead_are_there_and_missing_ones_are_made() {
    let db = Db::new().await;
    let made = partitions::names(&db.pool).await;
    let last = partitions::of_month(&db.pool, -12).await;
    assert_eq!(made.iter().rev().take(2).collect::<Vec<_>>(), [DEFAULT, &last]);
    for missing in [partitions::of_month(&db.pool, -3).await, last] {
        db.run(&format!("DROP TABLE avinode_ingest.{missing}")).await;
    }
    let reports = run(&db.pool, &defaults()).await;
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].made.len(), 2);
    assert_eq!(partitions::names(&db.pool).await, made);
    let unlike: i64 = count(
        &db.pool,
        "SELECT count(DISTINCT (reloptions, relacl::text)) FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
         WHERE inhparent = 'avinode_ingest.deliveries'::regclass",
    )
    .await;
    assert_eq!(unlike, 1, "partitions differ in their parameters or privileges");
    assert_eq!(
        run(&db.pool, &defaults()).await[0].to_string(),
        "",
        "nothing is left to do"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_months_are_dropped_and_the_others_are_untouched() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 9).await;
    let mut ids = Vec::new();
    for month in 0..9 {
        ids.push(
            receive_at(
                &db.pool,
                days_ago(month * 30 + 1),
                &body(usize::try_from(month).unwrap()),
            )
            .await
            .unwrap(),
        );
    }
    run_jobs(&db.pool).await;
    let before = partitions::names(&db.pool).await;
    let reports = run(&db.pool, &defaults()).await;
    assert_eq!(reports.len(), 1);
    let (dropped, kept) = before.split_at(reports[0].dropped.len());
    // Of nine months and the present one, 180 days are kept: six months, or seven if they begin and end within one.
    assert!((2..=4).contains(&dropped.len()), "{dropped:?}");
    assert_eq!(reports[0].dropped, dropped);
    assert_eq!(partitions::names(&db.pool).await, kept);
    let report = reports[0].to_string();
    assert!(
        report.contains(&format!("dropped partition {}", dropped[0])),
        "{report}"
    );
    for (month, id) in ids.iter().enumerate() {
        let there = partition_of(&db.pool, *id).await.is_some();
        assert!(there || month >= 6, "a delivery of {month} months ago was deleted");
        assert!(!there || month < 8, "a delivery of {month} months ago is still there");
    }
    // Outcomes, timeline and event keys keep the id of a deleted delivery.
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.event_keys").await,
        9
    );
    assert!(replay(&db.pool, &ids[8..]).await.is_empty());
    assert!(
        avinode_ingest::store::admin::delivery(&db.pool, ids[8])
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_a_job_needs_survives_until_the_job_is_finished() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 24).await;
    let old = days_ago(400);
    let applied = receive_at(&db.pool, old, &body(1)).await.unwrap();
    let dies = receive_at(&db.pool, old, UNKNOWN).await.unwrap();
    run_jobs(&db.pool).await;
    let waits = receive_at(&db.pool, old, &body(2)).await.unwrap();
    let partition = partition_of(&db.pool, dies).await.unwrap();
    let reports = run(&db.pool, &defaults()).await;
    assert_eq!(reports[0].needed, [partition.as_str()]);
    assert_eq!(reports[0].deliveries, 1);
    assert_eq!(partition_of(&db.pool, applied).await, None);
    for needed in [dies, waits] {
        assert_eq!(
            partition_of(&db.pool, needed).await.as_deref(),
            Some(partition.as_str())
        );
    }

    // The waiting job is applied, and the dead one can be retried: it finds its delivery, and dies of the same reason.
    run_jobs(&db.pool).await;
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.quote_facts").await,
        2
    );
    let dead = admin::dead_ids(&db.pool, None).await.unwrap();
    assert_eq!(retry(&db.pool, &dead).await, dead);
    run_jobs(&db.pool).await;
    let reason: String = sqlx::query_scalar("SELECT reason FROM avinode_ingest.dead_jobs")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert!(reason.contains("SomethingNew"), "{reason}");
    assert_eq!(run(&db.pool, &defaults()).await[0].needed, [partition.as_str()]);
    assert_eq!(partition_of(&db.pool, waits).await, None);

    // The dead job reaches its own retention, and the partition is dropped in the same run.
    db.run("UPDATE avinode_ingest.dead_jobs SET died_at = died_at - interval '366 days'")
        .await;
    let report = run(&db.pool, &defaults()).await.remove(0);
    assert_eq!((report.dead_jobs, report.dropped), (1, vec![partition]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_has_begun_keeps_its_deliveries() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 24).await;
    let id = receive_at(&db.pool, days_ago(400), &body(1)).await.unwrap();
    run_jobs(&db.pool).await;
    let mut replay = db.pool.begin().await.unwrap();
    assert_eq!(deliveries::read_and_lock(&mut replay, &[id]).await.unwrap().len(), 1);
    // The partition is locked by the replay, and so is its row: neither of the two ways of deletion gets it.
    let pool = db.pool.service();
    let budget = std::time::Duration::ZERO;
    let report = avinode_ingest::jobs::retention::run(&pool, &defaults(), budget)
        .await
        .unwrap();
    assert!(report.is_unfinished);
    let single = deliveries::partitions::delete_single(&pool, days(180), Uuid::nil())
        .await
        .unwrap();
    assert_eq!(single.deleted, 0);
    sqlx::query("INSERT INTO avinode_ingest.jobs (kind, delivery_id) VALUES ('event_replay', $1)")
        .bind(id)
        .execute(&mut replay)
        .await
        .unwrap();
    replay.commit().await.unwrap();
    let partition = partition_of(&db.pool, id).await.unwrap();
    assert_eq!(run(&db.pool, &defaults()).await[0].needed, [partition]);
    run_jobs(&db.pool).await;
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.dead_jobs").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_with_any_clock_stores_its_deliveries_and_they_are_applied() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 9).await;
    let (past, far) = (
        Utc.timestamp_opt(1, 0).unwrap(),
        Utc.with_ymd_and_hms(2150, 1, 1, 0, 0, 0).unwrap(),
    );
    let mut ids = Vec::new();
    for (number, clock) in [days_ago(-1), days_ago(-45), far, days_ago(600), past]
        .into_iter()
        .enumerate()
    {
        ids.push(receive_at(&db.pool, clock, &body(number)).await.unwrap());
    }
    let mut places = Vec::new();
    for id in &ids {
        places.push(partition_of(&db.pool, *id).await.unwrap());
    }
    assert!(places[..2].iter().all(|place| place != DEFAULT), "{places:?}");
    assert_eq!(places[2..], [DEFAULT, DEFAULT, DEFAULT]);
    // Nothing is deleted before it is applied.
    assert_eq!(run(&db.pool, &defaults()).await[0].deliveries, 0);
    run_jobs(&db.pool).await;
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.quote_facts").await,
        5
    );
    assert_eq!(run(&db.pool, &defaults()).await[0].deliveries, 2);
    for (id, place) in ids.iter().zip(&places).take(3) {
        assert_eq!(partition_of(&db.pool, *id).await.as_ref(), Some(place));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_a_month_without_a_partition_move_into_it_when_it_is_made() {
    let db = Db::new().await;
    let missing = partitions::of_month(&db.pool, -12).await;
    db.run(&format!("DROP TABLE avinode_ingest.{missing}")).await;
    let id = receive_at(&db.pool, days_ago(-365), &body(1)).await.unwrap();
    assert_eq!(partition_of(&db.pool, id).await.as_deref(), Some(DEFAULT));
    assert_eq!(run(&db.pool, &defaults()).await[0].made, [missing.as_str()]);
    assert_eq!(partition_of(&db.pool, id).await, Some(missing.clone()));

    // Too many to be moved in one short transaction: the month stays where it is, and others are made.
    db.run(&format!(
        "DROP TABLE avinode_ingest.{missing};
        INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
        SELECT (left(avinode_ingest.uuid_of_time(clock_timestamp() + interval '365 days')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid,
            clock_timestamp(), '', '', '' FROM generate_series(1, 10001) AS n"
    ))
    .await;
    let other = partitions::of_month(&db.pool, -5).await;
    db.run(&format!("DROP TABLE avinode_ingest.{other}")).await;
    assert_eq!(run(&db.pool, &defaults()).await[0].made, [other]);
}
