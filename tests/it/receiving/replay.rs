//! Replay: of stored deliveries, which changes nothing (invariant 2), and of fixtures by the real program.

use avinode_ingest::clock::Clock;
use proptest::strategy::Strategy;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::crash::program::{Program, Serve};
use crate::support::PATIENCE;
use crate::support::actions::replay;
use crate::support::cluster::Db;
use crate::support::deliveries::store_at;
use crate::support::generators::{self, LATE_TRIP, deliveries};
use crate::support::service::SECRET;
use crate::support::sessions::set_trip_id;
use crate::support::snapshot::{assert_same, dead_jobs, snapshot};
use crate::support::sql::count;
use crate::support::worker::{run_until_idle, worker_at};
use crate::support::worker_pool::WorkerPool;

#[test]
fn stored_deliveries_replayed_twice_leave_sessions_facts_ledger_and_timelines_as_they_were() {
    let runtime = Runtime::new().unwrap();
    let strategy = deliveries().prop_map(|sent| {
        let again = sent.clone();
        [sent, again].concat()
    });
    generators::check(4, &strategy, |sent| {
        runtime.block_on(async {
            let db = Db::new().await;
            let late = generators::sessions(&db.pool).await;
            set_trip_id(&db.pool, late, Some(LATE_TRIP)).await;
            for (body, received_at) in &sent {
                store_at(&db.pool, &serde_json::to_vec(body).unwrap(), *received_at).await;
            }
            let worker = worker_at(&db.pool, Clock::Fixed(generators::now()));
            run_until_idle(&worker).await;
            let before = snapshot(&db.pool).await;
            let timeline = "SELECT count(*) FROM avinode_ingest.timeline";
            let entries = count(&db.pool, timeline).await;
            let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM avinode_ingest.deliveries")
                .fetch_all(&db.pool)
                .await
                .unwrap();
            for workers in [1, 3] {
                assert_eq!(replay(&db.pool, &ids).await.len(), sent.len());
                WorkerPool::start(&worker, workers).finish().await;
                assert_same(&before, &snapshot(&db.pool).await);
                let now = count(&db.pool, timeline).await;
                assert_eq!(entries, now, "no entry was added, of any kind");
            }
            assert_eq!(dead_jobs(&db.pool).await, 0);
        });
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_waits_for_accepted_deliveries_only_and_fails_where_one_was_refused() {
    let db = Db::new().await;
    let url = db.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    let line = format!(
        "replay fixtures/01-several-operators --wait --url http://{}",
        service.address
    );
    let refused = [
        ("DATABASE_URL", url.as_str()),
        ("AVINODE_WEBHOOK_SECRET", "another-secret"),
    ];
    let mut replay = Program::start(&line, &refused);
    assert_eq!(replay.ended(PATIENCE).await.code(), Some(1), "{}", replay.said());
    let output = replay.said();
    assert!(output.contains("status 401: 8"), "{output}");
    assert!(
        output.contains("no delivery was accepted, so there is nothing to wait for"),
        "{output}"
    );
    assert!(output.contains("8 of 8 deliveries were refused"), "{output}");
    assert!(!output.contains("up to date"), "{output}");

    let accepted = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let mut replay = Program::start(&line, &accepted);
    assert_eq!(replay.ended(PATIENCE).await.code(), Some(0), "{}", replay.said());
    let output = replay.said();
    assert!(output.contains("up to date with 8 accepted deliveries"), "{output}");
}
