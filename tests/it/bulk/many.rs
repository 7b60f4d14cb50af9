//! The replay of many deliveries beside a running service, with its figures.

use std::time::{Duration, Instant};

use avinode_ingest::service::ServiceSettings;
use serde_json::Value;

use super::store_without_jobs;
use crate::support::PATIENCE;
use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::program::run_on;
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::sql::{count, text};

/// The rows of all sessions but one, with their timelines.
const SESSIONS: &str =
    "SELECT string_agg(s::text || (SELECT string_agg(t::text, ' ' ORDER BY seq) FROM avinode_ingest.timeline AS t
        WHERE session_id = s.id), ' ' ORDER BY id)
    FROM public.chat_sessions AS s WHERE avinode_trip_id <> 'alive'";

/// Deliveries to replay.
#[expect(clippy::disallowed_methods, reason = "the tests' own setting, not the program's")]
fn deliveries() -> usize {
    std::env::var("TEST_REPLAYS").map_or(600, |text| text.parse().unwrap())
}

async fn batch(db: &Db, arguments: &[&str]) -> (Value, Duration) {
    let all = ["deliveries", "replay", "--since", "1d", "--limit", "1000000", "--json"];
    let began = Instant::now();
    let output = run_on(db, &[&all[..], arguments].concat()).await;
    assert_eq!(output.code, Some(0), "{}", output.all());
    (output.json(), began.elapsed())
}

async fn applied(db: &Db) -> i64 {
    count(
        &db.pool,
        "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'event_replay'",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deliveries_are_previewed_and_replayed_and_new_ones_do_not_wait_behind_them() {
    let db = Db::new().await;
    let deliveries = deliveries();
    // Each tenth trip has a session.
    for trip in (0..deliveries / 10).step_by(10) {
        SessionBuilder::of_trip(&format!("trip{trip}")).insert(&db.pool).await;
    }
    store_without_jobs(&db, deliveries).await;
    let all = i64::try_from(deliveries).unwrap();
    let sessions = count(&db.pool, "SELECT count(*) FROM public.chat_sessions").await;

    let (first, first_dry) = batch(&db, &["--dry-run"]).await;
    assert_eq!((&first["selected"], &first["changed"]), (&all.into(), &all.into()));
    assert_eq!(first["result"]["sessions_changed"], sessions);

    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let began = Instant::now();
    let (done, first_run) = batch(&db, &["--yes"]).await;
    assert_eq!((&done["changed"], &done["state"]), (&all.into(), &"finished".into()));
    eventually(PATIENCE * 5, "all are applied", async || equal(applied(&db).await, all)).await;
    let first_applied = began.elapsed();
    let before = text(&db.pool, SESSIONS).await;

    let (second, second_dry) = batch(&db, &["--dry-run"]).await;
    assert_eq!(second["result"]["sessions_changed"], 0, "{second}");
    let session = SessionBuilder::of_trip("alive").insert(&db.pool).await;
    let live = async {
        let mut slowest = Duration::ZERO;
        for number in 1..=5 {
            let body = quote_of("alive", &format!("aquote-live-{number}"), number);
            let sent = Instant::now();
            assert_eq!(service.post(&serde_json::to_vec(&body).unwrap()).await.0, 200);
            eventually(PATIENCE, "a new delivery is applied", async || {
                equal(quote_count(&db.pool, session).await, i32::try_from(number).unwrap())
            })
            .await;
            slowest = slowest.max(sent.elapsed());
        }
        slowest
    };
    let began = Instant::now();
    let ((done, second_run), slowest) = tokio::join!(batch(&db, &["--yes"]), live);
    assert_eq!(done["changed"], done["selected"]);
    let again = done["changed"].as_i64().unwrap();
    eventually(PATIENCE * 5, "all are applied again", async || {
        equal(applied(&db).await, all + again)
    })
    .await;
    let second_applied = began.elapsed();
    service.stop().await;
    assert_eq!(text(&db.pool, SESSIONS).await, before);
    assert!(
        slowest < Duration::from_secs(10),
        "a new delivery waited for {slowest:?}"
    );
    println!(
        "{deliveries} deliveries, {sessions} sessions: dry run {first_dry:?}, run {first_run:?}, applied after {first_applied:?}; \
         again: dry run {second_dry:?}, run {second_run:?}, applied after {second_applied:?}, 0 sessions changed; \
         slowest of 5 new deliveries meanwhile {slowest:?}"
    );
}
