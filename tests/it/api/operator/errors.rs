//! Errors of commands that use the operator API: what is wrong, in one line, and the exit code.

use avinode_ingest::service::ServiceSettings;

use super::Seeded;
use crate::api::{ADMIN, READ};
use crate::support::program::{ProgramRun, run, run_blocking};
use crate::support::service::RunningService;

/// Asserts the exit code and a part of the only line on standard error.
#[track_caller]
fn assert_error(output: &ProgramRun, code: i32, part: &str) {
    assert_eq!(output.code, Some(code), "{}", output.all());
    assert!(output.stderr.contains(part), "{}", output.all());
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.all());
    assert!(!output.stderr.contains("hush"), "{}", output.all());
}

const URL: (&str, &str) = ("INGEST_URL", "http://127.0.0.1:9");
const TOKEN: (&str, &str) = ("INGEST_API_TOKEN", "hush-this-is-a-token");

#[test]
fn a_service_that_cannot_be_reached_is_exit_code_69() {
    for command in [
        "jobs list",
        "jobs show 7",
        "deliveries list",
        "documents list",
        "trace A1B2C3",
    ] {
        let output = run_blocking(command, &[URL, TOKEN]);
        assert_error(&output, 69, "through the service at http://127.0.0.1:9");
    }
}

#[test]
fn a_missing_or_wrong_setting_is_exit_code_64() {
    let database = ("DATABASE_URL", "postgres://user:hush@127.0.0.1:9/d");
    for (command, variables, part) in [
        ("jobs list", &[URL][..], "INGEST_API_TOKEN (--api-token) must be set"),
        (
            "jobs list --url http://127.0.0.1:9",
            &[database],
            "INGEST_API_TOKEN (--api-token) must be set",
        ),
        (
            "jobs list",
            &[URL, TOKEN, database],
            "INGEST_URL (--url) and DATABASE_URL (--database-url)",
        ),
        (
            "jobs list",
            &[("INGEST_URL", "ftp://example.com"), TOKEN],
            "INGEST_URL (--url)",
        ),
        (
            "jobs list",
            &[("INGEST_URL", "http://u:hush@127.0.0.1:9"), TOKEN],
            "must not contain a user",
        ),
        (
            "jobs list",
            &[URL, ("INGEST_API_TOKEN", "hush hush")],
            "INGEST_API_TOKEN (--api-token): the value is not one word",
        ),
        (
            "jobs list --token-file /nowhere/token",
            &[URL],
            "--token-file: could not read /nowhere/token",
        ),
    ] {
        assert_error(&run_blocking(command, variables), 64, part);
    }
}

#[test]
fn the_help_does_not_show_the_token() {
    let output = run_blocking("jobs list --help", &[TOKEN]);
    assert_eq!(output.code, Some(0), "{}", output.all());
    assert!(output.stdout.contains("INGEST_API_TOKEN"), "{}", output.stdout);
    assert!(!output.all().contains("hush"), "{}", output.all());
}

#[test]
fn the_flag_comes_before_a_database_in_a_variable_and_the_variable_before_none() {
    let database = ("DATABASE_URL", "postgres://user:hush@127.0.0.1:9/d");
    let output = run_blocking("jobs list --url http://127.0.0.1:9", &[TOKEN, database]);
    assert_error(&output, 69, "through the service at http://127.0.0.1:9");
    // INGEST_URL alone is the target of `replay` and `sign`.
    let output = run_blocking("jobs list", &[URL, database]);
    assert_error(&output, 69, "connect to the database of DATABASE_URL");
}

#[test]
fn a_command_that_needs_the_database_says_so() {
    for command in ["purge --trip A1B2C3 --yes", "reconcile --active"] {
        let output = run_blocking(command, &[URL, TOKEN]);
        assert_error(
            &output,
            64,
            "this command needs the database, and only INGEST_URL is set",
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_may_be_in_a_file_and_a_refused_one_is_exit_code_64() {
    let seeded = Seeded::start().await;
    let base = seeded.api.service.base.clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{READ}\n")).unwrap();
    let file = file.to_str().unwrap();
    let url = ("INGEST_URL", base.as_str());
    let output = run(&["jobs", "list", "--token-file", file], &[url]).await;
    assert_eq!(output.code, Some(0), "{}", output.all());
    let output = run(&["jobs", "list"], &[url, ("INGEST_API_TOKEN_FILE", file)]).await;
    assert_eq!(output.code, Some(0), "{}", output.all());
    let output = run(&["jobs", "list"], &[url, TOKEN]).await;
    assert_error(&output, 64, "does not accept the token");
    let output = run(&["jobs", "retry", "1"], &[url, ("INGEST_API_TOKEN", READ)]).await;
    assert_error(&output, 64, "requires a token with the scope admin");
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_only_works_has_no_operator_api() {
    let seeded = Seeded::start().await;
    let settings = ServiceSettings {
        receives: false,
        ..ServiceSettings::default()
    };
    let worker = RunningService::start(&seeded.api.db.pool, settings).await;
    let variables = [("INGEST_URL", worker.base.as_str()), ("INGEST_API_TOKEN", ADMIN)];
    let output = run(&["jobs", "list"], &variables).await;
    assert_error(&output, 1, "has no operator API");
    worker.stop().await;
    seeded.api.service.stop().await;
}
