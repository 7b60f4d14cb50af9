//! Due jobs on which no worker works make `/readyz` fail.

use std::time::Duration;

use avinode_ingest::queue::overdue::is_work_standing_still;

use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::sql::text;
use crate::support::worker::worker;

const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn work_stands_still_only_if_jobs_are_overdue_and_none_runs_or_was_finished() {
    let db = Db::new().await;
    let still = async || is_work_standing_still(&db.pool, BOUND).await.unwrap();
    let jobs = [quote_of("atrip-1", "q1", 0), quote_of("atrip-2", "q2", 0)];
    store_deliveries(&db.pool, &jobs, base()).await;
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() - interval '59 seconds'")
        .await;
    assert!(!still().await, "not yet");
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() - interval '61 seconds'")
        .await;
    assert!(still().await);
    // A worker has the first one.
    db.run(
        "UPDATE avinode_ingest.jobs SET lease_token = 1, leased_by = 'w', due_at = clock_timestamp() + interval '1 minute'
         WHERE id = (SELECT min(id) FROM avinode_ingest.jobs)",
    )
    .await;
    assert!(!still().await, "a job runs");
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() - interval '61 seconds'")
        .await;
    assert!(still().await, "its lease has run out");
    while worker(&db.pool).step("w").await.unwrap().jobs > 0 {}
    store_deliveries(&db.pool, &[quote_of("atrip-1", "q3", 1)], base()).await;
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() - interval '61 seconds'")
        .await;
    assert!(!still().await, "others were finished a moment ago");
    let finished =
        "UPDATE avinode_ingest.outcomes SET finished_at = finished_at - interval '61 seconds' RETURNING outcome";
    assert!(text(&db.pool, finished).await.is_some());
    assert!(still().await);
}
