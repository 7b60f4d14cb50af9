//! Everything about a trip, or a session's trip, is redacted, and nothing about another one.

use avinode_ingest::domain::ids::TripId;
use avinode_ingest::jobs::purge::{Purge, PurgeError, PurgeTarget};
use uuid::Uuid;

use super::story::{OTHER_TRIP, PERSON, Story, TRIP, places_of};
use crate::support::actions::{acting, replay};
use crate::support::snapshot::assert_same;
use crate::support::sql::count;

fn purge(target: PurgeTarget, dry_run: bool) -> Purge {
    Purge {
        target,
        dry_run,
        actor: acting().actor,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_a_trip_is_redacted_and_counts_stay() {
    for by_session in [false, true] {
        let story = Story::told().await;
        let pool = &story.db.pool;
        // A person's text in a body that names no trip is found by the person only.
        story
            .db
            .run("DELETE FROM avinode_ingest.deliveries WHERE body = convert_to('[\"Zoé Ferry\"]', 'UTF8')")
            .await;
        let before = story.kept().await;
        let target = match by_session {
            true => PurgeTarget::Session(story.session),
            false => PurgeTarget::Trip(TripId::parse(&TRIP.to_lowercase()).unwrap()),
        };
        let counted = purge(target.clone(), true).run(pool, || false).await.unwrap();
        assert_same(&before, &story.kept().await);
        let redacted = purge(target.clone(), false).run(pool, || false).await.unwrap();
        assert_eq!((&redacted.rows, redacted.needed), (&counted.rows, 0));
        assert_same(&before, &story.kept().await);
        assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
        for of_trip in ["Northwind", "Light Jet"] {
            let places = places_of(pool, "avinode_ingest", of_trip).await;
            let rows = count(pool, "SELECT count(*) FROM avinode_ingest.quote_facts WHERE trip_key = 'A1B2C3'
                AND concat_ws(' ', operator_name, aircraft_type, description, history, stated_values, projected_values) ~ 'Northwind|Light Jet'");
            assert_eq!(rows.await, 0, "{of_trip}: {places:?}");
        }
        // The other trip is as it was.
        let others = places_of(pool, "avinode_ingest", "Ann Other").await;
        assert_eq!(others, ["deliveries.body", "timeline.detail"]);
        let left = count(
            pool,
            "SELECT count(*) FROM avinode_ingest.deliveries WHERE body <> convert_to('{\"redacted\":true}', 'UTF8')",
        );
        assert_eq!(left.await, 2);

        let ids = story.deliveries().await;
        assert_eq!(replay(pool, &ids).await.len(), 2);
        story
            .db
            .run("INSERT INTO avinode_ingest.jobs (kind, key) SELECT 'rematch', id::text FROM public.chat_sessions")
            .await;
        story.resync().await;
        assert_same(&before, &story.kept().await);
        let again = purge(target, false).run(pool, || false).await.unwrap();
        println!("{:?}", again.rows);
        assert_eq!(
            again.rows["deliveries"] + again.rows["quote_facts"] + again.rows["timeline"],
            0,
            "{:?}",
            again.rows
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_names_the_trip_of_another_agent_gives_no_reason_to_redact_it() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    story
        .db
        .run(&format!(
            "UPDATE avinode_ingest.session_state SET withheld_trip = '{OTHER_TRIP}', matched_trip = '{OTHER_TRIP}'
             WHERE session_id = '{session}'; UPDATE public.chat_sessions SET avinode_trip_id = '{OTHER_TRIP}' WHERE id = '{session}'",
            session = story.session
        ))
        .await;
    purge(PurgeTarget::Session(story.session), false)
        .run(pool, || false)
        .await
        .unwrap();
    let others = places_of(pool, "avinode_ingest", "Ann Other").await;
    assert_eq!(others, ["deliveries.body", "timeline.detail"]);
    assert!(story.other_session != story.session);
    let unknown = purge(PurgeTarget::Session(Uuid::nil()), false)
        .run(pool, || false)
        .await;
    assert!(matches!(unknown, Err(PurgeError::UnknownSession(_))), "{unknown:?}");
}
