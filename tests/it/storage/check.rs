//! `check` says when partitions are not made or dropped in time.

use chrono::{DateTime, TimeDelta, Utc};

use super::{days_ago, receive_at};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::partitions;
use crate::support::worker::run_jobs;

/// A delivery of an unknown event: its job dies.
const UNKNOWN: &[u8] = br#"{"event": "SomethingNew", "data": {}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_is_missing_or_overdue_is_a_warning_that_says_why() {
    let db = Db::new().await;
    let url = db.url();
    let of_deliveries = async || check(&[("DATABASE_URL", &url)]).await.of("deliveries");
    assert_eq!(of_deliveries().await.0, "ok");

    partitions::replace_past_by_months(&db.pool, 24).await;
    let oldest = partitions::of_month(&db.pool, 24).await;
    let (status, words) = of_deliveries().await;
    assert_eq!(status, "warning", "{words}");
    assert!(
        words.contains(&format!("the partition {oldest} should have been dropped at ")),
        "{words}"
    );

    let begins: DateTime<Utc> = sqlx::query_scalar(
        "SELECT avinode_ingest.time_of_uuid(lower_id) FROM avinode_ingest.delivery_partitions() WHERE name = $1",
    )
    .bind(&oldest)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    receive_at(&db.pool, begins + TimeDelta::days(1), UNKNOWN)
        .await
        .unwrap();
    run_jobs(&db.pool).await;
    let (status, words) = of_deliveries().await;
    assert_eq!(status, "warning", "{words}");
    assert!(
        words.contains(&oldest) && words.contains("is kept for 1 job "),
        "{words}"
    );

    let missing = partitions::of_month(&db.pool, -1).await;
    db.run(&format!("DROP TABLE avinode_ingest.{missing}")).await;
    let (status, words) = of_deliveries().await;
    assert_eq!(status, "warning warning", "{words}");
    let month = missing.trim_start_matches("deliveries_").replace('_', "-");
    assert!(
        words.contains(&format!("there is no partition for the deliveries of {month}")),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_a_wrong_clock_are_named() {
    let db = Db::new().await;
    receive_at(&db.pool, days_ago(-4000), UNKNOWN).await.unwrap();
    let (status, words) = check(&[("DATABASE_URL", &db.url())]).await.of("deliveries");
    assert_eq!(status, "ok", "{words}");
    assert!(words.contains("1 in the default partition"), "{words}");
}
