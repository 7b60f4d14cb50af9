//! Keys with a failure come after all others.

use avinode_ingest::queue::job_kind::JobKind::{FetchNotified, Reconcile};
use avinode_ingest::queue::rate_limit::state::{CallOutcome, RemainingQuota};
use avinode_ingest::queue::rate_limit::token_bucket::RateLimit;
use avinode_ingest::queue::release;

use super::recording_handler::RecordingHandler;
use super::{claim, claimer, claims, keys, permit, queue};
use crate::fetching::setup::TestLimiter;
use crate::support::cluster::Db;

#[tokio::test(flavor = "multi_thread")]
async fn keys_with_a_failure_are_claimed_after_all_others_and_take_few_of_the_permits() {
    let db = Db::new().await;
    let claimer = claims(&db.pool, 40).await;
    for n in 0..5 {
        queue(&db.pool, &[(FetchNotified, &format!("failed{n}"), -600.0)]).await;
    }
    db.run("UPDATE avinode_ingest.jobs SET attempts = 7").await;
    queue(&db.pool, &[(Reconcile, "r", -900.0), (FetchNotified, "fresh", 0.0)]).await;
    // Another notification does not make a failed resource urgent.
    queue(&db.pool, &[(FetchNotified, "failed3", -1.0)]).await;
    let first = claim(&db.pool, &claimer, 2, "w").await;
    assert_eq!(keys(&first), [("fresh", 1), ("failed0", 1)]);
    let second = claim(&db.pool, &claimer, 8, "w").await;
    assert_eq!(keys(&second), [("failed1", 1), ("r", 1)], "two of them at a time");
    release::release(&db.pool, first.jobs()).await.unwrap();
    release::release(&db.pool, second.jobs()).await.unwrap();
    let third = claim(&db.pool, &claimer, 8, "w").await;
    assert_eq!(third.batches.len(), 4, "two of them, and all others");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_breaker_is_open_only_a_key_that_has_not_failed_is_claimed_and_then_the_one_that_failed_longest_ago()
{
    let db = Db::new().await;
    let limiter = TestLimiter::new(RateLimit {
        per_second: 100.0,
        burst: 40,
    });
    let claimer = claimer(&db.pool, &limiter, RecordingHandler::new(&db.pool)).await;
    for n in (0..5).rev() {
        queue(&db.pool, &[(FetchNotified, &format!("k{n}"), 0.0)]).await;
    }
    let claimed = claim(&db.pool, &claimer, 5, "w").await;
    for n in 0..5 {
        let key = format!("k{n}");
        let batch = claimed
            .batches
            .iter()
            .find(|batch| batch.jobs[0].key.as_ref() == Some(&key));
        let call = permit(batch.unwrap()).start().unwrap();
        call.report(&CallOutcome::Failure { key }, RemainingQuota::default());
    }
    drop(claimed);
    db.run("UPDATE avinode_ingest.jobs SET lease_token = NULL, due_at = clock_timestamp()")
        .await;
    limiter.let_pass_for(3);
    assert_eq!(keys(&claim(&db.pool, &claimer, 8, "w").await), [], "all have failed");
    queue(&db.pool, &[(FetchNotified, "fresh", 0.0)]).await;
    let probe = claim(&db.pool, &claimer, 8, "w").await;
    assert_eq!(keys(&probe), [("fresh", 1)]);
    drop(probe);
    limiter.let_pass_for(3);
    assert_eq!(
        keys(&claim(&db.pool, &claimer, 8, "w").await),
        [("k0", 1)],
        "it failed longest ago"
    );
}

/// Where many keys fail for ever, a new one does not wait for all that became due before it.
#[tokio::test(flavor = "multi_thread")]
async fn from_a_failure_to_the_next_success_the_newest_key_is_claimed_first_and_retries_come_last() {
    let db = Db::new().await;
    let limiter = TestLimiter::new(RateLimit {
        per_second: 1.0,
        burst: 1,
    });
    let claimer = claimer(&db.pool, &limiter, RecordingHandler::new(&db.pool)).await;
    for n in 0..6 {
        queue(&db.pool, &[(FetchNotified, &format!("k{n}"), f64::from(n) - 60.0)]).await;
    }
    let mut served = Vec::new();
    for fails in [true, false].repeat(4) {
        limiter.let_pass_for(2);
        let claimed = claim(&db.pool, &claimer, 1, "w").await;
        let key = keys(&claimed)[0].0.to_owned();
        let outcome = match fails {
            true => CallOutcome::Failure { key: key.clone() },
            false => CallOutcome::Success,
        };
        let call = permit(&claimed.batches[0]).start().unwrap();
        call.report(&outcome, RemainingQuota::default());
        served.push(key);
        db.run(match fails {
            true => "UPDATE avinode_ingest.jobs SET lease_token = NULL, due_at = clock_timestamp() WHERE lease_token IS NOT NULL",
            false => "DELETE FROM avinode_ingest.jobs WHERE lease_token IS NOT NULL",
        })
        .await;
    }
    assert_eq!(served, ["k0", "k5", "k1", "k4", "k2", "k3", "k0", "k1"]);
}
