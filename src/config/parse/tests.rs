use super::super::{database::DatabaseArgs, log::LogArgs, serve::ServeArgs, webhook::WebhookArgs};
use super::*;

#[derive(Debug, Parser)]
#[command(name = "program", version)]
struct Program {
    #[command(flatten)]
    _log: LogArgs,
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, clap::Subcommand)]
enum Sub {
    Serve {
        #[command(flatten)]
        _database: DatabaseArgs,
        #[command(flatten)]
        webhook: WebhookArgs,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    Other,
}

/// Without the environment of whoever runs the tests; `tests/it` runs the program in one of its own.
fn parse(line: &str) -> Result<Program, EarlyExit> {
    parse_without(|_| true, line.split(' ').map(OsString::from))
}

fn wrong(line: &str) -> String {
    match parse(line).unwrap_err() {
        EarlyExit::Wrong(text) => {
            assert!(!text.contains('\n'), "{text}");
            text
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_setting_is_one_line_with_both_names_the_value_and_what_is_allowed() {
    for (flag, variable, value, allowed) in [
        (
            "--max-connections",
            "INGEST_MAX_CONNECTIONS",
            "1",
            "a whole number from 2 to 200",
        ),
        ("--pooler=maybe", "", "", "unexpected value"),
        (
            "--listen",
            "INGEST_LISTEN",
            "here",
            "an IP address and a port, such as 127.0.0.1:8080",
        ),
        ("--role", "INGEST_ROLE", "boss", "is not one of: receive, work, both"),
        ("--workers", "INGEST_WORKERS", "65", "a whole number from 1 to 64"),
        (
            "--primary-quote",
            "INGEST_PRIMARY_QUOTE",
            "best",
            "is not one of: latest, first, lowest-price",
        ),
        ("--body-limit", "INGEST_BODY_LIMIT", "1023", "from 1024 to 16777216"),
        ("--body-timeout", "INGEST_BODY_TIMEOUT", "0", "from 1 to 300 (seconds)"),
        ("--receive-queue", "INGEST_RECEIVE_QUEUE", "0", "from 1 to 1000000"),
        (
            "--memory-budget",
            "INGEST_MEMORY_BUDGET",
            "1",
            "from 1048576 to 68719476736",
        ),
        (
            "--max-connections-http",
            "INGEST_MAX_CONNECTIONS_HTTP",
            "0",
            "from 1 to 65535",
        ),
        (
            "--shutdown-seconds",
            "INGEST_SHUTDOWN_SECONDS",
            "301",
            "from 1 to 300 (seconds)",
        ),
        (
            "--lease-seconds",
            "INGEST_LEASE_SECONDS",
            "4",
            "from 5 to 3600 (seconds)",
        ),
        (
            "--poll-millis",
            "INGEST_POLL_MILLIS",
            "9",
            "from 10 to 60000 (milliseconds)",
        ),
        ("--max-attempts", "INGEST_MAX_ATTEMPTS", "0", "from 1 to 1000"),
        (
            "--retry-base-millis",
            "INGEST_RETRY_BASE_MILLIS",
            "x",
            "from 10 to 60000 (milliseconds)",
        ),
        (
            "--retry-max-seconds",
            "INGEST_RETRY_MAX_SECONDS",
            "0",
            "from 1 to 86400 (seconds)",
        ),
        (
            "--keep-outcomes-days",
            "INGEST_KEEP_OUTCOMES_DAYS",
            "0",
            "from 1 to 3650",
        ),
        ("--log", "INGEST_LOG", "xml", "is not one of: pretty, json"),
        ("--log-level", "INGEST_LOG_LEVEL", "loud", "is not a level"),
    ] {
        let typed = if value.is_empty() {
            flag.to_owned()
        } else {
            format!("{flag} {value}")
        };
        let line = wrong(&format!("program serve {typed}"));
        assert!(line.contains(allowed), "{line}");
        if !variable.is_empty() {
            assert!(
                line.starts_with(&format!("error: {flag} ({variable}): \"{value}\" is not")),
                "{line}"
            );
        }
    }
}

#[test]
fn a_wrong_secret_is_named_but_never_repeated() {
    for (flag, variable, value) in [
        ("--database-url", "DATABASE_URL", "mysql://u:hush@h"),
        ("--webhook-secret", "AVINODE_WEBHOOK_SECRET", "whsec_hush!"),
        ("--webhook-basic", "AVINODE_WEBHOOK_BASIC", "hush"),
        ("--api-tokens", "INGEST_API_TOKENS", "hush"),
    ] {
        let line = wrong(&format!("program serve {flag} {value}"));
        assert!(
            line.starts_with(&format!("error: {flag} ({variable}): the value is ")),
            "{line}"
        );
        assert!(!line.contains("hush"), "{line}");
    }
    assert!(!wrong("program serve --webhook-secret one hush").contains("hush"));
    assert!(!wrong("program serve --webhook-secrte=hush").contains("hush"));
}

#[test]
fn secrets_are_not_shown_by_debug() {
    let line = "program serve --database-url postgres://u:hush@h/d --webhook-secret hush --webhook-basic id:hush \
                --api-tokens a:read:hush";
    let shown = format!(
        "{:?}",
        parse(&line.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap()
    );
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn help_and_version_are_no_mistakes_and_everything_unknown_is_one() {
    for line in ["program --help", "program --version", "program serve --help"] {
        assert_eq!(parse(line).unwrap_err().code(), 0, "{line}");
    }
    assert_eq!(parse("program").unwrap_err().code(), EXIT_USAGE);
    assert!(wrong("program sreve").contains("unrecognized subcommand 'sreve'"));
    assert!(wrong("program serve --wrokers 2").contains("unexpected argument '--wrokers'"));
    assert!(wrong("program other extra").ends_with("(see program other --help)"));
    assert!(wrong("program serve --workers").contains("--workers (INGEST_WORKERS): a value is missing"));
}

#[test]
fn a_line_end_in_a_value_does_not_break_the_line() {
    let args = ["program", "serve", "--workers", "1\n2"].map(OsString::from);
    let EarlyExit::Wrong(line) = parse_from::<Program>(args).unwrap_err() else {
        panic!()
    };
    assert!(line.contains("\"1\\n2\"") && !line.contains('\n'), "{line}");
}

#[test]
fn settings_are_checked_against_one_another() {
    let check = |line: &str| match parse(line).unwrap().command {
        Sub::Serve { webhook, serve, .. } => serve.check(&webhook),
        Sub::Other => Ok(()),
    };
    assert!(
        check("program serve")
            .unwrap_err()
            .contains("AVINODE_WEBHOOK_SECRET (--webhook-secret) or")
    );
    assert_eq!(check("program serve --role work"), Ok(()));
    assert_eq!(check("program serve --webhook-basic id:secret"), Ok(()));
    let small = check("program serve --role work --memory-budget 1048576 --body-limit 2097152");
    assert!(small.unwrap_err().starts_with("INGEST_MEMORY_BUDGET"));
    let short = check("program serve --role work --retry-max-seconds 1 --retry-base-millis 2000");
    assert!(short.unwrap_err().starts_with("INGEST_RETRY_MAX_SECONDS"));
}
