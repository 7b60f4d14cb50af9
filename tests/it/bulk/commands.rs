//! The commands with filters: what they ask, refuse, print and record.

use serde_json::{Value, json};

use crate::support::bodies::{base, event, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::program::run_on;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::sql::{count, text};
use crate::support::worker::run_jobs;

/// Three dead jobs of unknown events, and one applied quote.
async fn filled() -> Db {
    let db = Db::new().await;
    let unknown = |number: i64, kind: &str| {
        event(
            kind,
            &format!("evt-{number}"),
            number,
            json!({"trip": {"id": "A1B2C3"}}),
        )
    };
    let bodies = [
        unknown(1, "TripSomethingNew"),
        unknown(2, "TripSomethingNew"),
        unknown(3, "TripSomethingElse"),
        quote_of("A1B2C3", "aquote-1", 10),
    ];
    store_deliveries(&db.pool, &bodies, base()).await;
    run_jobs(&db.pool).await;
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_needs_yes_a_filter_and_no_ids() {
    let db = filled().await;
    for (line, said) in [
        ("jobs retry", "no jobs are named or selected"),
        ("jobs retry --yes --all", "no jobs are named or selected"),
        ("jobs discard 1 --reason unknown", "ids and filters exclude each other"),
        ("jobs discard --dead --state dead", "cannot be used with"),
        ("deliveries replay", "no deliveries are named or selected"),
        (
            "jobs retry --dead",
            "this would retry 3 jobs: add --yes, or look first with --dry-run",
        ),
        (
            "jobs retry --dead --limit 2",
            "2 jobs (more are selected, --limit is 2)",
        ),
        ("jobs discard --reason somethingnew", "this would discard 2 jobs"),
        (
            "deliveries replay --outcome dead --since 1d",
            "this would replay 3 deliveries",
        ),
        ("jobs retry 1 --dry-run", "takes no ids"),
        ("jobs discard --dead --note=", "a value is missing"),
    ] {
        let output = run_on(&db, &line.split(' ').collect::<Vec<_>>()).await;
        assert_eq!(output.code, Some(64), "{line}: {}", output.all());
        assert!(output.stderr.contains(said), "{line}: {}", output.all());
    }
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.dead_jobs").await,
        3
    );
    assert_eq!(count(&db.pool, "SELECT count(*) FROM avinode_ingest.batches").await, 0);
    let nothing = run_on(&db, &["jobs", "retry", "--reason", "nothing like it"]).await;
    assert_eq!(
        (nothing.code, nothing.stdout.as_str()),
        (Some(0), "nothing is selected\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn discarded_jobs_and_the_audit_log_name_the_admin_and_the_note() {
    let db = filled().await;
    let dry = run_on(&db, &["jobs", "discard", "--reason", "SomethingNew", "--dry-run"]).await;
    assert!(
        dry.stdout.contains("2 jobs would be discarded, of 2 selected"),
        "{}",
        dry.all()
    );
    let line = [
        "jobs",
        "discard",
        "--reason",
        "SomethingNew",
        "--yes",
        "--note",
        "relay v2 is off",
    ];
    let done = run_on(&db, &line).await;
    assert_eq!(done.code, Some(0), "{}", done.all());
    assert!(
        done.stdout.contains("2 jobs discarded, of 2 selected"),
        "{}",
        done.all()
    );
    let detail = text(
        &db.pool,
        "SELECT DISTINCT detail FROM avinode_ingest.outcomes WHERE outcome = 'discarded'",
    )
    .await;
    let detail = detail.unwrap();
    let actor = detail
        .strip_prefix("by ")
        .unwrap()
        .strip_suffix(": relay v2 is off")
        .unwrap();
    assert!(actor.starts_with("cli:") && actor.contains('@'), "{detail}");

    let last: i64 = sqlx::query_scalar("SELECT id FROM avinode_ingest.dead_jobs")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    let named = run_on(&db, &["jobs", "retry", &last.to_string(), "--note", "again"]).await;
    assert_eq!(named.code, Some(0), "{}", named.all());
    let replayed = run_on(&db, &["deliveries", "replay", "--text", "aquote-1", "--yes"]).await;
    assert!(
        replayed.stdout.contains("1 delivery enqueued, of 1 selected"),
        "{}",
        replayed.all()
    );

    let list = async |arguments: &[&str]| -> Value {
        let output = run_on(&db, &[&["audit", "list", "--json"], arguments].concat()).await;
        assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.all());
        output.json()
    };
    let words = |page: &Value| -> Vec<(String, String, bool)> {
        let rows = page["data"].as_array().unwrap().iter();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        rows.map(|row| (word(&row["action"]), word(&row["state"]), row["dry_run"] == json!(true)))
            .collect()
    };
    let all = list(&[]).await;
    let expected = [
        ("replay_deliveries", "finished", false),
        ("replay_deliveries", "begun", false),
        ("retry_jobs", "finished", false),
        ("discard_jobs", "finished", false),
        ("discard_jobs", "begun", false),
        ("discard_jobs", "finished", true),
        ("discard_jobs", "begun", true),
    ];
    assert_eq!(
        words(&all),
        expected.map(|(action, state, dry)| (action.to_owned(), state.to_owned(), dry))
    );
    assert!(all["data"].as_array().unwrap().iter().all(|row| row["actor"] == actor));
    let text_of_filter = all["data"][0]["details"]["filter"].to_string();
    assert!(
        text_of_filter.contains("text_sha256") && !text_of_filter.contains("aquote-1"),
        "{text_of_filter}"
    );

    assert_eq!(words(&list(&["--action", "retry_jobs"]).await).len(), 1);
    assert_eq!(words(&list(&["--actor", actor, "--since", "1h"]).await).len(), 7);
    assert_eq!(words(&list(&["--actor", "token:none"]).await).len(), 0);
    let first = list(&["--limit", "4"]).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = list(&["--limit", "4", "--cursor", cursor]).await;
    assert_eq!([words(&first), words(&second)].concat(), words(&all));
    assert_eq!(second["next_cursor"], Value::Null);
    let refused = run_on(&db, &["audit", "list", "--action", "purges"]).await;
    assert_eq!(refused.code, Some(64), "{}", refused.all());
    assert!(
        refused.stderr.contains("is not one of: purge, retry_jobs"),
        "{}",
        refused.all()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_listed_and_shown_and_a_dry_run_names_the_sessions() {
    let db = filled().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let dry = run_on(&db, &["deliveries", "replay", "--trip", "A1B2C3", "--dry-run"]).await;
    assert_eq!(dry.code, Some(0), "{}", dry.all());
    for said in [
        "would be enqueued",
        "1 session would change",
        &session.to_string(),
        "3 deliveries would be dead-lettered",
    ] {
        assert!(dry.stdout.contains(said), "{said}: {}", dry.all());
    }
    assert_eq!(quote_count(&db.pool, session).await, 0);
    assert_eq!(
        count(
            &db.pool,
            "SELECT count(*) FROM avinode_ingest.jobs WHERE kind <> 'rematch'"
        )
        .await,
        0
    );
    let retried = run_on(
        &db,
        &["jobs", "retry", "--dead", "--kind", "full_event", "--yes", "--json"],
    )
    .await
    .json();
    assert_eq!(retried["changed"], 3, "{retried}");

    let listed = run_on(&db, &["batches", "list", "--json"]).await.json();
    let rows = listed["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["action"], &rows[0]["state"], &rows[0]["dry_run"]),
        (&json!("retry"), &json!("finished"), &json!(false))
    );
    assert_eq!(
        (&rows[1]["action"], &rows[1]["dry_run"]),
        (&json!("replay"), &json!(true))
    );
    let id = rows[1]["id"].as_str().unwrap();
    let shown = run_on(&db, &["batches", "show", id]).await;
    assert!(
        shown.stdout.contains("A1B2C3") && shown.stdout.contains("finished"),
        "{}",
        shown.all()
    );
    let page = run_on(&db, &["batches", "list", "--limit", "1", "--json"]).await.json();
    let next = page["next_cursor"].as_str().unwrap();
    let page = run_on(&db, &["batches", "list", "--limit", "1", "--cursor", next, "--json"])
        .await
        .json();
    assert_eq!(
        (&page["data"][0]["id"], &page["next_cursor"]),
        (&json!(id), &Value::Null)
    );
    let unknown = run_on(&db, &["batches", "show", "00000000-0000-0000-0000-000000000000"]).await;
    assert_eq!(unknown.code, Some(1), "{}", unknown.all());
    assert!(unknown.stderr.contains("there is no batch"), "{}", unknown.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_name_who_replayed_or_retried_and_why() {
    let db = filled().await;
    let quote = "SELECT delivery_id::text FROM avinode_ingest.outcomes WHERE outcome = 'applied'";
    let quote = text(&db.pool, quote).await.unwrap();
    let act = async |arguments: &[&str]| {
        let output = run_on(&db, arguments).await;
        assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.all());
        run_jobs(&db.pool).await;
    };
    act(&["deliveries", "replay", &quote, "--note", "by id"]).await;
    act(&[
        "deliveries",
        "replay",
        "--text",
        "aquote-1",
        "--yes",
        "--note",
        "by text",
    ])
    .await;
    act(&["jobs", "retry", "--reason", "somethingelse", "--yes"]).await;
    for command in [["deliveries", "show", &quote], ["trace", &quote, "--color=never"]] {
        let shown = run_on(&db, &command).await.stdout;
        for note in ["by id", "by text"] {
            let line = shown.lines().find(|line| line.contains(&format!(": {note}")));
            assert!(
                line.is_some_and(|line| line.contains("; replayed by cli:")),
                "{note}: {shown}"
            );
        }
    }
    let died = "SELECT detail FROM avinode_ingest.outcomes WHERE outcome = 'dead' AND detail LIKE '%SomethingElse%'";
    let died = text(&db.pool, died).await.unwrap();
    assert!(died.contains("; retried by cli:"), "{died}");
    let reason = text(
        &db.pool,
        "SELECT reason FROM avinode_ingest.dead_jobs WHERE reason LIKE '%SomethingElse%'",
    )
    .await;
    assert!(!reason.unwrap().contains("retried"));
}
