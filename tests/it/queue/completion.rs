//! Jobs that their handler finishes, in its transaction or in one statement.

use std::time::Duration;

use avinode_ingest::queue::claim;
use avinode_ingest::queue::job::ClaimedJob;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::outcomes::{self, JobOutcome};
use avinode_ingest::queue::{claim_by_kind, release};

use crate::support::actions::retry;
use crate::support::cluster::Db;

async fn insert(db: &Db, jobs: usize) {
    db.run(&format!(
        "INSERT INTO avinode_ingest.jobs (kind, key) SELECT 'rematch', 'session ' || n FROM generate_series(1, {jobs}) AS n"
    ))
    .await;
}

async fn claim_all(db: &Db) -> Vec<ClaimedJob> {
    let wanted = [(JobKind::Rematch, 100)];
    let claimed = claim_by_kind::claim(&db.pool, &wanted, "worker", Duration::from_secs(60), false).await;
    let mut claimed = claimed.unwrap();
    claimed.sort_unstable_by_key(|job| job.id);
    claimed
}

fn applied(job: &ClaimedJob) -> JobOutcome {
    JobOutcome::new(job.id, "applied", format!("attempt {}", job.attempts))
}

/// Job, attempts, outcome and detail, in order of the jobs.
async fn stored(db: &Db) -> Vec<(i64, i32, String, Option<String>)> {
    sqlx::query_as("SELECT job_id, attempts, outcome, detail FROM avinode_ingest.outcomes ORDER BY job_id")
        .fetch_all(&db.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_finishes_jobs_leaves_those_of_a_lost_lease_to_their_new_worker() {
    let db = Db::new().await;
    insert(&db, 3).await;
    let claimed = claim_all(&db).await;
    let lost = claimed[1].id;
    db.run(&format!(
        "UPDATE avinode_ingest.jobs SET lease_token = lease_token + 1000 WHERE id = {lost}"
    ))
    .await;
    let finished = outcomes::complete_held(&db.pool.service(), &claimed, applied).await;
    assert_eq!(finished.unwrap(), 2);
    let detail = || Some("attempt 1".to_owned());
    let expected = [claimed[0].id, claimed[2].id].map(|job| (job, 1, "applied".to_owned(), detail()));
    assert_eq!(stored(&db).await, expected);
    let left: Vec<i64> = sqlx::query_scalar("SELECT id FROM avinode_ingest.jobs")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(left, [lost]);
    // Once more, as after an answer that was lost.
    let repeated = outcomes::complete_held(&db.pool.service(), &claimed, applied).await;
    assert_eq!((repeated.unwrap(), stored(&db).await.len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_died_and_was_retried_has_the_outcome_of_its_last_life() {
    for in_a_transaction in [false, true] {
        let db = Db::new().await;
        insert(&db, 2).await;
        let claimed = claim_all(&db).await;
        let [died, _] = &claimed[..] else { panic!("{claimed:?}") };
        assert!(
            release::dead_letter(&db.pool, died, "as a test wants it")
                .await
                .unwrap()
        );
        assert_eq!(stored(&db).await[0].2, "dead");
        retry(&db.pool, &[died.id]).await;
        let again = claim_all(&db).await;
        let both = [again[0].clone(), claimed[1].clone()];
        let finished = match in_a_transaction {
            false => outcomes::complete_held(&db.pool.service(), &both, applied)
                .await
                .unwrap(),
            true => {
                let mut tx = db.pool.service().begin().await.unwrap();
                assert_eq!(claim::lock_held(&mut tx, &both).await.unwrap().len(), 2);
                let outcomes: Vec<_> = both.iter().map(applied).collect();
                let finished = outcomes::complete(&mut tx, &outcomes).await.unwrap();
                tx.commit().await.unwrap();
                finished
            }
        };
        assert_eq!(finished, 2);
        let detail = |job: &ClaimedJob| match job.id == died.id {
            true => "attempt 1; retried by cli:a-test@here".to_owned(),
            false => "attempt 1".to_owned(),
        };
        let expected = both.map(|job| (job.id, 1, "applied".to_owned(), Some(detail(&job))));
        assert_eq!(stored(&db).await, expected, "in a transaction: {in_a_transaction}");
    }
}
