//! One cause leaves one dead letter, however many jobs die of it.

use avinode_ingest::queue::admin;
use serde_json::json;

use super::setup::{Fetching, fetching_worker, live, make_due, notify};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::pool::Pool;

/// Lets the jobs die of waiting for a trip.
async fn wait_in_vain(db: &Db, worker: &Fetching) {
    for _ in 0..4 {
        for table in [
            "jobs SET created_at = created_at",
            "documents SET requested_at = requested_at",
        ] {
            let later = format!("UPDATE avinode_ingest.{table} - interval '41 minutes'");
            db.run(&later).await;
        }
        make_due(&db.pool).await;
        worker.step("w").await.unwrap();
    }
    assert_eq!(live(&db.pool).await, []);
}

async fn dead(pool: &Pool) -> Vec<(String, bool)> {
    sqlx::query_as("SELECT kind, delivery_id IS NOT NULL FROM avinode_ingest.dead_jobs ORDER BY id")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_quote_leaves_one_dead_letter_and_not_one_of_its_second_fetch_as_well() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let price = json!({"price": 10_000, "currency": "USD"});
    stub.show("quotes/aquote-7", json!({"id": "aquote-7", "sellerPrice": price}));
    notify(&db.pool, &[stub.thin("quotes/aquote-7", None)]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    worker.step("w").await.unwrap();
    assert_eq!(live(&db.pool).await.len(), 2, "with a second fetch");
    wait_in_vain(&db, &worker).await;
    let of_notification = [("fetch_notified".to_owned(), true)];
    assert_eq!(dead(&db.pool).await, of_notification);
    // Each job has an outcome of its own.
    let died: Vec<String> =
        sqlx::query_scalar("SELECT kind FROM avinode_ingest.outcomes WHERE outcome = 'dead' ORDER BY job_id")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(died, ["fetch_notified", "fetch_follow_up"]);

    // A job without a delivery that died first gives way to that of a delivery.
    let dead_ids = admin::dead_ids(&db.pool.service(), None).await.unwrap();
    db.run("UPDATE avinode_ingest.dead_jobs SET kind = 'fetch_follow_up', delivery_id = NULL")
        .await;
    notify(&db.pool, &[stub.thin("quotes/aquote-7", None)]).await;
    worker.step("w").await.unwrap();
    wait_in_vain(&db, &worker).await;
    assert_eq!(dead(&db.pool).await, of_notification);
    assert_ne!(admin::dead_ids(&db.pool.service(), None).await.unwrap(), dead_ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_resource_that_die_of_different_reasons_leave_a_dead_letter_each() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    db.run(
        "INSERT INTO avinode_ingest.dead_jobs (id, kind, key, created_at, attempts, crashes, reason, history)
         VALUES (1000000, 'reconcile', 'aquote-7', clock_timestamp(), 1, 0, 'another reason', '{}')",
    )
    .await;
    let price = json!({"price": 10_000, "currency": "USD"});
    stub.show("quotes/aquote-7", json!({"id": "aquote-7", "sellerPrice": price}));
    notify(&db.pool, &[stub.thin("quotes/aquote-7", None)]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    worker.step("w").await.unwrap();
    wait_in_vain(&db, &worker).await;
    assert_eq!(dead(&db.pool).await.len(), 2);
}
