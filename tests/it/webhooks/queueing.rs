//! The job of a change: one covers all until it is claimed, and it is not claimed before it can see them.

use std::time::Duration;

use avinode_ingest::queue::job::ClaimedJob;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::outcomes::{self, JobOutcome};
use avinode_ingest::queue::{claim_by_kind, coalesced};

use crate::support::cluster::Db;

async fn claim(db: &Db) -> Vec<ClaimedJob> {
    claim_up_to(db, 10).await
}

async fn claim_up_to(db: &Db, limit: i64) -> Vec<ClaimedJob> {
    let wanted = [(JobKind::NotifySession, limit)];
    let lease = Duration::from_secs(60);
    claim_by_kind::claim(&db.pool, &wanted, "a worker", lease, true)
        .await
        .unwrap()
}

/// Inserts a job for each key, and commits.
async fn insert(db: &Db, keys: &[&str]) -> u64 {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let mut tx = db.pool.service().begin().await.unwrap();
    let inserted = coalesced::insert(&mut tx, JobKind::NotifySession, &keys).await.unwrap();
    tx.commit().await.unwrap();
    inserted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_covers_later_changes_and_a_claimed_one_does_not() {
    let db = Db::new().await;
    assert_eq!(insert(&db, &["a", "b"]).await, 2);
    assert_eq!(insert(&db, &["a", "b", "c"]).await, 1);
    assert_eq!(claim(&db).await.len(), 3);
    assert_eq!(insert(&db, &["a"]).await, 1);
    assert_eq!(insert(&db, &["a"]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_is_not_claimed_before_the_change_that_relies_on_it_is_visible() {
    let db = Db::new().await;
    insert(&db, &["a"]).await;
    let mut change = db.pool.service().begin().await.unwrap();
    let keys = ["a".to_owned()];
    assert_eq!(
        coalesced::insert(&mut change, JobKind::NotifySession, &keys)
            .await
            .unwrap(),
        0
    );
    assert_eq!(claim(&db).await, []);
    change.commit().await.unwrap();
    assert_eq!(claim(&db).await.len(), 1);
}

/// Two calls for one session at the same time could arrive in either order, and a receiver that hangs would get ever more of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_waits_while_a_call_for_it_runs_and_the_others_do_not() {
    let db = Db::new().await;
    insert(&db, &["a", "b"]).await;
    let of_a = claim_up_to(&db, 1).await;
    insert(&db, &["a"]).await;
    let of_b = claim_up_to(&db, 1).await;
    assert_eq!((of_a[0].key.as_deref(), of_b[0].key.as_deref()), (Some("a"), Some("b")));
    assert_eq!(claim_up_to(&db, 1).await, []);
    let finished = |job: &ClaimedJob| JobOutcome::new(job.id, "sent", "version 1");
    outcomes::complete_held(&db.pool, &of_a, finished).await.unwrap();
    assert_eq!(claim_up_to(&db, 1).await[0].key.as_deref(), Some("a"));
}
