//! Tables that grew without bound: facts of trips without a session, and digests of redacted deliveries.

use super::person::purge;
use super::story::{OTHER_TRIP, PERSON, Story, places_of};
use crate::support::retention::{defaults, run};
use crate::support::snapshot::assert_same;
use crate::support::sql::count;
use crate::support::worker::run_jobs;

/// Both trips are old.
const AGE: &str = "UPDATE avinode_ingest.trips
    SET first_seen_at = now() - interval '740 days', last_activity_at = now() - interval '731 days'";

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_an_old_trip_are_deleted_once_no_session_names_it() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    story.db.run(AGE).await;
    let before = story.kept().await;
    assert_eq!(run(pool, &defaults()).await[0].trips, 0, "sessions name both");
    assert_same(&before, &story.kept().await);

    story
        .db
        .run(&format!(
            "DELETE FROM public.chat_sessions WHERE id = '{}'",
            story.session
        ))
        .await;
    run_jobs(pool).await;
    story
        .db
        .run("UPDATE avinode_ingest.trips SET last_activity_at = now() - interval '729 days'")
        .await;
    assert_eq!(run(pool, &defaults()).await[0].trips, 0, "there was activity");
    story.db.run(AGE).await;
    assert_eq!(run(pool, &defaults()).await[0].trips, 1);
    let left = "SELECT count(*) FROM (
        SELECT trip_key FROM avinode_ingest.quote_facts UNION ALL SELECT trip_key FROM avinode_ingest.rfqs
        UNION ALL SELECT trip_key FROM avinode_ingest.messages) AS fact WHERE trip_key <> 'Z9Y8X7'";
    assert_eq!(count(pool, left).await, 0);
    assert_eq!(
        count(pool, "SELECT count(*) FROM avinode_ingest.inserted_values").await,
        0
    );
    assert_eq!(OTHER_TRIP, "Z9Y8X7");
    assert_eq!(count(pool, "SELECT count(*) FROM avinode_ingest.quote_facts").await, 1);
    assert_eq!(run(pool, &defaults()).await[0].trips, 0, "the ids of trips stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_of_a_redacted_delivery_is_kept_as_long_as_the_delivery_and_the_audit_log() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    purge(false).run(pool, || false).await.unwrap();
    let redacted = count(pool, "SELECT count(*) FROM avinode_ingest.redactions").await;
    story
        .db
        .run("UPDATE avinode_ingest.redactions SET redacted_at = now() - interval '731 days'")
        .await;
    assert_eq!(
        run(pool, &defaults()).await[0].redactions,
        0,
        "their deliveries are stored"
    );
    story.db.run("DELETE FROM avinode_ingest.deliveries; UPDATE avinode_ingest.redactions SET redacted_at = now() - interval '729 days'
        WHERE delivery_id = (SELECT min(delivery_id::text)::uuid FROM avinode_ingest.redactions)").await;
    assert_eq!(run(pool, &defaults()).await[0].redactions, redacted.unsigned_abs() - 1);
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
}
