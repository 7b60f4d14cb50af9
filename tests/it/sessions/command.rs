//! `avinode-ingest sessions` as an operator runs it: the real program, what it prints, and its exit codes.

use avinode_ingest::domain::chat_session::input::{ProposalUpdate, QuoteUpdate};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{create, sessions};
use crate::support::cluster::Db;
use crate::support::program::{ProgramRun, run_on};
use crate::support::sessions::{SessionReferences, update_session};

/// Runs `sessions` with these arguments on a database.
async fn run(db: &Db, arguments: &str) -> ProgramRun {
    let arguments: Vec<&str> = std::iter::once("sessions").chain(arguments.split(' ')).collect();
    run_on(db, &arguments).await
}

/// The output of a run without errors.
async fn printed(db: &Db, arguments: &str) -> String {
    let run = run(db, arguments).await;
    assert_eq!(run.code, Some(0), "{arguments}: {}", run.all());
    assert!(run.stderr.is_empty(), "{arguments}: {}", run.stderr);
    run.stdout
}

async fn as_json(db: &Db, arguments: &str) -> Value {
    serde_json::from_str(&printed(db, &format!("{arguments} --json")).await).unwrap()
}

/// The only line of an error.
#[track_caller]
fn error_line(run: &ProgramRun, code: i32) -> &str {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    run.stderr.trim_end()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_by_every_filter_as_a_table_and_as_json() {
    let db = Db::new().await;
    assert_eq!(printed(&db, "list").await, "no sessions\n");
    let (one, other) = (
        SessionReferences::insert(&db.pool).await,
        SessionReferences::insert(&db.pool).await,
    );
    let (a, b) = (create(&db.pool, one).await.id, create(&db.pool, other).await.id);
    let quote = one.insert_quote(&db.pool, Some("aquote-1")).await;
    let columns = format!(
        "avinode_trip_id = ' 4711', avinode_rfp_id = 'rfp-1', avinode_rfq_id = 'arfq-1', status = 'paused',
         current_step = 'a-step\u{1b}[2J', primary_quote_id = '{quote}', last_activity_at = '2026-01-02T03:04:05Z'"
    );
    update_session(&db.pool, a, &columns).await;
    update_session(&db.pool, b, "current_step = 'other', last_activity_at = '2026-01-01'").await;
    for filter in [
        "--trip ATRIP-4711",
        "--rfp rfp-1",
        "--rfq ARFQ-1",
        "--status paused",
        "--has-primary-quote true",
        "--limit 1",
        &format!("--request {}", one.request),
        &format!("--conversation {}", one.conversation),
        &format!("--agent {}", one.agent),
        &format!("--agent {} --trip 4711 --status paused", one.agent),
    ] {
        let table = printed(&db, &format!("list {filter}")).await;
        let listed = as_json(&db, &format!("list {filter}")).await;
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{filter}");
        assert_eq!(listed["data"][0]["id"], json!(a), "{filter}");
        let row = table.lines().nth(2).unwrap();
        let words = row.split_whitespace().collect::<Vec<_>>().join(" ");
        let step = r"a-step\u{1b}[2J";
        let cells =
            format!("{a} paused {step} 4711 0/0 Northwind Jets, 48250.00 (currency unknown) 2026-01-02T03:04:05Z ");
        assert!(
            words.starts_with(&cells) && words.ends_with(" d ago"),
            "{filter}: {words}"
        );
    }
    for filter in ["--step other", "--has-primary-quote false"] {
        let listed = as_json(&db, &format!("list {filter}")).await;
        assert_eq!(listed["data"][0]["id"], json!(b), "{filter}");
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{filter}");
    }

    let first = printed(&db, "list --limit 1").await;
    let (_, cursor) = first.trim_end().rsplit_once("\n1 shown, 1 more: ").unwrap();
    let rest = as_json(&db, &format!("list {cursor}")).await;
    assert_eq!(
        (&rest["data"][0]["id"], &rest["next_cursor"]),
        (&json!(b), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_shown_with_all_of_its_quotes_and_its_whole_timeline() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let tracking = sessions(&db.pool, 0);
    let quote_id = references.insert_quote(&db.pool, Some("aquote-1")).await;
    let update = QuoteUpdate {
        quote_id,
        primary_quote_id: Some(quote_id),
        ..QuoteUpdate::default()
    };
    tracking.update_quote(session, &update).await.unwrap();
    // More than one page of the API's.
    db.run(&format!(
        "INSERT INTO avinode_ingest.timeline (session_id, seq, dedup_key, recorded_at, kind, detail)
         SELECT '{session}', 100 + n, 'message/' || n, now(), 'message_received', '{{}}' FROM generate_series(1, 250) AS n"
    ))
    .await;
    let proposal_id = references.insert_proposal(&db.pool).await;
    tracking
        .update_proposal(session, ProposalUpdate { proposal_id })
        .await
        .unwrap();

    let shown = printed(&db, &format!("show {session}")).await;
    for line in [
        "status               active",
        "step                 proposal_ready",
        "subject              To Palm Beach",
        "from                 KTEB",
        &format!("primary quote        {quote_id} (pinned)"),
        "price                48250.00 (currency unknown)",
        "quotes received      1",
    ] {
        assert!(shown.lines().any(|said| said == line), "{line} is not in\n{shown}");
    }
    assert!(
        shown.contains("\naquote-1  Northwind Jets  48250.00 (currency unknown)  Light Jet"),
        "{shown}"
    );
    assert_eq!(shown.matches("  message_received  ").count(), 250);
    assert!(shown.contains("  proposal_attached  "), "{shown}");

    let shown = as_json(&db, &format!("show {session}")).await;
    assert_eq!(shown["session"]["id"], json!(session));
    assert_eq!(shown["quotes"][0]["avinode_quote_id"], "aquote-1");
    assert_eq!(shown["timeline"].as_array().unwrap().len(), 253);

    let missing = Uuid::from_u128(7);
    let refused = run(&db, &format!("show {missing}")).await;
    assert_eq!(error_line(&refused, 1), format!("error: there is no session {missing}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_completed_one_by_one_and_archived_when_they_are_old() {
    let db = Db::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&db.pool, SessionReferences::insert(&db.pool).await).await.id);
    }
    let [a, b, archived] = ids[..] else { panic!() };
    update_session(&db.pool, archived, "status = 'archived'").await;
    assert_eq!(printed(&db, &format!("complete {a}")).await, "1 session completed\n");
    let missing = Uuid::from_u128(7);
    let some = run(&db, &format!("complete {missing} {a} {archived} {b}")).await;
    assert_eq!(some.stdout, "2 sessions completed\n");
    assert_eq!(
        error_line(&some, 1),
        format!(
            "error: not completed: {missing}: the session does not exist; {archived}: the session is archived, not active, \
             paused or completed"
        )
    );
    let shown = as_json(&db, &format!("show {b}")).await;
    assert_eq!(shown["session"]["status"], "completed");
    assert_eq!(shown["timeline"][0]["kind"], "session_completed");
    let actor = shown["timeline"][0]["actor"].as_str().unwrap();
    let lines = printed(&db, &format!("show {b}")).await;
    let line = lines.lines().find(|line| line.contains("session_completed"));
    assert!(line.is_some_and(|line| line.contains(actor)), "{lines}");
    let printed_json = run(&db, &format!("complete {b} {missing} --json")).await;
    let printed_json = printed_json.json();
    assert_eq!(printed_json["done"], json!([b]));
    assert_eq!(
        printed_json["not_done"],
        json!([{"id": missing, "error": "the session does not exist"}])
    );

    assert_eq!(printed(&db, "archive").await, "0 sessions archived\n");
    update_session(&db.pool, a, "session_ended_at = now() - interval '91 days'").await;
    assert_eq!(printed(&db, "archive").await, "1 session archived\n");
    assert_eq!(as_json(&db, "archive").await, json!({"archived": 0}));
    let listed = as_json(&db, "list --status completed").await;
    assert_eq!(listed["data"][0]["id"], json!(b));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_one_line_and_an_exit_code() {
    let db = Db::empty().await;
    let wrong = [
        ("list --trip \u{1}", "--trip"),
        ("list --rfp \u{1}", "--rfp"),
        ("list --rfq \u{1}", "--rfq"),
        ("list --step \u{1}", "--step"),
        ("list --request 7", "--request"),
        ("list --status done", "--status"),
        ("list --has-primary-quote maybe", "--has-primary-quote"),
        ("list --limit 201", "--limit"),
        ("list --cursor forged", "--cursor"),
        ("show 7", "ID"),
        ("complete 7", "ID"),
        ("complete", "ID"),
    ];
    for (arguments, name) in wrong {
        let output = run(&db, arguments).await;
        let said = error_line(&output, 64);
        assert!(said.contains(name), "{arguments}: {said}");
        assert!(output.stdout.is_empty());
    }
    let output = run(&db, "list").await;
    assert!(error_line(&output, 78).contains("has no schema yet"));
    let output = run(&db, "list --database-url postgres://nobody@127.0.0.1:1/nothing").await;
    assert!(error_line(&output, 69).contains("could not connect to the database of DATABASE_URL"));
}
