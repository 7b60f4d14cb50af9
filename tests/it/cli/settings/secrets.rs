//! Secrets are never shown.

use crate::support::program::run_blocking;

#[test]
fn an_invalid_secret_in_a_variable_is_never_shown() {
    for (name, value) in [
        ("DATABASE_URL", "mysql://user:hush@host/database"),
        ("AVINODE_WEBHOOK_SECRET", "whsec_hush!"),
        ("AVINODE_WEBHOOK_BASIC", "hush"),
        ("INGEST_API_TOKENS", "ops:root:hush"),
        ("AVINODE_API_TOKEN", "hush hush"),
        ("AVINODE_BEARER", "Bearer hush"),
        ("INGEST_ALERT_WEBHOOK", "ftp://example.com/hush"),
        ("INGEST_ALERT_WEBHOOK_SECRET", "whsec_hush!"),
        ("INGEST_ALERT_SMTP_URL", "http://user:hush@example.com"),
    ] {
        let valid = ("AVINODE_WEBHOOK_SECRET", "hush");
        let output = run_blocking("serve", &[valid, (name, value)]);
        let line = &output.stderr;
        assert_eq!(output.code, Some(64), "{line}");
        assert!(
            line.starts_with(&format!("error: {name} (--")) && line.lines().count() == 1,
            "{line}"
        );
        assert!(!line.contains("hush"), "{line}");
    }
}

#[test]
fn an_invalid_secret_of_a_flag_without_a_variable_is_never_shown() {
    let lines = [
        "demo --database-url mysql://user:hush@host/d",
        "sign --secret whsec_hush! x",
        "replay --secret whsec_hush!",
    ];
    for arguments in lines {
        let output = run_blocking(arguments, &[]);
        let line = &output.stderr;
        assert_eq!(output.code, Some(64), "{line}");
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
        "INGEST_ALERT_WEBHOOK",
        "INGEST_ALERT_WEBHOOK_SECRET",
        "INGEST_ALERT_SMTP_URL",
    ];
    let output = run_blocking("serve --help", &secrets.map(|name| (name, "hush")));
    let help = &output.stdout;
    assert_eq!(output.code, Some(0));
    assert!(
        secrets.iter().all(|name| help.contains(name)) && !help.contains("hush"),
        "{help}"
    );
}
