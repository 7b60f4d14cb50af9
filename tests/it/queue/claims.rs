//! The jobs of a claim: those of one trip together, no trip of another worker, and the newest beside a backlog.

use std::collections::BTreeSet;
use std::time::Duration;

use avinode_ingest::queue::claim_by_kind;
use avinode_ingest::queue::job::ClaimedJob;
use avinode_ingest::queue::job_kind::JobKind;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::eventually;
use crate::support::sql::count;

/// The first lease of a test. Those of later claims are shorter by [`STEP`]: that they follow in less than two seconds, in which the
/// trips of a claim are left alone, does not depend on the speed of the machine.
const LEASE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_secs(10);

/// The claim with this number.
async fn claim(db: &Db, limit: i64, number: u32) -> Vec<ClaimedJob> {
    let wanted = [(JobKind::FullEvent, limit), (JobKind::Rematch, limit)];
    let (worker, lease) = (format!("worker {number}"), LEASE - STEP * number);
    claim_by_kind::claim(&db.pool, &wanted, &worker, lease, false)
        .await
        .unwrap()
}

/// The trips of these jobs, each once.
async fn trips(db: &Db, jobs: &[ClaimedJob]) -> BTreeSet<String> {
    let ids: Vec<i64> = jobs.iter().map(|job| job.id).collect();
    let trips: Vec<String> = sqlx::query_scalar("SELECT batch_key FROM avinode_ingest.jobs WHERE id = ANY ($1)")
        .bind(&ids)
        .fetch_all(&db.pool)
        .await
        .unwrap();
    BTreeSet::from_iter(trips)
}

/// Quotes of so many trips in turn, so that the jobs of a trip are far apart.
fn in_turn(trips: usize, quotes: usize) -> Vec<Value> {
    let body = |number: usize| quote_of(&format!("TRIP{}", number % trips), &format!("q{number}"), number as i64);
    (0..trips * quotes).map(body).collect()
}

/// Makes all jobs so old that none is of the last ten seconds.
async fn grow_old(db: &Db) {
    db.run("UPDATE avinode_ingest.jobs SET due_at = due_at - interval '1 minute', created_at = created_at - interval '1 minute'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_a_trip_are_claimed_together_and_two_workers_claim_different_trips() {
    let db = Db::new().await;
    store_deliveries(&db.pool, &in_turn(20, 10), base()).await;
    grow_old(&db).await;
    let first = claim(&db, 30, 0).await;
    let second = claim(&db, 30, 1).await;
    let (of_first, of_second) = (trips(&db, &first).await, trips(&db, &second).await);
    assert_eq!((first.len(), second.len()), (30, 30));
    assert_eq!((of_first.len(), of_second.len()), (3, 3));
    assert!(of_first.is_disjoint(&of_second), "{of_first:?} {of_second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_trip_that_a_worker_has_in_part_is_left_alone() {
    let db = Db::new().await;
    store_deliveries(&db.pool, &in_turn(8, 50), base()).await;
    grow_old(&db).await;
    let mut seen = BTreeSet::new();
    for worker in 0..4 {
        let claimed = claim(&db, 75, worker).await;
        assert_eq!(claimed.len(), 75);
        for trip in trips(&db, &claimed).await {
            assert!(seen.insert(trip.clone()), "{trip} is in two claims");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_worker_has_all_trips_another_serves_other_kinds_and_then_nothing() {
    let db = Db::new().await;
    store_deliveries(&db.pool, &in_turn(1, 10), base()).await;
    grow_old(&db).await;
    assert_eq!(claim(&db, 5, 0).await.len(), 5);
    let session = Uuid::from_u128(1);
    db.run(&format!(
        "INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('rematch', '{session}')"
    ))
    .await;
    let others = claim(&db, 5, 1).await;
    assert_eq!(
        others.iter().map(|job| job.kind).collect::<Vec<_>>(),
        [JobKind::Rematch]
    );
    assert_eq!(claim(&db, 5, 2).await.len(), 0);
    // The jobs of an expired lease are taken over, and run isolated.
    db.run("UPDATE avinode_ingest.jobs SET due_at = now() - interval '1 second' WHERE leased_by = 'worker 0'")
        .await;
    let taken_over = claim(&db, 20, 3).await;
    assert_eq!(taken_over.iter().filter(|job| job.isolated).count(), 5);
    assert_eq!(taken_over.len(), 10);
}

/// Its jobs wait for the end of their leases; the other jobs of their trips do not.
#[tokio::test(flavor = "multi_thread")]
async fn the_trips_of_a_worker_that_died_are_left_alone_for_seconds_only() {
    let db = Db::new().await;
    store_deliveries(&db.pool, &in_turn(1, 10), base()).await;
    grow_old(&db).await;
    assert_eq!(claim(&db, 5, 0).await.len(), 5);
    // Three seconds later, with a lease of the same length.
    db.run("UPDATE avinode_ingest.jobs SET due_at = due_at - interval '3 seconds' WHERE lease_token IS NOT NULL")
        .await;
    let others = claim(&db, 20, 0).await;
    assert_eq!(others.len(), 5);
    assert!(others.iter().all(|job| !job.isolated));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_backlog_half_of_a_claim_are_the_newest_jobs() {
    let db = Db::new().await;
    store_deliveries(&db.pool, &in_turn(20, 10), base()).await;
    grow_old(&db).await;
    let fresh: Vec<Value> = (0..5)
        .map(|number| quote_of(&format!("NEW{number}"), "q", number))
        .collect();
    store_deliveries(&db.pool, &fresh, base()).await;
    // A claim of a backlog can take seconds, and the next one still finds what came before it.
    db.run(
        "UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() - interval '3 seconds' WHERE batch_key LIKE 'NEW%'",
    )
    .await;
    let claimed = claim(&db, 30, 0).await;
    let of_claim = trips(&db, &claimed).await;
    assert_eq!(claimed.len(), 30);
    let new = of_claim.iter().filter(|trip| trip.starts_with("NEW")).count();
    assert_eq!(new, 5, "{of_claim:?}");
    // Without a backlog the oldest come first, all of them.
    let left = claim(&db, 1_000, 1).await.len() + claimed.len();
    let running = "SELECT count(*) FROM avinode_ingest.jobs WHERE lease_token IS NOT NULL";
    assert_eq!(count(&db.pool, running).await, left as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_full_event_is_its_trip_wherever_it_is_named() {
    let db = Db::new().await;
    let event = |data: Value| json!({"event": "TripCancelled", "eventId": Uuid::now_v7(), "data": data});
    let bodies = [
        event(json!({"trip": {"id": "64956150"}})),
        event(json!({"tripId": "a1b2c3"})),
        event(json!({"trip": {"id": 7015.5}})),
    ];
    store_deliveries(&db.pool, &bodies, base()).await;
    let keys: Vec<Option<String>> = sqlx::query_scalar("SELECT batch_key FROM avinode_ingest.jobs ORDER BY id")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(
        keys,
        [Some("atrip-64956150".to_owned()), Some("A1B2C3".to_owned()), None]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_passes_over_the_jobs_that_another_one_is_taking() {
    let db = Db::new().await;
    db.run("INSERT INTO avinode_ingest.jobs (kind, key) SELECT 'rematch', 'session ' || n FROM generate_series(1, 60) AS n")
        .await;
    grow_old(&db).await;
    let mut other = db.pool.application().await;
    let taken: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM avinode_ingest.jobs ORDER BY due_at, id LIMIT 30 FOR UPDATE")
            .fetch_all(&mut *other)
            .await
            .unwrap();
    let claimed = claim(&db, 30, 0).await;
    assert_eq!(claimed.len(), 30);
    assert!(claimed.iter().all(|job| !taken.contains(&job.id)), "{claimed:?}");
}

/// Claims on one connection while `planned` jobs wait, and then while 40,000 more do. Returns the rows read by sequential scans.
async fn rows_scanned(planned: usize) -> i64 {
    const READS: &str = "SELECT seq_tup_read, idx_scan FROM pg_stat_user_tables WHERE relname = 'jobs'";
    let db = Db::new().await;
    let insert = async |jobs: usize| {
        let due = "now() - interval '1 minute' + n * interval '1 ms'";
        db.run(&format!(
            "INSERT INTO avinode_ingest.jobs (kind, batch_key, due_at)
             SELECT 'full_event', CASE WHEN n % 2 = 0 THEN 'TRIP' || n % 100 END, {due} FROM generate_series(1, {jobs}) AS n"
        ))
        .await;
    };
    insert(planned).await;
    db.run("ANALYZE avinode_ingest.jobs").await;
    let before: (i64, i64) = sqlx::query_as(READS).fetch_one(&db.pool).await.unwrap();
    let own = db.pool.service().sibling_by_index(1);
    for more in [0, 40_000] {
        insert(more).await;
        // Plans for the values at hand, and then for any values.
        for worker in 0..8 {
            let wanted = [(JobKind::FullEvent, 20), (JobKind::Rematch, 20)];
            let claimed = claim_by_kind::claim(&own, &wanted, &format!("worker {worker}"), LEASE, false).await;
            assert_eq!(claimed.unwrap().len(), 20);
        }
    }
    own.close().await; // the server counts a connection's reads when it ends
    eventually(PATIENCE, "the reads are counted", async || {
        let now: (i64, i64) = sqlx::query_as(READS).fetch_one(&db.pool).await.unwrap();
        if now.1 > before.1 {
            Ok(now.0 - before.0)
        } else {
            Err(now)
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_reads_no_more_jobs_than_it_takes_however_many_wait() {
    assert_eq!(rows_scanned(40_000).await, 0, "rows that were read by sequential scans");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_was_planned_while_few_jobs_waited_reads_by_index_when_many_do() {
    assert_eq!(rows_scanned(200).await, 0, "rows that were read by sequential scans");
}
