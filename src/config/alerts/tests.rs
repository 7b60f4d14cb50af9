use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    alerts: AlertArgs,
}

/// The arguments of a command line whose variables are those of this test process, which sets none of them.
fn parse(line: &[&str]) -> AlertArgs {
    let line = ["program"].iter().chain(line).copied();
    Program::try_parse_from(line).unwrap().alerts
}

fn webhook_error(line: &[&str]) -> String {
    parse(line).webhook().unwrap_err().to_string()
}

const KEY: &str = "whsec_YSBrZXkgb2YgMjQgYnl0ZXMuLi4uLi4h";

#[test]
fn without_a_channel_there_are_no_settings_and_silence_is_off() {
    let args = parse(&[]);
    assert!(args.webhook().unwrap().is_none() && args.mail_server().unwrap().is_none());
    assert_eq!(args.alert_no_delivery.0, None);
    assert_eq!(args.alert_oldest_job.0, Some(std::time::Duration::from_secs(600)));
}

#[test]
fn a_webhook_has_a_url_and_perhaps_a_standard_webhooks_secret() {
    let url = "https://hooks.example.com/services/hush";
    let (checked, secret) = parse(&["--alert-webhook", url]).webhook().unwrap().unwrap();
    assert_eq!((checked.expose_secret(), secret.is_none()), (url, true));
    let signed = parse(&["--alert-webhook", url, "--alert-webhook-secret", KEY]);
    assert!(signed.webhook().unwrap().unwrap().1.is_some());
    for url in ["hush", "ftp://example.com/hush", "https:///"] {
        let error = webhook_error(&["--alert-webhook", url]);
        assert!(error.starts_with("INGEST_ALERT_WEBHOOK (--alert-webhook): "), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
    let plain = webhook_error(&["--alert-webhook", url, "--alert-webhook-secret", "hush"]);
    assert!(plain.contains("whsec_") && !plain.contains("hush"), "{plain}");
    let alone = webhook_error(&["--alert-webhook-secret", KEY]);
    assert!(alone.contains("needs INGEST_ALERT_WEBHOOK"), "{alone}");
}

#[test]
fn a_mail_server_has_a_url_a_sender_and_receivers() {
    let url = ["--alert-smtp-url", "smtps://user:p%40ss@mail.example.com:465"];
    let from = ["--alert-email-from", "Ingest <ingest@example.com>"];
    let to = ["--alert-email-to", "one@example.com,two@example.com"];
    let all = [url, from, to].concat();
    let server = parse(&all).mail_server().unwrap().unwrap();
    assert_eq!(server.url.expose_secret(), url[1]);
    assert_eq!(server.to.len(), 2);
    for part in [
        [url, from].concat(),
        [url, to].concat(),
        [from, to].concat(),
        url.to_vec(),
    ] {
        let error = parse(&part).mail_server().unwrap_err().to_string();
        assert!(
            error.contains("must be set together") && !error.contains("ss@"),
            "{error}"
        );
    }
    let wrong = [["--alert-smtp-url", "https://user:hush@example.com"], from, to].concat();
    let error = parse(&wrong).mail_server().unwrap_err().to_string();
    assert!(
        error.starts_with("INGEST_ALERT_SMTP_URL") && !error.contains("hush"),
        "{error}"
    );
}

#[test]
fn a_secret_in_a_url_leaves_the_machine_encrypted() {
    for url in ["http://example.com/hush", "http://10.0.0.7/hush"] {
        let error = webhook_error(&["--alert-webhook", url]);
        assert!(
            error.contains("the value is http to another machine: use https"),
            "{error}"
        );
        assert!(!error.contains("hush"), "{error}");
    }
    let mail = |url: &str| {
        let addresses = [
            "--alert-email-from",
            "ingest@example.com",
            "--alert-email-to",
            "one@example.com",
        ];
        let line = [&["--alert-smtp-url", url][..], &addresses].concat();
        parse(&line).mail_server().map_err(|error| error.to_string())
    };
    for url in [
        "smtp://user:hush@mail.example.com:25",
        "smtp://user:hush@mail.example.com:587?tls=opportunistic",
    ] {
        let error = mail(url).unwrap_err();
        assert!(
            error.contains("the value is smtp with a password to another machine: use smtps or ?tls=required"),
            "{error}"
        );
        assert!(!error.contains("hush"), "{error}");
    }
    for url in [
        "smtps://user:hush@mail.example.com:465",
        "smtp://user:hush@mail.example.com:587?tls=required",
        "smtp://user:hush@localhost:25",
        "smtp://mail.example.com:25",
    ] {
        assert!(mail(url).is_ok(), "{url}");
    }
    for url in [
        "http://localhost:9000/hush",
        "http://127.0.0.1:9000/hush",
        "http://[::1]:9000/hush",
    ] {
        assert!(parse(&["--alert-webhook", url]).webhook().is_ok(), "{url}");
    }
}
