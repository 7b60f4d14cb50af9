//! `check` and `serve` report the settings of the API by name, one per line, without a secret.

use serde_json::json;

use super::setup::{API_TOKEN, BEARER};
use super::webhooks::program;
use crate::support::check_command::{CheckOutput, check};
use crate::support::cluster::Db;
use crate::support::recorder::{Recorder, answer, ok};

async fn checked(db: &Db, base: &str) -> CheckOutput {
    let report = check(&[
        ("DATABASE_URL", &db.url()),
        ("AVINODE_BASE_URL", base),
        ("AVINODE_API_TOKEN", API_TOKEN),
        ("AVINODE_BEARER", BEARER),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
    ])
    .await;
    assert!(!report.text.contains("hush"), "{}", report.text);
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn check_warns_that_notifications_wait_without_credentials() {
    let db = Db::new().await;
    let report = check(&[("DATABASE_URL", &db.url())]).await;
    let (verdict, words) = report.of("avinode");
    assert_eq!(verdict, "warning", "{}", report.text);
    assert!(
        words.contains("are stored, and fetched once there are credentials") && words.contains("AVINODE_BEARER"),
        "{words}"
    );
    let report = check(&[("DATABASE_URL", &db.url()), ("INGEST_ROLE", "receive")]).await;
    assert_eq!(report.status("avinode"), "ok", "{}", report.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_the_credentials_and_names_the_events_that_avinode_does_not_send() {
    let db = Db::new().await;
    let sent = json!({"id": "whs-1", "active": true, "eventTypes": ["TripChatFromSeller", "TripRequestMine"]});
    let server = Recorder::answering(ok(json!({"data": [sent]}))).await;
    let report = checked(&db, &server.base()).await;
    let (verdicts, words) = report.of("avinode");
    assert_eq!(verdicts, "ok warning warning", "{}", report.text);
    assert!(words.contains("AVINODE_INSECURE_LOOPBACK"), "{words}");
    assert!(
        words.contains("no active webhook setting sends TripRequestSellerResponse"),
        "{words}"
    );
    assert_eq!(server.connections().len(), 1, "one call is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_fails_if_the_credentials_are_refused_and_names_a_clock_that_is_off() {
    let db = Db::new().await;
    let late = answer("401 Unauthorized", &["date: Sat, 31 Jan 2015 10:00:00 GMT"], b"");
    let server = Recorder::answering(late).await;
    let report = checked(&db, &server.base()).await;
    let (verdicts, words) = report.of("avinode");
    assert_eq!(
        (report.code, verdicts.as_str()),
        (Some(1), "failed warning warning"),
        "{}",
        report.text
    );
    assert!(
        words.contains("ahead of Avinode's") && words.contains("responded with 401"),
        "{words}"
    );
    // An unavailable API is a warning: deliveries are stored meanwhile.
    let server = Recorder::answering(answer("503 Busy", &[], b"")).await;
    assert!(
        checked(&db, &server.base())
            .await
            .status("avinode")
            .starts_with("warning")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_refuses_incomplete_credentials_and_an_invalid_base_url() {
    for (variables, said) in [
        (
            &[("AVINODE_BEARER", "")][..],
            "error: AVINODE_BEARER (--avinode-bearer): must be set together with AVINODE_BASE_URL (--avinode-base-url) and \
             AVINODE_API_TOKEN (--avinode-api-token); ",
        ),
        (
            &[("AVINODE_BASE_URL", ""), ("AVINODE_BEARER", "")],
            "error: AVINODE_BASE_URL (--avinode-base-url) and AVINODE_BEARER (--avinode-bearer): must be set together with \
             AVINODE_API_TOKEN (--avinode-api-token); ",
        ),
        (
            &[("AVINODE_BASE_URL", "http://sandbox.avinode.com/api")],
            "error: AVINODE_BASE_URL (--avinode-base-url): \"http://sandbox.avinode.com/api\" is not https",
        ),
        (
            &[("AVINODE_BASE_URL", "https://user:hush@sandbox.avinode.com/api")],
            "error: AVINODE_BASE_URL (--avinode-base-url): the value contains a user name",
        ),
    ] {
        // An address that cannot be bound: a program that accepted the settings ends there.
        let others = [("AVINODE_WEBHOOK_SECRET", "hush"), ("INGEST_LISTEN", "192.0.2.1:8080")];
        let with_secret = [&others, variables].concat();
        let run = program("https://sandbox.avinode.com/api", &["serve"], &with_secret).await;
        assert_eq!(run.code, Some(64), "{}", run.all());
        assert!(run.all().starts_with(said), "{}", run.all());
        assert_eq!(run.all().lines().count(), 1, "{}", run.all());
        assert!(!run.all().contains("hush"), "{}", run.all());
    }
}
