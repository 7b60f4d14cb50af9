//! Settings as a person meets them: the real program, the real environment, one line and an exit code.

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
fn a_wrong_variable_is_one_line_that_names_it_and_exit_code_64() {
    let named = [
        ("INGEST_LISTEN", "here"),
        ("INGEST_ROLE", "boss"),
        ("INGEST_MIGRATE", "maybe"),
        ("INGEST_WORKERS", "0"),
        ("INGEST_PRIMARY_QUOTE", "best"),
        ("INGEST_BODY_LIMIT", "1"),
        ("INGEST_BODY_TIMEOUT", "x"),
        ("INGEST_RECEIVE_QUEUE", "-1"),
        ("INGEST_MEMORY_BUDGET", "1"),
        ("INGEST_MAX_CONNECTIONS_HTTP", "0"),
        ("INGEST_SHUTDOWN_SECONDS", "0"),
        ("INGEST_LEASE_SECONDS", "1"),
        ("INGEST_POLL_MILLIS", "1"),
        ("INGEST_MAX_ATTEMPTS", "0"),
        ("INGEST_RETRY_BASE_MILLIS", "1"),
        ("INGEST_RETRY_MAX_SECONDS", "0"),
        ("INGEST_KEEP_OUTCOMES_DAYS", "0"),
        ("INGEST_API_CONNECTIONS", "0"),
        ("AVINODE_ACT_AS_ACCOUNT", "a b"),
        ("AVINODE_INSECURE_LOOPBACK", "2"),
        ("AVINODE_CALLS_PER_SECOND", "0"),
        ("AVINODE_BURST", "0"),
        ("AVINODE_RECONCILE_EVERY", "9m"),
        ("INGEST_POOLER", "2"),
        ("INGEST_MAX_CONNECTIONS", "1"),
        ("INGEST_LOG", "xml"),
        ("INGEST_LOG_LEVEL", "loud"),
    ];
    for (name, value) in named {
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
    // Where nobody can listen: what gets past the settings ends there, and at no database.
    let serve = |role, connections| {
        let variables = [
            ("AVINODE_WEBHOOK_SECRET", "hush"),
            ("INGEST_LISTEN", "192.0.2.1:8080"),
            ("INGEST_WORKERS", "6"),
            ("INGEST_ROLE", role),
            ("INGEST_MAX_CONNECTIONS", connections),
        ];
        let output = program("serve", &variables);
        (output.status.code(), stderr(&output))
    };
    for (role, few, workers, enough) in [("both", "9", 6, "10"), ("work", "9", 6, "10"), ("receive", "3", 0, "4")] {
        let (code, line) = serve(role, few);
        let said = format!("\"{few}\" is too few for {workers} workers; at least {enough}");
        assert_eq!(
            line,
            format!("error: INGEST_MAX_CONNECTIONS (--max-connections): {said}\n")
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
fn a_wrong_secret_in_a_variable_is_never_repeated() {
    for (name, value) in [
        ("DATABASE_URL", "mysql://user:hush@host/database"),
        ("AVINODE_WEBHOOK_SECRET", "whsec_hush!"),
        ("AVINODE_WEBHOOK_BASIC", "hush"),
        ("INGEST_API_TOKENS", "ops:admin:hush"),
        ("AVINODE_API_TOKEN", "hush hush"),
        ("AVINODE_BEARER", "Bearer hush"),
    ] {
        let output = program("serve", &[(name, value)]);
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
fn serve_without_any_verification_refuses_to_start() {
    let output = program("serve --role receive", &[]);
    assert!(
        stderr(&output).starts_with("error: AVINODE_WEBHOOK_SECRET (--webhook-secret) or"),
        "{}",
        stderr(&output)
    );
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_wrong_secret_of_a_flag_without_a_variable_is_never_repeated() {
    let lines = [
        "demo --database-url mysql://user:hush@host/d",
        "sign --secret whsec_hush! x",
        "replay --secret whsec_hush!",
    ];
    for arguments in lines {
        let line = stderr(&program(arguments, &[]));
        assert!(
            line.starts_with("error: --") && line.contains(": the value ") && !line.contains("hush"),
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
        "INGEST_LOG",
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
        stderr(&output).starts_with("error: --workers (INGEST_WORKERS): \"0\""),
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
fn what_a_shell_may_hold_does_not_reach_the_demo() {
    let output = program(
        "demo --fixtures /nowhere",
        &[("DATABASE_URL", "nonsense"), ("INGEST_PRIMARY_QUOTE", "nonsense")],
    );
    assert_ne!(output.status.code(), Some(64), "{}", stderr(&output));
}

#[test]
fn sign_prints_a_command_whose_bytes_are_the_signed_ones() {
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
    // Read back by a shell: curl's place is taken by one that prints its words.
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
fn readme_lists_every_setting() {
    use avinode_ingest::cli::command::Cli;
    use avinode_ingest::config::setting_reference::{differences_from_readme, settings};
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap_or_default();
    let differences = differences_from_readme(&readme, &settings::<Cli>());
    assert!(
        differences.is_empty(),
        "README.md differs from the settings:\n{}",
        differences.join("\n")
    );
}
