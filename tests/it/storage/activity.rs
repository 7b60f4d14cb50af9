//! The last hour by minutes, as the console plots it.

use std::time::{Duration, Instant};

use avinode_ingest::admin::activity::{self, COUNTED, MINUTES, MinuteActivity};

use crate::support::activity::fill;
use crate::support::cluster::Db;

/// Deliveries of the last 50 minutes in the second test, and as many outcomes.
const MANY: u32 = 400_000;
const OF_A_MINUTE: i64 = 8_000;
/// The bound of a page of the console, also in an unoptimised build.
const BOUND: Duration = Duration::from_millis(100);

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
    db.run("VACUUM ANALYZE avinode_ingest.outcomes").await;
    let pool = db.pool.service();
    let mut best = Duration::MAX;
    let mut hour = activity::read(&pool).await.unwrap();
    for _ in 0..5 {
        let begun = Instant::now();
        hour = activity::read(&pool).await.unwrap();
        best = best.min(begun.elapsed());
    }
    println!("{MANY} deliveries and outcomes of an hour in {best:.1?}");
    let heavy = &hour.minutes[15..55];
    assert!(heavy.iter().all(|minute| minute.is_estimate), "{heavy:?}");
    for minute in heavy {
        let near = |count: i64, expected: i64| (count - expected).abs() < expected / 20;
        assert!(near(minute.received, OF_A_MINUTE), "{minute:?}");
        assert!(near(minute.applied, OF_A_MINUTE * 3 / 4), "{minute:?}");
    }
    assert!(OF_A_MINUTE > COUNTED);
    assert!(best < BOUND, "{best:?}");
}
