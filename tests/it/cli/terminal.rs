//! Lists in a real terminal: their width, whatever they show, and their colours.

use serde_json::json;
use uuid::Uuid;

use crate::support::bodies::{base, event, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::program::{run, run_on};
use crate::support::sessions::SessionBuilder;
use crate::support::terminal::{run_in_terminal, too_wide, uncoloured};
use crate::support::worker::run_jobs;

/// A quote that counts, an event that is dead, and texts of a stranger wherever texts are shown.
async fn hostile() -> (Db, Uuid) {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let kind = format!("Trip{}\u{1b}[2J\u{202e}{}", "空".repeat(40), "x".repeat(90));
    let bodies = [
        quote("evt-1", "A1B2C3", "arfq-1", "aquote-1", 10, "9000", "EUR"),
        event(&kind, "evt-9", 40, json!({"trip": {"id": "A1B2C3"}})),
        event(
            "TripSomethingNew",
            &"e".repeat(150),
            41,
            json!({"trip": {"id": "Z9Y8X7"}}),
        ),
        json!({"id": "arfq-77", "href": "https://sandbox.avinode.com/api/rfqs/arfq-77", "type": "Rfqs", "tripId": "A1B2C3"}),
    ];
    store_deliveries(&db.pool, &bodies, base()).await;
    run_jobs(&db.pool).await;
    let text = format!(
        "{}\u{1b}[31m\u{202e}{} words of a stranger",
        "宽".repeat(60),
        "w".repeat(200)
    );
    db.run(&format!(
        "UPDATE public.quotes SET operator_name = '{text}', aircraft_type = '{text}';
         UPDATE public.chat_sessions SET current_step = '{text}';
         UPDATE public.conversations SET subject = '{text}';
         UPDATE avinode_ingest.quote_facts SET operator_name = '{text}', aircraft_type = '{text}';
         UPDATE avinode_ingest.outcomes SET detail = '{text}';
         UPDATE avinode_ingest.dead_jobs SET reason = '{text}', history = ARRAY['{text}'];
         UPDATE avinode_ingest.jobs SET key = left('{text}', 100) WHERE kind = 'quote_expiry';
         INSERT INTO avinode_ingest.timeline (session_id, seq, dedup_key, recorded_at, kind, detail)
         VALUES ('{session}', 900, 'message/900', now(), 'message_received', jsonb_build_object('text', '{text}'))"
    ))
    .await;
    (db, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_is_longer_than_the_terminal_is_wide() {
    let (db, session) = hostile().await;
    let dead = "SELECT id::text FROM avinode_ingest.dead_jobs ORDER BY id LIMIT 1";
    let dead: String = sqlx::query_scalar(dead).fetch_one(&db.pool).await.unwrap();
    let session = session.to_string();
    let commands: [&[&str]; 13] = [
        &["jobs", "list", "--all"],
        &["jobs", "list", "--limit", "1"],
        &["jobs", "summary"],
        &["jobs", "show", &dead],
        &["deliveries", "list"],
        &["deliveries", "list", "--limit", "1"],
        &["sessions", "list"],
        &["sessions", "show", &session],
        &["documents", "list"],
        &["trace", "aquote-1"],
        &["trace", &session],
        &["check"],
        &["reconcile", "--active"],
    ];
    for columns in [80, 100, 200] {
        for arguments in commands {
            let secret = [("AVINODE_WEBHOOK_SECRET", "a-secret-that-is-long-enough")];
            let shown = run_in_terminal(&db, columns, arguments, &secret).await;
            assert!(!shown.trim().is_empty(), "{arguments:?}");
            assert_eq!(
                too_wide(&shown, columns),
                Vec::<String>::new(),
                "{columns} {arguments:?}: {shown}"
            );
            assert!(
                !shown.contains('\u{202e}') && !shown.contains("\u{1b}[2J"),
                "{arguments:?}: {shown}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_list_says_what_it_leaves_out_and_a_pipe_gets_one_line_per_row() {
    let (db, _) = hostile().await;
    let narrow = run_in_terminal(&db, 80, &["jobs", "list", "--state", "dead"], &[]).await;
    assert!(narrow.contains("not shown at this width: "), "{narrow}");
    let shown = uncoloured(&narrow);
    assert!(shown.contains("  age  ") && shown.ends_with("\n\n2 jobs\n"), "{shown}");
    let piped = run_on(&db, &["jobs", "list", "--state", "dead"]).await.stdout;
    let lines: Vec<&str> = piped.lines().collect();
    assert_eq!(lines[4..], ["", "2 jobs"], "{piped}");
    assert!(lines[2].contains("words of a stranger"), "{piped}");
    // A caller that exports COLUMNS wants them.
    let variables = [("DATABASE_URL", db.url()), ("COLUMNS", "80".to_owned())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let bounded = run(&["jobs", "list", "--state", "dead"], &variables).await.stdout;
    assert_eq!(too_wide(&bounded, 80), Vec::<String>::new());
}

/// The command line, the variables, and the expectation.
type ColourCase<'a> = (Vec<&'a str>, &'a [(&'a str, &'a str)], bool);

#[tokio::test(flavor = "multi_thread")]
async fn state_words_have_colours_on_a_terminal_and_as_the_usual_variables_and_the_flag_say() {
    let (db, _) = hostile().await;
    let red = "\u{1b}[31mdead\u{1b}[0m";
    let list = ["jobs", "list", "--state", "dead"];
    let with = |flag: &'static str| [&list[..], &["--color", flag]].concat();
    let cases: [ColourCase<'_>; 7] = [
        (list.to_vec(), &[], true),
        (list.to_vec(), &[("NO_COLOR", "1")], false),
        (list.to_vec(), &[("NO_COLOR", "")], true),
        (list.to_vec(), &[("CLICOLOR", "0")], false),
        (list.to_vec(), &[("TERM", "dumb")], false),
        (with("never"), &[], false),
        (with("always"), &[("NO_COLOR", "1")], true),
    ];
    for (arguments, variables, is_coloured) in cases {
        let shown = run_in_terminal(&db, 200, &arguments, variables).await;
        assert_eq!(shown.contains(red), is_coloured, "{arguments:?} {variables:?}: {shown}");
        assert!(
            is_coloured || !shown.contains('\u{1b}'),
            "{arguments:?} {variables:?}: {shown}"
        );
    }
    let url = db.url();
    let piped = async |arguments: &[&str], more: &[(&str, &str)]| {
        let variables = [&[("DATABASE_URL", url.as_str())], more].concat();
        run(arguments, &variables).await.stdout.contains(red)
    };
    assert!(!piped(&list, &[]).await);
    assert!(piped(&list, &[("CLICOLOR_FORCE", "1")]).await);
    assert!(piped(&with("always"), &[]).await);
    assert!(!piped(&[&list[..], &["--json", "--color", "always"]].concat(), &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_price_has_its_currency() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await.to_string();
    let body = quote("evt-1", "A1B2C3", "arfq-1", "aquote-1", 10, "9000.5", "EUR");
    store_deliveries(&db.pool, &[body], base()).await;
    run_jobs(&db.pool).await;
    for arguments in [
        &["sessions", "list"][..],
        &["sessions", "show", &session],
        &["trace", "aquote-1"],
    ] {
        let shown = run_on(&db, arguments).await.stdout;
        // A line of the timeline is an object, with the currency beside the price.
        let lines = shown.lines().filter(|line| !line.contains("\"currency\":\"EUR\""));
        let prices = lines.map(|line| line.matches("9000.5").count()).sum::<usize>();
        let with_currency = shown.matches("9000.50 EUR").count() + shown.matches("9000.5 EUR").count();
        assert!(prices > 0 && prices == with_currency, "{arguments:?}: {shown}");
    }
    let listed = run_on(&db, &["sessions", "list", "--json"]).await.json();
    assert_eq!(listed["data"][0]["currency"], json!("EUR"));
}
