//! The commands that can use the operator API: through it they print what they print on the database, JSON byte for byte.

use serde_json::{Value, json};

use super::{BINARY, Seeded};
use crate::api::{ADMIN, READ, WRITE};
use crate::support::program::{ProgramRun, run};
use crate::support::sessions::{SessionBuilder, view};
use crate::support::sql::text;

async fn run_with<const N: usize>(arguments: &[&str], variables: &[(&'static str, String); N]) -> ProgramRun {
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run(arguments, &variables).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_the_same_through_the_api_and_on_the_database() {
    let seeded = Seeded::start().await;
    let session = seeded.session.to_string();
    let [quote, _, _, _, dead, binary, _] = &seeded.deliveries[..] else {
        panic!("{:?}", seeded.deliveries)
    };
    // Rows of the audit log, of two actors, and two batches.
    for (variables, command) in [
        (seeded.url(ADMIN).to_vec(), vec!["deliveries", "replay", quote]),
        (seeded.database().to_vec(), vec!["deliveries", "replay", quote]),
        (
            seeded.database().to_vec(),
            vec!["jobs", "discard", "--state", "dead", "--dry-run"],
        ),
        (
            seeded.database().to_vec(),
            vec!["jobs", "retry", "--state", "dead", "--dry-run"],
        ),
    ] {
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = run(&command, &variables).await;
        assert_eq!(output.code, Some(0), "{}", output.all());
    }
    let jobs = run_with(&["jobs", "list", "--json"], &seeded.database()).await.json();
    let job = jobs["data"][0]["id"].to_string();
    let documents = run_with(&["documents", "list", "--json"], &seeded.database()).await;
    let documents = documents.json();
    let document = documents.pointer("/1/id").or(documents.pointer("/data/1/id"));
    let document = document.unwrap().to_string();
    let commands: Vec<Vec<&str>> = vec![
        vec!["deliveries", "list"],
        vec!["deliveries", "list", "--limit", "2"],
        vec!["deliveries", "list", "--trip", "a1b2c3", "--kind", "decline"],
        vec!["deliveries", "list", "--session", &session],
        vec!["deliveries", "list", "--text", "Catering", "--since", "1h"],
        vec!["deliveries", "list", "--until", "1h"],
        vec!["deliveries", "list", "--before", dead],
        vec!["deliveries", "show", quote],
        vec!["deliveries", "show", dead],
        vec!["deliveries", "show", binary],
        vec!["deliveries", "show", "00000000-0000-0000-0000-000000000007"],
        vec!["jobs", "list"],
        vec!["jobs", "list", "--limit", "1", "--all"],
        vec!["jobs", "list", "--state", "dead", "--text", "unknown"],
        vec!["jobs", "list", "--quote", "aquote-1"],
        vec!["jobs", "show", &job],
        vec!["jobs", "show", "4711"],
        vec!["jobs", "summary"],
        vec!["documents", "list"],
        vec!["documents", "list", "--limit", "1"],
        vec!["documents", "list", "--before", &document],
        vec!["documents", "show", &document],
        vec!["documents", "show", "4711"],
        vec!["audit", "list"],
        vec!["audit", "list", "--limit", "1"],
        vec!["audit", "list", "--actor", "token:operations", "--since", "1h"],
        vec!["audit", "list", "--action", "replay_deliveries"],
        vec!["audit", "list", "--action", "purge"],
        vec!["batches", "list"],
        vec!["batches", "list", "--limit", "1"],
        vec!["sessions", "list"],
        vec![
            "sessions",
            "list",
            "--trip",
            "a1b2c3",
            "--has-primary-quote",
            "true",
            "--limit",
            "1",
        ],
        vec!["sessions", "list", "--status", "archived"],
        vec!["sessions", "list", "--step", "no_such_step"],
        vec!["sessions", "show", &session],
        vec!["sessions", "show", "00000000-0000-0000-0000-000000000007"],
        vec!["trace", "A1B2C3"],
        vec!["trace", "aquote-1"],
        vec!["trace", quote],
        vec!["trace", &session],
        vec!["trace", "aquote-4711"],
        vec!["trace", "00000000-0000-0000-0000-000000000007"],
    ];
    let mut printed = 0;
    for command in commands {
        for format in [&[][..], &["--json"]] {
            let command = [&command[..], format].concat();
            let stored = run_with(&command, &seeded.database()).await;
            let served = run_with(&command, &seeded.url(READ)).await;
            assert_eq!(served.stderr, stored.stderr, "{command:?}");
            assert_eq!(served.code, stored.code, "{command:?}");
            match format {
                [] => assert_eq!(
                    without_ages(&served.stdout),
                    without_ages(&stored.stdout),
                    "{command:?}"
                ),
                _ if command.contains(&"summary") => {
                    assert_eq!(at_any_time(served.json()), at_any_time(stored.json()));
                }
                _ => assert_eq!(served.stdout, stored.stdout, "{command:?}"),
            }
            printed += stored.stdout.len();
        }
    }
    assert!(printed > 10_000, "{printed}");
    let body = ["documents", "show", &document, "--body"];
    for body in [&body[..], &["deliveries", "show", quote, "--body"]] {
        let (stored, served) = (
            bytes(body, &seeded.database()).await,
            bytes(body, &seeded.url(READ)).await,
        );
        assert_eq!(served, stored, "{body:?}");
    }
    let body = ["deliveries", "show", binary, "--body"];
    assert_eq!(bytes(&body, &seeded.url(READ)).await, BINARY);
    seeded.api.service.stop().await;
}

/// A summary without its time and what is counted by it.
fn at_any_time(mut summary: Value) -> Value {
    assert!(summary["jobs"][0]["jobs"].is_number(), "{summary:#}");
    summary["at"].take();
    summary["oldest_due_job"]["age_seconds"].take();
    summary
}

/// The words of each line but the ages, which are a moment younger in the first of two outputs, and the lines of a table, which are as
/// long as its cells.
fn without_ages(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(words_without_ages).collect()
}

fn words_without_ages(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line
        .split_whitespace()
        .map(|word| word.trim_matches(['(', ')']))
        .collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_unit = |word: &str| ["s", "min", "h", "d"].contains(&word);
    let is_age = |at: usize| match &words[at..] {
        [number, unit, "ago", ..] | ["in", number, unit, ..] => is_number(number) && is_unit(unit),
        _ => false,
    };
    let is_kept = |at: usize, word: &str| {
        !(at.saturating_sub(2)..=at).any(is_age) && word != "now" && !word.bytes().all(|byte| byte == b'-')
    };
    let kept = words.iter().enumerate().filter(|(at, word)| is_kept(*at, word));
    kept.map(|(_, word)| *word).collect()
}

/// Standard output, which need not be UTF-8.
async fn bytes<const N: usize>(arguments: &[&str], variables: &[(&'static str, String); N]) -> Vec<u8> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    output.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_longer_than_a_page_of_the_api_is_read_to_its_limit() {
    let seeded = Seeded::start().await;
    let bodies: Vec<Vec<u8>> = (0..450)
        .map(|number| format!("{{\"number\":{number}}}").into_bytes())
        .collect();
    crate::support::deliveries::store_bytes(&seeded.api.db.pool, &bodies, crate::support::bodies::base()).await;
    for limit in ["200", "201", "400", "457", "1000"] {
        let command = ["deliveries", "list", "--json", "--limit", limit];
        let stored = run_with(&command, &seeded.database()).await;
        let served = run_with(&command, &seeded.url(READ)).await;
        assert!(served.stdout == stored.stdout, "{limit}: {}", served.stderr);
        let shown = stored.json()["data"].as_array().unwrap().len();
        assert_eq!(shown, 457.min(limit.parse().unwrap()));
    }
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_completed_and_archived_through_the_api_as_on_the_database() {
    let mut printed = Vec::new();
    for through_api in [false, true] {
        let seeded = Seeded::start().await;
        let session = seeded.session.to_string();
        let variables = match through_api {
            true => seeded.url(WRITE).to_vec(),
            false => seeded.database().to_vec(),
        };
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut outputs = Vec::new();
        for command in [
            &["sessions", "complete", &session, "00000000-0000-0000-0000-000000000007"][..],
            &["sessions", "complete", "--json", &session],
            &["sessions", "archive"],
        ] {
            let output = run(command, &variables).await;
            outputs.push((output.code, output.all().replace(&session, "ID")));
        }
        printed.push(outputs);
        assert_eq!(view(&seeded.api.db.pool, seeded.session).await.status, "completed");
        let author = text(
            &seeded.api.db.pool,
            "SELECT actor FROM avinode_ingest.audit WHERE action = 'complete_session' ORDER BY id LIMIT 1",
        );
        let author = author.await.unwrap();
        assert!(
            author.starts_with(if through_api { "token:" } else { "cli:" }),
            "{author}"
        );
        seeded.api.service.stop().await;
    }
    let [stored, served] = &printed[..] else { panic!() };
    assert_eq!(stored[0].0, Some(1), "{stored:?}");
    assert!(stored[0].1.contains("1 session completed"), "{stored:?}");
    assert!(stored[0].1.contains("the session does not exist"), "{stored:?}");
    assert_eq!(served, stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_sessions_are_printed_where_another_one_is_locked() {
    for through_api in [false, true] {
        let seeded = Seeded::start().await;
        let pool = &seeded.api.db.pool;
        let locked = SessionBuilder::of_trip("L1L2L3").insert(pool).await;
        let last = SessionBuilder::of_trip("M1M2M3").insert(pool).await;
        let mut application = pool.application().await;
        sqlx::query("SELECT FROM public.chat_sessions WHERE id = $1 FOR UPDATE")
            .bind(locked)
            .execute(&mut *application)
            .await
            .unwrap();
        let [first, locked, last] = [seeded.session, locked, last].map(|id| id.to_string());
        let command = ["sessions", "complete", "--json", &first, &locked, &last];
        let output = match through_api {
            true => run_with(&command, &seeded.url(WRITE)).await,
            false => run_with(&command, &seeded.database()).await,
        };
        assert_eq!(output.code, Some(69), "{}", output.all());
        let printed: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(printed["done"], json!([first, last]), "{printed}");
        assert_eq!(printed["not_done"][0]["id"], json!(locked), "{printed}");
        application.rollback().await.unwrap();
        seeded.api.service.stop().await;
    }
}
