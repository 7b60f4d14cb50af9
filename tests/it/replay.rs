//! Stored replay of everything, twice, changes nothing (invariant 2).

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::replay::replay;
use avinode_ingest::store::demo_data;
use proptest::strategy::Strategy;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::cluster::Db;
use crate::support::generators::{self, LATE_TRIP, deliveries};
use crate::support::service::{drain, keep, shift};
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
            let lines = "SELECT count(*) FROM avinode_ingest.timeline";
            let told: i64 = sqlx::query_scalar(lines).fetch_one(&db.pool).await.unwrap();
            let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM avinode_ingest.deliveries")
                .fetch_all(&db.pool)
                .await
                .unwrap();
            for workers in [1, 3] {
                assert_eq!(replay(&db.pool, &ids).await.unwrap().len(), sent.len());
                Crew::start(&shift, workers).finish().await;
                assert_same(&before, &snapshot(&db.pool).await);
                let now: i64 = sqlx::query_scalar(lines).fetch_one(&db.pool).await.unwrap();
                assert_eq!(told, now, "and no line more, of any kind");
            }
            assert_eq!(dead_jobs(&db.pool).await, 0);
        });
    });
}
