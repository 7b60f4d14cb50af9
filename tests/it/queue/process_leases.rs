//! The jobs of a dead process are taken over long before their own leases run out, and those of a living one are not.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::queue::process_identity::ProcessIdentity;
use avinode_ingest::queue::process_lease::{ProcessLease, TakenOver};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::pool::Pool;
use crate::support::sql::count;
use crate::support::throughout::throughout;

/// A job under a lease of an hour, held by worker 1 of `process`, which also leads `fetching`, and its own lease.
async fn process_with_job(db: &Db, process: &str, held_for: &str) {
    db.run(&format!(
        "INSERT INTO avinode_ingest.jobs (kind, lease_token, leased_by, attempts, due_at)
         VALUES ('unknown_format', 1, '{process}/1', 1, now() + interval '1 hour');
         INSERT INTO avinode_ingest.leader_leases (name, holder, held_until)
         VALUES ('process/{process}', '{process}', now() + interval '{held_for}'),
             ('leads-{process}', '{process}/fetching', now() + interval '1 hour')"
    ))
    .await;
}

/// The number of jobs and leader leases that are still held.
async fn held(pool: &Pool) -> i64 {
    count(
        pool,
        "SELECT (SELECT count(*) FROM avinode_ingest.jobs WHERE due_at > now())
            + (SELECT count(*) FROM avinode_ingest.leader_leases WHERE held_until > now() AND starts_with(name, 'leads-'))",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_process_is_taken_over_once_the_database_was_there_for_the_length_of_a_lease() {
    let db = Db::new().await;
    process_with_job(&db, "dead", "-1 second").await;
    let lease = Mutex::new(ProcessLease::new(db.pool.service(), "this", None));
    // All leases run out while the database is away: at first nothing is known.
    assert_eq!(lease.lock().await.step().await.unwrap(), TakenOver::default());
    assert_eq!(held(&db.pool).await, 2);
    let taken = eventually(PATIENCE, "the dead process is taken over", async || {
        let taken = lease.lock().await.step().await.unwrap();
        (taken != TakenOver::default()).then_some(taken)
    })
    .await;
    assert_eq!(taken, TakenOver { processes: 1, jobs: 1 });
    assert_eq!(held(&db.pool).await, 0);
    assert_eq!(lease.lock().await.step().await.unwrap(), TakenOver::default(), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_living_process_keeps_jobs_that_take_long() {
    let db = Db::new().await;
    process_with_job(&db, "slow", "-1 second").await;
    let stop = CancellationToken::new();
    let slow = ProcessLease::new(db.pool.service(), "slow", ProcessIdentity::of_this_process());
    let slow = tokio::spawn(slow.run(Arc::new(Notify::new()), stop.clone()));
    let mut lease = ProcessLease::new(db.pool.service(), "this", ProcessIdentity::of_this_process());
    eventually(PATIENCE, "the slow process renews its lease", async || {
        count(
            &db.pool,
            "SELECT count(*) FROM avinode_ingest.leader_leases WHERE name = 'process/slow' AND held_until > now()",
        )
        .await
            == 1
    })
    .await;
    throughout(Duration::from_secs(8), async || {
        assert_eq!(lease.step().await.unwrap(), TakenOver::default());
    })
    .await;
    assert_eq!(held(&db.pool).await, 2);
    stop.cancel();
    slow.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_this_machine_that_has_ended_is_taken_over_at_once() {
    let db = Db::new().await;
    process_with_job(&db, "killed", "1 minute").await;
    // This process, if its id had been used before.
    db.run(&format!(
        "UPDATE avinode_ingest.leader_leases SET status = jsonb_set('{}', '{{started}}', '1') WHERE name = 'process/killed'",
        serde_json::to_string(&ProcessIdentity::of_this_process().unwrap()).unwrap()
    ))
    .await;
    // A process of another version says something else of itself.
    process_with_job(&db, "newer", "1 minute").await;
    db.run(r#"UPDATE avinode_ingest.leader_leases SET status = '{"machine": 1}' WHERE name = 'process/newer'"#)
        .await;
    let mut lease = ProcessLease::new(db.pool.service(), "this", ProcessIdentity::of_this_process());
    assert_eq!(lease.step().await.unwrap(), TakenOver { processes: 1, jobs: 1 });
    assert_eq!(held(&db.pool).await, 2, "those of the newer one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_another_machine_keeps_its_jobs_while_its_lease_lasts() {
    let db = Db::new().await;
    process_with_job(&db, "killed", "1 minute").await;
    let other_machine = r#"{"machine":"another","pid":1,"started":1}"#;
    db.run(&format!(
        "UPDATE avinode_ingest.leader_leases SET status = '{other_machine}' WHERE name = 'process/killed'"
    ))
    .await;
    let mut lease = ProcessLease::new(db.pool.service(), "this", ProcessIdentity::of_this_process());
    throughout(Duration::from_secs(7), async || {
        assert_eq!(lease.step().await.unwrap(), TakenOver::default());
    })
    .await;
    assert_eq!(held(&db.pool).await, 2);
}
