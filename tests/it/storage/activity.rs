//! The last hour by minutes, as the console plots it.

use std::time::Instant;

use avinode_ingest::admin::activity::{self, COUNTED, MINUTES, MinuteActivity};
use avinode_ingest::postgres::transaction::Transaction;
use avinode_ingest::store::deliveries::rates;

use crate::support::activity::fill;
use crate::support::cluster::Db;

/// Deliveries of the last 50 minutes in the second test, and as many outcomes.
const MANY: u32 = 400_000;
const OF_A_MINUTE: i64 = 8_000;

#[tokio::test(flavor = "multi_thread")]
async fn the_deliveries_of_one_busy_minute_are_counted() {
    let db = Db::new().await;
    fill(&db, 5_000, "20 seconds", "1 millisecond").await;
    let hour = activity::read(&db.pool.service()).await.unwrap();
    let last = hour.minutes.last().unwrap();
    assert_eq!((last.received, last.is_estimate), (5_000, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_has_its_deliveries_and_the_times_of_those_that_were_applied_when_they_came() {
    let db = Db::new().await;
    fill(&db, 4, "20 seconds", "1 second").await;
    // No time to apply: it is none of these.
    db.run("UPDATE avinode_ingest.outcomes SET outcome = 'duplicate' WHERE job_id = 2")
        .await;
    let hour = activity::read(&db.pool.service()).await.unwrap();
    assert_eq!(hour.minutes.len(), usize::try_from(MINUTES).unwrap());
    let (last, before) = hour.minutes.split_last().unwrap();
    let expected = MinuteActivity {
        received: 4,
        // A replay and a duplicate are left out.
        applied: 2,
        median_seconds: Some(1.5),
        percentile95_seconds: Some(1.95),
        is_estimate: false,
    };
    assert_eq!(*last, expected);
    assert_eq!(before, vec![MinuteActivity::default(); before.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_with_many_deliveries_is_estimated_at_a_bounded_cost() {
    let db = Db::new().await;
    fill(&db, MANY, "1 second", "7.5 milliseconds").await;
    let pool = db.pool.service();
    let begun = Instant::now();
    let hour = activity::read(&pool).await.unwrap();
    println!("{MANY} deliveries and outcomes of an hour in {:.1?}", begun.elapsed());
    let heavy = &hour.minutes[15..55];
    for minute in heavy {
        let near = |count: i64, expected: i64| (count - expected).abs() < expected / 20;
        assert!(minute.is_estimate, "{minute:?}");
        assert!(near(minute.received, OF_A_MINUTE), "{minute:?}");
        assert!(near(minute.applied, OF_A_MINUTE * 3 / 4), "{minute:?}");
    }
    // Rows, and not time: the machine may be busy.
    let mut tx = pool.begin_with(rates::BY_INDEX).await.unwrap();
    let before = rows_read(&mut tx).await;
    activity::read_minutes(&mut tx, hour.begin_of(0), COUNTED)
        .await
        .unwrap();
    let read = rows_read(&mut tx).await - before;
    let most = 2 * i64::from(MINUTES) * (COUNTED + 1);
    assert!(
        (most / 2..=most).contains(&read),
        "{read} rows were read, at most {most} expected"
    );
}

/// Rows that this connection has read of deliveries and outcomes, since its counts were published.
async fn rows_read(tx: &mut Transaction<'_>) -> i64 {
    sqlx::query_scalar(
        "SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::bigint FROM pg_stat_xact_user_tables
         WHERE schemaname = 'avinode_ingest' AND (relname LIKE 'deliveries%' OR relname = 'outcomes')",
    )
    .fetch_one(tx)
    .await
    .unwrap()
}
