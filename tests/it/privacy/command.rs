//! The command `purge`.

use super::story::{PERSON, Story, places_of};
use crate::support::program::{ProgramRun, run_on};
use crate::support::sql::{count, text};

async fn purge(story: &Story, arguments: &[&str]) -> ProgramRun {
    run_on(&story.db, &[&["purge"], arguments].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_counts_asks_redacts_and_says_what_is_left_to_the_application() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    let counted = purge(&story, &["--person", PERSON, "--dry-run", "--json"]).await;
    assert_eq!(counted.code, Some(0), "{}", counted.all());
    let counted = counted.json();
    assert_eq!(counted["dry_run"], true);
    let quotes = counted["application_columns"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["table"] == "quotes");
    assert!(
        quotes.unwrap()["columns"]
            .as_array()
            .unwrap()
            .contains(&"operator_name".into()),
        "{counted}"
    );

    for (arguments, expected) in [
        (&["--person", PERSON][..], "add --yes"),
        (&["--person", "zo", "--yes"], "at least 3 are needed"),
        (
            &["--trip", "A1B2C3", "--person", PERSON, "--yes"],
            "cannot be used with",
        ),
        (&["--yes"], "--trip"),
    ] {
        let refused = purge(&story, arguments).await;
        assert_eq!(refused.code, Some(64), "{}", refused.all());
        assert!(refused.stderr.contains(expected), "{}", refused.all());
    }
    assert_eq!(count(pool, "SELECT count(*) FROM avinode_ingest.redactions").await, 0);
    let unknown = purge(&story, &["--session", "00000000-0000-0000-0000-000000000000", "--yes"]).await;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("there is no session"), "{}", unknown.all());

    let done = purge(&story, &["--person", PERSON, "--yes"]).await;
    assert_eq!(done.code, Some(0), "{}", done.all());
    assert!(
        done.stdout.contains("public.quotes") && done.stdout.contains("operator_name"),
        "{}",
        done.stdout
    );
    assert!(!done.all().to_lowercase().contains("ferry"), "{}", done.all());
    let rows = counted["rows"].as_object().unwrap();
    let recorded: serde_json::Value =
        sqlx::query_scalar("SELECT counts FROM avinode_ingest.audit ORDER BY id DESC LIMIT 1")
            .fetch_one(pool)
            .await
            .unwrap();
    for (table, rows) in rows {
        assert_eq!(&recorded[table], rows, "{table}");
    }
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
    let actor = text(pool, "SELECT DISTINCT actor FROM avinode_ingest.audit")
        .await
        .unwrap();
    assert!(
        actor.starts_with("cli:") && actor.contains('@') && !actor.ends_with("@unknown"),
        "{actor}"
    );

    let redacted = text(pool, "SELECT min(delivery_id::text) FROM avinode_ingest.redactions")
        .await
        .unwrap();
    let replayed = run_on(&story.db, &["deliveries", "replay", &redacted]).await;
    assert_eq!(replayed.code, Some(1), "{}", replayed.all());
    assert!(
        replayed
            .stderr
            .contains(&format!("redacted, so there is nothing left to process: {redacted}")),
        "{}",
        replayed.all()
    );
    assert!(replayed.stdout.contains("0 deliveries enqueued"), "{}", replayed.all());
    let shown = run_on(&story.db, &["deliveries", "show", &redacted]).await;
    assert!(shown.stdout.contains("received were"), "{}", shown.all());
}
