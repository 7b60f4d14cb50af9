//! Reconciliation on a schedule.

use std::time::Duration;

use avinode_ingest::jobs::maintenance;

use crate::fetching::setup::live;
use crate::support::cluster::Db;
use crate::support::sessions::SessionBuilder;

#[tokio::test(flavor = "multi_thread")]
async fn on_a_schedule_one_process_reconciles_the_active_trips_once_per_interval() {
    let db = Db::new().await;
    SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    for process in ["one", "another", "one"] {
        maintenance::reconcile(&db.pool, process, Duration::from_secs(3600))
            .await
            .unwrap();
    }
    assert_eq!(live(&db.pool).await.len(), 1);
    db.run("DELETE FROM avinode_ingest.jobs").await;
    maintenance::reconcile(&db.pool, "one", Duration::from_secs(3600))
        .await
        .unwrap();
    assert_eq!(live(&db.pool).await.len(), 0, "not before its time");
    db.run("UPDATE avinode_ingest.leader_leases SET done_at = done_at - interval '1 hour'")
        .await;
    maintenance::reconcile(&db.pool, "another", Duration::from_secs(3600))
        .await
        .unwrap();
    assert_eq!(live(&db.pool).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_reconcile_interval_takes_effect_immediately() {
    let db = Db::new().await;
    SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    let (month, hour) = (Duration::from_secs(30 * 24 * 3600), Duration::from_secs(3600));
    let turn = async |every| {
        maintenance::reconcile(&db.pool, "one", every).await.unwrap();
        let queued = "DELETE FROM avinode_ingest.jobs WHERE kind = 'reconcile'";
        let deleted = sqlx::query(queued).execute(&db.pool).await;
        deleted.unwrap().rows_affected()
    };
    assert_eq!(turn(month).await, 1);
    db.run("UPDATE avinode_ingest.leader_leases SET done_at = done_at - interval '2 hours'")
        .await;
    assert_eq!(turn(month).await, 0, "not before its time");
    assert_eq!(turn(hour).await, 1, "by the present setting it is time");
    assert_eq!(turn(hour).await, 0);
}
