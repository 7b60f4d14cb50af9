//! Settings of the real program in a real environment: one line, and an exit code.

use std::process::{Command, Output};

/// Runs the program with these arguments and only these environment variables.
fn program(arguments: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_avinode-ingest"))
        .args(arguments.split_whitespace())
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_invalid_variable_is_one_line_that_names_it_and_exit_code_64() {
    let settings = [
        ("INGEST_LISTEN", "here"),
        ("INGEST_ROLE", "boss"),
        ("INGEST_MIGRATE", "maybe"),
        ("INGEST_WORKERS", "0"),
        ("INGEST_PRIMARY_QUOTE_POLICY", "best"),
        ("INGEST_BODY_LIMIT", "1"),
        ("INGEST_BODY_TIMEOUT", "10"),
        ("INGEST_RECEIVE_QUEUE_CAPACITY", "-1"),
        ("INGEST_MEMORY_BUDGET", "1"),
        ("INGEST_HTTP_MAX_CONNECTIONS", "0"),
        ("INGEST_SHUTDOWN_TIMEOUT", "0s"),
        ("INGEST_LEASE_DURATION", "1s"),
        ("INGEST_POLL_INTERVAL", "1ms"),
        ("INGEST_MAX_ATTEMPTS", "0"),
        ("INGEST_RETRY_BASE_DELAY", "1ms"),
        ("INGEST_RETRY_MAX_DELAY", "2d"),
        ("INGEST_OUTCOME_RETENTION", "23h"),
        ("INGEST_API_DATABASE_MAX_CONNECTIONS", "0"),
        ("AVINODE_ACT_AS_ACCOUNT", "a b"),
        ("AVINODE_INSECURE_LOOPBACK", "2"),
        ("AVINODE_CALLS_PER_SECOND", "0"),
        ("AVINODE_BURST", "0"),
        ("AVINODE_API_LAG", "0s"),
        ("AVINODE_RECONCILE_INTERVAL", "9m"),
        ("INGEST_TRANSACTION_POOLER", "2"),
        ("INGEST_DATABASE_MAX_CONNECTIONS", "1"),
        ("INGEST_LOG_FORMAT", "xml"),
        ("INGEST_LOG_LEVEL", "loud"),
    ];
    for (name, value) in settings {
        let output = program("serve", &[(name, value), ("AVINODE_WEBHOOK_SECRET", "hush")]);
        let line = stderr(&output);
        assert_eq!(output.status.code(), Some(64), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with(&format!("error: {name} (--")), "{line}");
        assert!(line.contains(&format!("\"{value}\" is n")), "{line}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn serve_refuses_fewer_connections_than_it_needs() {
    // An address that cannot be bound: a valid configuration fails there, before it reaches a database.
    let serve = |role, connections| {
        let variables = [
            ("AVINODE_WEBHOOK_SECRET", "hush"),
            ("INGEST_LISTEN", "192.0.2.1:8080"),
            ("INGEST_WORKERS", "6"),
            ("INGEST_ROLE", role),
            ("INGEST_DATABASE_MAX_CONNECTIONS", connections),
        ];
        let output = program("serve", &variables);
        (output.status.code(), stderr(&output))
    };
    for (role, few, workers, enough) in [("both", "9", 6, "10"), ("work", "9", 6, "10"), ("receive", "3", 0, "4")] {
        let (code, line) = serve(role, few);
        let problem = format!("\"{few}\" is too few for {workers} workers; at least {enough}");
        assert_eq!(
            line,
            format!("error: INGEST_DATABASE_MAX_CONNECTIONS (--database-max-connections): {problem}\n")
        );
        assert_eq!(code, Some(64));
        let (code, line) = serve(role, enough);
        assert!(
            code != Some(64) && line.contains("listen on 192.0.2.1:8080"),
            "{role}: {line}"
        );
    }
}

#[test]
fn an_invalid_secret_in_a_variable_is_never_shown() {
    for (name, value) in [
        ("DATABASE_URL", "mysql://user:hush@host/database"),
        ("AVINODE_WEBHOOK_SECRET", "whsec_hush!"),
        ("AVINODE_WEBHOOK_BASIC", "hush"),
        ("INGEST_API_TOKENS", "ops:admin:hush"),
        ("AVINODE_API_TOKEN", "hush hush"),
        ("AVINODE_BEARER", "Bearer hush"),
    ] {
        let valid = ("AVINODE_WEBHOOK_SECRET", "hush");
        let output = program("serve", &[valid, (name, value)]);
        let line = stderr(&output);
        assert_eq!(output.status.code(), Some(64), "{line}");
        assert!(
            line.starts_with(&format!("error: {name} (--")) && line.lines().count() == 1,
            "{line}"
        );
        assert!(!line.contains("hush"), "{line}");
    }
}

#[test]
fn serve_refuses_to_start_without_webhook_authentication() {
    let output = program("serve --role receive", &[]);
    assert!(
        stderr(&output).starts_with("error: AVINODE_WEBHOOK_SECRET (--webhook-secret) or"),
        "{}",
        stderr(&output)
    );
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn an_invalid_secret_of_a_flag_without_a_variable_is_never_shown() {
    let lines = [
        "demo --database-url mysql://user:hush@host/d",
        "sign --secret whsec_hush! x",
        "replay --secret whsec_hush!",
    ];
    for arguments in lines {
        let output = program(arguments, &[]);
        let line = stderr(&output);
        assert_eq!(output.status.code(), Some(64), "{line}");
        assert!(
            line.starts_with("error: --") && line.lines().count() == 1 && !line.contains("hush"),
            "{line}"
        );
    }
}

#[test]
fn help_shows_no_secret() {
    let secrets = [
        "DATABASE_URL",
        "AVINODE_WEBHOOK_SECRET",
        "AVINODE_WEBHOOK_BASIC",
        "INGEST_API_TOKENS",
        "AVINODE_API_TOKEN",
        "AVINODE_BEARER",
    ];
    let output = program("serve --help", &secrets.map(|name| (name, "hush")));
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        secrets.iter().all(|name| help.contains(name)) && !help.contains("hush"),
        "{help}"
    );
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let empty = [
        "INGEST_WORKERS",
        "DATABASE_URL",
        "AVINODE_WEBHOOK_SECRET",
        "INGEST_MIGRATE",
        "INGEST_LOG_FORMAT",
    ];
    let output = program("serve", &empty.map(|name| (name, "")));
    assert!(
        stderr(&output).starts_with("error: AVINODE_WEBHOOK_SECRET (--webhook-secret) or"),
        "{}",
        stderr(&output)
    );
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_flag_wins_over_its_variable() {
    let output = program("serve --workers 0", &[("INGEST_WORKERS", "2")]);
    assert!(
        stderr(&output).starts_with("error: INGEST_WORKERS (--workers): \"0\""),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    let output = command
        .arg("serve")
        .env("INGEST_WORKERS", std::ffi::OsStr::from_bytes(b"\xff"))
        .output()
        .unwrap();
    assert_eq!(
        stderr(&output).trim_end(),
        "error: INGEST_WORKERS (--workers): the value is not UTF-8"
    );
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn settings_in_the_environment_do_not_affect_the_demo() {
    let output = program(
        "demo --fixtures /nowhere",
        &[
            ("DATABASE_URL", "nonsense"),
            ("INGEST_PRIMARY_QUOTE_POLICY", "nonsense"),
        ],
    );
    assert_ne!(output.status.code(), Some(64), "{}", stderr(&output));
}

#[test]
fn sign_prints_a_command_that_sends_the_signed_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's a quote.json");
    std::fs::write(&file, "{\"at\":1}").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"))
        .args(["sign", "--secret", "hush"])
        .arg(&file)
        .env("INGEST_LISTEN", "0.0.0.0:9999")
        .env_remove("INGEST_URL")
        .output()
        .unwrap();
    let command = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A shell reads the command back, with a curl that prints its arguments.
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}; {command}");
    let words = Command::new("sh").arg("-c").arg(script).output().unwrap().stdout;
    let words = String::from_utf8(words).unwrap();
    let words: Vec<&str> = words.lines().collect();
    assert_eq!(words[..2], ["--data-binary", &format!("@{}", file.display())]);
    assert!(words[5].starts_with("x-avinode-signature: "), "{words:?}");
    assert_eq!(words[6], "http://127.0.0.1:9999/webhooks/avinode");
}

#[test]
fn replay_and_sign_without_a_secret_say_which_settings_are_missing() {
    for line in ["sign Cargo.toml", "replay Cargo.toml"] {
        let output = program(line, &[]);
        assert_eq!(output.status.code(), Some(64), "{line}");
        assert!(
            stderr(&output).contains("AVINODE_WEBHOOK_SECRET"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn an_unknown_variable_is_a_warning_that_names_the_nearest_setting_and_no_value() {
    let unknown = [
        ("INGEST_LEASE_SECONDS", "INGEST_LEASE_DURATION"),
        ("INGEST_POOLER", "INGEST_TRANSACTION_POOLER"),
        ("INGEST_WROKERS", "INGEST_WORKERS"),
        (
            "INGEST_MAX_CONNECTIONS",
            "INGEST_DATABASE_MAX_CONNECTIONS or INGEST_HTTP_MAX_CONNECTIONS",
        ),
        ("AVINODE_BEARRER", "AVINODE_BEARER"),
    ];
    for (name, nearest) in unknown {
        let output = program("openapi", &[(name, "hush"), ("INGEST_LOG_FORMAT", "json")]);
        let line = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{line}");
        let logged: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(logged["level"], "WARN", "{line}");
        assert_eq!(
            logged["message"],
            format!("environment variable {name} is not a setting; did you mean {nearest}?")
        );
        assert_eq!(
            (logged["variable"].as_str(), logged["nearest"].as_str()),
            (Some(name), Some(nearest))
        );
        assert!(!line.contains("hush"), "{line}");
    }
    let harmless = [
        ("AVINODE_SETTLE_SECONDS", ""),
        ("INGEST_WORKERS", "3"),
        ("PGUSER", "hush"),
    ];
    assert_eq!(stderr(&program("openapi", &harmless)), "");
    let output = program("openapi", &[("AVINODE_SETTLE_SECONDS", "3")]);
    assert!(
        stderr(&output).contains("AVINODE_SETTLE_SECONDS is not a setting; docs/configuration.md lists the settings"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn docs_configuration_md_is_up_to_date() {
    let output = program("configuration", &[]);
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md"));
    assert!(
        written.unwrap_or_default().as_bytes() == output.stdout,
        "run: cargo run --locked -- configuration > docs/configuration.md"
    );
}
