//! Replay: of stored deliveries, which changes nothing (invariant 2), and of fixtures by the real program.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::replay::replay;
use avinode_ingest::store::demo_data;
use proptest::strategy::Strategy;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::crash::program::{PATIENCE, Program, Serve};
use crate::support::cluster::Db;
use crate::support::generators::{self, LATE_TRIP, deliveries};
use crate::support::service::{SECRET, drain, keep, shift};
use crate::support::snapshot::{assert_same, dead_jobs, snapshot};
use crate::support::worker_pool::Crew;

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
            demo_data::set_trip_id(&db.pool, late, LATE_TRIP).await.unwrap();
            for (body, received_at) in &sent {
                keep(&db.pool, std::slice::from_ref(body), *received_at).await;
            }
            let shift = shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(generators::now()));
            drain(&shift, "w").await;
            let before = snapshot(&db.pool).await;
            let count = "SELECT count(*) FROM avinode_ingest.timeline";
            let lines: i64 = sqlx::query_scalar(count).fetch_one(&db.pool).await.unwrap();
            let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM avinode_ingest.deliveries")
                .fetch_all(&db.pool)
                .await
                .unwrap();
            for workers in [1, 3] {
                assert_eq!(replay(&db.pool, &ids).await.unwrap().len(), sent.len());
                Crew::start(&shift, workers).finish().await;
                assert_same(&before, &snapshot(&db.pool).await);
                let now: i64 = sqlx::query_scalar(count).fetch_one(&db.pool).await.unwrap();
                assert_eq!(lines, now, "no line more, of any kind");
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
    assert!(output.contains("status 401: 7"), "{output}");
    assert!(
        output.contains("no delivery was accepted, so there is nothing to wait for"),
        "{output}"
    );
    assert!(output.contains("7 of 7 deliveries were refused"), "{output}");
    assert!(!output.contains("up to date"), "{output}");

    let accepted = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let mut replay = Program::start(&line, &accepted);
    assert_eq!(replay.ended(PATIENCE).await.code(), Some(0), "{}", replay.said());
    let output = replay.said();
    assert!(output.contains("up to date with 7 accepted deliveries"), "{output}");
}
