//! Settings, secrets and the port.

use avinode_ingest::service::ServiceSettings;
use tokio::net::TcpListener;

use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::service::RunningService;

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_free_or_of_this_program_or_of_another() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let ours = service.base.trim_start_matches("http://").to_owned();
    let output = check(&[("DATABASE_URL", &db.url()), ("INGEST_LISTEN", &ours)]).await;
    assert_eq!(output.status("port"), "warning", "{}", output.text);
    service.stop().await;

    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = foreign.local_addr().unwrap().to_string();
    let output = check(&[("DATABASE_URL", &db.url()), ("INGEST_LISTEN", &address)]).await;
    assert_eq!(
        (output.code, output.status("port").as_str()),
        (Some(69), "failed"),
        "{}",
        output.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_are_those_of_serve() {
    let db = Db::new().await;
    let nowhere = db.url().replacen("test_", "nowhere_", 1);
    let output = check(&[("DATABASE_URL", &nowhere)]).await;
    assert_eq!(
        (output.code, output.status("database").as_str()),
        (Some(69), "failed"),
        "{}",
        output.text
    );
    let output = check(&[("DATABASE_URL", &db.url()), ("AVINODE_WEBHOOK_SECRET", "")]).await;
    assert_eq!(
        (output.code, output.status("settings").as_str()),
        (Some(64), "failed"),
        "{}",
        output.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_another_machine_without_sslmode_is_warned_of() {
    let db = Db::new().await;
    for (url, warned) in [
        ("postgres://u:hush@database.invalid/d".to_owned(), true),
        ("postgres://u:hush@database.invalid/d?sslmode=require".to_owned(), false),
        (db.url(), false),
    ] {
        let output = check(&[("DATABASE_URL", &url)]).await;
        let (_, words) = output.of("database");
        assert_eq!(words.contains("without sslmode"), warned, "{words}");
        assert!(!output.text.contains("hush"), "{}", output.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_placeholder_of_a_sample_ends_check_with_the_code_of_a_wrong_setting() {
    let db = Db::new().await;
    for (setting, value) in [
        ("AVINODE_WEBHOOK_SECRET", "change-me"),
        ("AVINODE_WEBHOOK_BASIC", "avinode:change-me"),
        ("INGEST_API_TOKENS", "ops:read:change-me"),
        ("AVINODE_API_TOKEN", "change-me"),
    ] {
        let output = check(&[("DATABASE_URL", &db.url()), (setting, value)]).await;
        assert_eq!(output.code, Some(64), "{}", output.text);
        assert!(output.text.contains("placeholder of a sample"), "{}", output.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn short_secrets_are_named_by_their_entry_and_no_secret_is_shown() {
    let db = Db::new().await;
    let output = check(&[
        ("DATABASE_URL", &db.url()),
        ("AVINODE_WEBHOOK_SECRET", "a-good-long-secret-hush,hush"),
        ("AVINODE_WEBHOOK_BASIC", "an-identifier-that-is-long:hush"),
        ("INGEST_API_TOKENS", "operations:write:hush"),
    ])
    .await;
    let (statuses, words) = output.of("secrets");
    assert_eq!(statuses, "ok warning warning warning");
    assert!(
        words.contains("HMAC 2, Standard Webhooks 0, Basic 1, API tokens 1"),
        "{words}"
    );
    assert!(
        words.contains("AVINODE_WEBHOOK_SECRET: entry 2 is shorter than 16"),
        "{words}"
    );
    assert!(!output.text.contains("hush"), "{}", output.text);
}
