//! A person's text is redacted wherever it is stored.

use avinode_ingest::domain::redaction::person_text::PersonText;
use avinode_ingest::jobs::purge::report::PurgeReport;
use avinode_ingest::jobs::purge::{Purge, PurgeTarget};
use avinode_ingest::queue::admin;

use super::story::{PERSON, Story, places_of};
use crate::support::actions::{acting, replay, retry};
use crate::support::snapshot::{assert_same, dead_jobs};
use crate::support::sql::{count, text};

pub fn purge(dry_run: bool) -> Purge {
    Purge {
        target: PurgeTarget::Person(PersonText::parse(&PERSON.to_uppercase()).unwrap()),
        dry_run,
        actor: acting().actor,
    }
}

/// The places that the story fills.
const PLACES: [&str; 13] = [
    "dead_jobs.reason",
    "deliveries.body",
    "documents.body",
    "inserted_values.value",
    "outcomes.detail",
    "outcomes.warning",
    "quote_facts.description",
    "quote_facts.history",
    "quote_facts.operator_name",
    "quote_facts.projected_values",
    "quote_facts.stated_values",
    "rfqs.decline_reason",
    "timeline.detail",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_in_no_column_afterwards_and_all_else_is_as_it_was() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    let before = story.kept().await;
    let places = places_of(pool, "avinode_ingest", PERSON).await;
    println!("{places:?}");
    let missing: Vec<_> = PLACES
        .iter()
        .filter(|place| !places.iter().any(|it| it == *place))
        .collect();
    assert!(
        missing.is_empty(),
        "the story has no text in {missing:?}, only in {places:?}"
    );
    let bytes = "SELECT string_agg(encode(sha256(body), 'hex'), ' ' ORDER BY id) FROM avinode_ingest.deliveries";
    let received = text(pool, bytes).await;

    let counted = purge(true).run(pool, || false).await.unwrap();
    assert_eq!(
        places_of(pool, "avinode_ingest", PERSON).await,
        places,
        "a dry run changes nothing"
    );
    assert_eq!(text(pool, bytes).await, received);
    let redacted = purge(false).run(pool, || false).await.unwrap();
    assert_eq!((&redacted.rows, redacted.needed), (&counted.rows, counted.needed));
    for table in [
        "deliveries",
        "documents",
        "quote_facts",
        "rfqs",
        "timeline",
        "outcomes",
        "dead_jobs",
        "inserted_values",
    ] {
        assert!(redacted.rows[table] > 0, "{table}: {:?}", redacted.rows);
    }
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
    assert_same(&before, &story.kept().await);

    // What was received can still be proved.
    let proved = "SELECT string_agg(encode(coalesce(body_sha256, sha256(body)), 'hex'), ' ' ORDER BY id)
        FROM avinode_ingest.deliveries LEFT JOIN avinode_ingest.redactions ON delivery_id = id";
    assert_eq!(text(pool, proved).await, received);
    // Of JSON only the strings with the text are replaced.
    let kept = "SELECT count(*) FROM avinode_ingest.deliveries JOIN avinode_ingest.redactions ON delivery_id = id
        WHERE convert_from(body, 'UTF8')::jsonb #>> '{data,quote,id}' = 'aquote-1'
            AND convert_from(body, 'UTF8')::jsonb #>> '{data,seller,name}' = '[redacted]'";
    assert_eq!(count(pool, kept).await, 2);

    let again = purge(false).run(pool, || false).await.unwrap();
    assert!(again.rows.values().all(|rows| *rows == 0), "{:?}", again.rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_replay_nor_retry_nor_resync_brings_the_text_back_or_changes_a_session() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    let before = story.kept().await;
    let dead = dead_jobs(pool).await;
    assert!(dead > 0);
    assert!(!purge(false).run(pool, || false).await.unwrap().is_unfinished());
    let redacted = count(pool, "SELECT count(*) FROM avinode_ingest.redactions").await;
    assert!(redacted >= 6, "{redacted}");

    let ids = story.deliveries().await;
    let enqueued = replay(pool, &ids).await;
    assert_eq!(
        enqueued.len() as i64,
        ids.len() as i64 - redacted,
        "redacted deliveries are not enqueued"
    );
    // Jobs of redacted deliveries, as a replay that began before the redaction leaves them.
    story.db.run(
        "INSERT INTO avinode_ingest.jobs (kind, delivery_id)
         SELECT kind, delivery_id FROM avinode_ingest.redactions, unnest(ARRAY['event_replay', 'full_event', 'unknown_format']) AS kind;
         INSERT INTO avinode_ingest.jobs (kind, key)
         SELECT 'rematch', id::text FROM public.chat_sessions",
    )
    .await;
    let dead_ids = admin::dead_ids(pool, None).await.unwrap();
    retry(pool, &dead_ids).await;
    story.resync().await;
    assert_same(&before, &story.kept().await);
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
    assert_eq!(dead_jobs(pool).await, 0, "a redacted delivery is no dead letter");
    let said = "SELECT count(*) FROM avinode_ingest.outcomes WHERE outcome = 'ignored' AND detail LIKE '%delivery was redacted%'";
    assert!(count(pool, said).await >= redacted * 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_erases_after_a_purge_is_not_written_again() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    assert!(!purge(false).run(pool, || false).await.unwrap().is_unfinished());
    let theirs = places_of(pool, "public", PERSON).await;
    assert_eq!(
        theirs,
        [
            "quotes.operator_name",
            "quotes.raw_webhook_payload",
            "quotes.message_content"
        ],
        "the service never touches the application's tables"
    );
    story
        .db
        .run("UPDATE public.quotes SET operator_name = NULL, raw_webhook_payload = NULL, message_content = NULL")
        .await;
    let ids = story.deliveries().await;
    replay(pool, &ids).await;
    story
        .db
        .run("INSERT INTO avinode_ingest.jobs (kind, key) SELECT 'rematch', id::text FROM public.chat_sessions")
        .await;
    story.resync().await;
    for schema in ["public", "avinode_ingest"] {
        assert_eq!(places_of(pool, schema, PERSON).await, Vec::<String>::new());
    }
}

/// Adds the rows of two reports.
pub fn sum(mut one: PurgeReport, other: &PurgeReport) -> PurgeReport {
    for (table, rows) in &other.rows {
        *one.rows.entry(table).or_default() += rows;
    }
    one
}
