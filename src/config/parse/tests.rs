use super::super::avinode::FetchArgs;
use super::super::database::DatabaseArgs;
use super::super::log::LogArgs;
use super::super::serve::ServeArgs;
use super::super::webhook::WebhookArgs;
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
        fetch: FetchArgs,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    Other,
}

/// Parses without the environment in which the tests run; `tests/it` runs the program in an environment of its own.
fn parse(line: &str) -> Result<Program, EarlyExit> {
    parse_ignoring(|_| true, line.split(' ').map(OsString::from)).map(|(parsed, _)| parsed)
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
fn an_invalid_value_is_one_line_with_both_names_the_value_and_what_is_accepted() {
    for (flag, variable, value, accepted) in [
        (
            "--database-max-connections",
            "INGEST_DATABASE_MAX_CONNECTIONS",
            "1",
            "a whole number from 2 to 200",
        ),
        (
            "--listen",
            "INGEST_LISTEN",
            "here",
            "an IP address and a port, such as 127.0.0.1:8080",
        ),
        ("--role", "INGEST_ROLE", "boss", "one of: receive, work, both"),
        ("--workers", "INGEST_WORKERS", "65", "a whole number from 1 to 64"),
        (
            "--primary-quote-policy",
            "INGEST_PRIMARY_QUOTE_POLICY",
            "best",
            "one of: latest, first, lowest-price",
        ),
        (
            "--console-user-scope",
            "INGEST_CONSOLE_USER_SCOPE",
            "all",
            "read, write or admin",
        ),
        (
            "--api-database-max-connections",
            "INGEST_API_DATABASE_MAX_CONNECTIONS",
            "0",
            "from 1 to 100",
        ),
        ("--body-limit", "INGEST_BODY_LIMIT", "1023", "a size from 1KiB to 16MiB"),
        (
            "--body-timeout",
            "INGEST_BODY_TIMEOUT",
            "10",
            "a duration from 1s to 5m",
        ),
        (
            "--receive-queue-capacity",
            "INGEST_RECEIVE_QUEUE_CAPACITY",
            "0",
            "from 1 to 1000000",
        ),
        (
            "--memory-budget",
            "INGEST_MEMORY_BUDGET",
            "1",
            "a size from 1MiB to 64GiB",
        ),
        (
            "--http-max-connections",
            "INGEST_HTTP_MAX_CONNECTIONS",
            "0",
            "from 1 to 65535",
        ),
        (
            "--shutdown-timeout",
            "INGEST_SHUTDOWN_TIMEOUT",
            "301s",
            "a duration from 1s to 5m",
        ),
        (
            "--lease-duration",
            "INGEST_LEASE_DURATION",
            "4s",
            "a duration from 5s to 1h",
        ),
        (
            "--poll-interval",
            "INGEST_POLL_INTERVAL",
            "9ms",
            "a duration from 10ms to 1m",
        ),
        ("--max-attempts", "INGEST_MAX_ATTEMPTS", "0", "from 1 to 1000"),
        (
            "--retry-base-delay",
            "INGEST_RETRY_BASE_DELAY",
            "x",
            "a duration from 10ms to 1m",
        ),
        (
            "--retry-max-delay",
            "INGEST_RETRY_MAX_DELAY",
            "0",
            "a duration from 1s to 1d",
        ),
        (
            "--outcome-retention",
            "INGEST_OUTCOME_RETENTION",
            "1h",
            "a duration from 1d to 3650d",
        ),
        (
            "--delivery-retention",
            "INGEST_DELIVERY_RETENTION",
            "6d",
            "a duration from 7d to 3650d",
        ),
        (
            "--event-key-retention",
            "INGEST_EVENT_KEY_RETENTION",
            "6d",
            "a duration from 7d to 3650d",
        ),
        (
            "--dead-job-retention",
            "INGEST_DEAD_JOB_RETENTION",
            "6d",
            "a duration from 7d to 3650d",
        ),
        (
            "--document-retention",
            "INGEST_DOCUMENT_RETENTION",
            "23h",
            "a duration from 1d to 3650d",
        ),
        (
            "--timeline-retention",
            "INGEST_TIMELINE_RETENTION",
            "29d",
            "a duration from 30d to 3650d",
        ),
        ("--avinode-api-lag", "AVINODE_API_LAG", "2m", "a duration from 1s to 1m"),
        (
            "--avinode-reconcile-interval",
            "AVINODE_RECONCILE_INTERVAL",
            "9m",
            "off nor a duration from 10m to 30d",
        ),
        ("--log-format", "INGEST_LOG_FORMAT", "xml", "one of: pretty, json"),
        ("--log-level", "INGEST_LOG_LEVEL", "loud", "a level"),
    ] {
        let line = wrong(&format!("program serve {flag} {value}"));
        assert!(
            line.starts_with(&format!("error: {variable} ({flag}): \"{value}\" is n")) && line.contains(accepted),
            "{line}"
        );
    }
    assert!(wrong("program serve --transaction-pooler=maybe").contains("unexpected value"));
}

#[test]
fn no_message_of_the_parser_holds_a_secret() {
    for line in [
        "program serve --webhook-secret one hush",
        "program serve --webhook-secrte=hush",
        "program serve --webhook-secret hush --webhook-secret hush",
        "program serve --api-tokens hush --workers 0",
    ] {
        assert!(!wrong(line).contains("hush"), "{line}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let line = "program serve --database-url postgres://u:hush@h/d --webhook-secret hush --webhook-basic id:hush \
                --api-tokens a:read:hush";
    let shown = format!(
        "{:?}",
        parse(&line.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap()
    );
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn help_and_version_exit_with_0_and_everything_unknown_with_64() {
    for line in ["program --help", "program --version", "program serve --help"] {
        assert_eq!(parse(line).unwrap_err().code(), 0, "{line}");
    }
    assert_eq!(parse("program").unwrap_err().code(), EXIT_USAGE);
    assert!(wrong("program sreve").contains("unrecognized subcommand 'sreve'"));
    assert!(wrong("program serve --wrokers 2").contains("unexpected argument '--wrokers'"));
    assert!(wrong("program other --extra").ends_with("(see program other --help)"));
    assert!(wrong("program other extra").contains("an argument is not expected"));
    assert!(wrong("program serve --workers").contains("INGEST_WORKERS (--workers): a value is missing"));
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
        Sub::Serve { webhook, serve, .. } => serve.check(&webhook).map_err(|error| error.to_string()),
        Sub::Other => Ok(()),
    };
    assert!(
        check("program serve")
            .unwrap_err()
            .contains("AVINODE_WEBHOOK_SECRET (--webhook-secret) or")
    );
    assert_eq!(check("program serve --role work"), Ok(()));
    assert_eq!(check("program serve --webhook-basic id:secret"), Ok(()));
    let timed = "--require-timestamp";
    let untimed = check(&format!("program serve --webhook-basic id:secret {timed}")).unwrap_err();
    assert!(untimed.starts_with("INGEST_REQUIRE_TIMESTAMP (--require-timestamp) needs AVINODE_WEBHOOK_SECRET"));
    assert_eq!(check(&format!("program serve --webhook-secret secret {timed}")), Ok(()));
    let named = "program serve --role work --console-user-header x-user";
    let believed = check(named).unwrap_err();
    assert!(believed.starts_with("INGEST_CONSOLE_USER_HEADER (--console-user-header) needs INGEST_TRUSTED_PROXIES"));
    assert_eq!(check(&format!("{named} --trusted-proxies 10.0.0.1")), Ok(()));
    let small = check("program serve --role work --memory-budget 1MiB --body-limit 2MiB");
    assert!(small.unwrap_err().starts_with("INGEST_MEMORY_BUDGET"));
    let forgotten = check("program serve --role work --event-key-retention 30d").unwrap_err();
    assert!(
        forgotten.starts_with("INGEST_EVENT_KEY_RETENTION") && forgotten.contains("INGEST_DELIVERY_RETENTION"),
        "{forgotten}"
    );
    let short = check("program serve --role work --retry-max-delay 1s --retry-base-delay 2s");
    let short = short.unwrap_err();
    assert!(
        short.starts_with("INGEST_RETRY_MAX_DELAY") && short.contains("\"1s\"") && short.ends_with("2s"),
        "{short}"
    );
}

#[test]
fn defaults_are_those_of_an_empty_command_line() {
    let Sub::Serve { serve, fetch, .. } = parse("program serve").unwrap().command else {
        panic!()
    };
    assert_eq!(format!("{:?}", ServeArgs::default()), format!("{serve:?}"));
    assert_eq!(format!("{:?}", defaults::<FetchArgs>()), format!("{fetch:?}"));
}
