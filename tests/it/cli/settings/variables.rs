//! Environment variables and flags.

use std::process::Command;

use crate::support::program::run_blocking;

#[test]
fn an_invalid_variable_is_one_line_that_names_it_and_exit_code_64() {
    let settings = [
        ("INGEST_LISTEN", "here"),
        ("INGEST_ROLE", "boss"),
        ("INGEST_MIGRATE", "maybe"),
        ("INGEST_WORKERS", "0"),
        ("INGEST_PRIMARY_QUOTE_POLICY", "best"),
        ("INGEST_BODY_LIMIT", "1"),
        ("INGEST_WEBHOOK_PATHS", "/hooks/"),
        ("INGEST_WEBHOOK_PATHS", "hooks"),
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
        ("INGEST_DELIVERY_RETENTION", "3651d"),
        ("INGEST_EVENT_KEY_RETENTION", "6d"),
        ("INGEST_DEAD_JOB_RETENTION", "6d"),
        ("INGEST_DOCUMENT_RETENTION", "23h"),
        ("INGEST_TIMELINE_RETENTION", "29d"),
        ("INGEST_API_DATABASE_MAX_CONNECTIONS", "0"),
        ("INGEST_EVENT_STREAMS", "0"),
        ("INGEST_CONSOLE_USER_HEADER", "X Forwarded User"),
        ("INGEST_CONSOLE_USER_SCOPE", "all"),
        ("INGEST_NOTIFY_ALLOW_HTTP", "2"),
        ("INGEST_ALERT_ALLOW_HTTP", "2"),
        ("AVINODE_ACT_AS_ACCOUNT", "a b"),
        ("AVINODE_INSECURE_LOOPBACK", "2"),
        ("AVINODE_CALLS_PER_SECOND", "0"),
        ("AVINODE_BURST", "0"),
        ("AVINODE_API_LAG", "0s"),
        ("AVINODE_RECONCILE_INTERVAL", "9m"),
        ("INGEST_ALERT_EMAIL_FROM", "nobody"),
        ("INGEST_ALERT_EMAIL_TO", "two"),
        ("INGEST_ALERT_OLDEST_JOB", "30s"),
        ("INGEST_ALERT_NO_DELIVERY", "31d"),
        ("INGEST_ALERT_WORKING_DAYS", "weekdays"),
        ("INGEST_ALERT_WORKING_HOURS", "18:00-08:00"),
        ("INGEST_ALERT_TIME_ZONE", "Berlin"),
        ("INGEST_TRANSACTION_POOLER", "2"),
        ("INGEST_DATABASE_MAX_CONNECTIONS", "1"),
        ("INGEST_LOG_FORMAT", "xml"),
        ("INGEST_LOG_LEVEL", "loud"),
    ];
    for (name, value) in settings {
        let output = run_blocking("serve", &[(name, value), ("AVINODE_WEBHOOK_SECRET", "hush")]);
        let line = &output.stderr;
        assert_eq!(output.code, Some(64), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with(&format!("error: {name} (--")), "{line}");
        assert!(line.contains(&format!("\"{value}\" is n")), "{line}");
        assert!(output.stdout.is_empty());
    }
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
    let output = run_blocking("serve", &empty.map(|name| (name, "")));
    assert!(
        output
            .stderr
            .starts_with("error: AVINODE_WEBHOOK_SECRET (--webhook-secret) or"),
        "{}",
        output.stderr
    );
    assert_eq!(output.code, Some(64));
}

#[test]
fn a_flag_wins_over_its_variable() {
    let output = run_blocking("serve --workers 0", &[("INGEST_WORKERS", "2")]);
    assert!(
        output.stderr.starts_with("error: INGEST_WORKERS (--workers): \"0\""),
        "{}",
        output.stderr
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
        String::from_utf8(output.stderr).unwrap().trim_end(),
        "error: INGEST_WORKERS (--workers): the value is not UTF-8"
    );
    assert_eq!(output.status.code(), Some(64));
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
        let output = run_blocking("openapi", &[(name, "hush"), ("INGEST_LOG_FORMAT", "json")]);
        let line = &output.stderr;
        assert_eq!(output.code, Some(0), "{line}");
        let logged: serde_json::Value = serde_json::from_str(line).unwrap();
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
    assert_eq!(run_blocking("openapi", &harmless).stderr, "");
    let output = run_blocking("openapi", &[("AVINODE_SETTLE_SECONDS", "3")]);
    assert!(
        output
            .stderr
            .contains("AVINODE_SETTLE_SECONDS is not a setting; docs/configuration.md lists the settings"),
        "{}",
        output.stderr
    );
}
