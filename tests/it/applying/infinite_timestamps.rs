//! Infinite timestamps in the application's columns do not fail an apply.

use uuid::Uuid;

use crate::support::bodies::{base, decline, event, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::sessions::SessionBuilder;
use crate::support::sql::count;
use crate::support::worker::worker;

/// A session's quote count and last activity.
async fn count_and_activity(db: &Db, session: Uuid) -> (i32, String) {
    sqlx::query_as("SELECT quotes_received_count, last_activity_at::text FROM public.chat_sessions WHERE id = $1")
        .bind(session)
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infinite_last_activity_does_not_fail_an_apply() {
    let db = Db::new().await;
    let mut sessions = Vec::new();
    for (trip, activity) in [
        ("1", "infinity"),
        ("1", "-infinity"),
        ("1", "2020-01-01Z"),
        ("2", "2020-01-01Z"),
    ] {
        let session = SessionBuilder::of_trip(trip).insert(&db.pool).await;
        sqlx::query("UPDATE public.chat_sessions SET last_activity_at = $2::timestamptz WHERE id = $1")
            .bind(session)
            .bind(activity)
            .execute(&db.pool)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        sessions.push(session);
    }
    let message = serde_json::json!({"trip": {"id": "atrip-1"}, "message": {"id": "amsg-1"}});
    let bodies = [
        quote("evt-1", "atrip-1", "arfq-1", "q1", 0, "10000", "USD"),
        decline("evt-2", "atrip-1", "arfq-2", 1),
        event("TripChatFromSeller", "evt-3", 2, message),
        quote("evt-4", "atrip-2", "arfq-3", "q2", 3, "10000", "USD"),
    ];
    store_deliveries(&db.pool, &bodies, base() + chrono::Duration::seconds(10)).await;
    let worker = worker(&db.pool);
    // Rematches of the sessions, and the events; each kind in one batch without a failure.
    for _ in 0..3 {
        let step = worker.step("w").await.unwrap();
        assert_eq!((step.settled.rescheduled, step.settled.dead), (0, 0));
    }
    let live = count(&db.pool, "SELECT count(*) FROM avinode_ingest.jobs").await;
    assert_eq!(live, 0);
    let mut states = Vec::new();
    for session in &sessions {
        states.push(count_and_activity(&db, *session).await);
    }
    assert_eq!(
        states[..2],
        [(1, "infinity".to_owned()), (1, "-infinity".to_owned())],
        "unchanged"
    );
    assert!(
        states[2..]
            .iter()
            .all(|(count, activity)| *count == 1 && activity.starts_with("2026-")),
        "{states:?}"
    );
    let entries: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.timeline WHERE session_id = $1")
        .bind(sessions[0])
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert!(entries >= 3, "the timeline has {entries} entries");
}
