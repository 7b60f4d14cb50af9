//! SIGHUP, the drain delay, and the listener for health checks.

use std::net::TcpListener;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::load::{body, client, post};
use super::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::service::SECRET;

async fn status(service: &Serve, number: usize) -> Option<u16> {
    let answer = post(&client(&service.address), &service.address, body(number)).await;
    answer.map(|(status, ..)| status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reloads_secrets_and_tokens_from_their_files() {
    let db = Db::new().await;
    let directory = tempfile::tempdir().unwrap();
    let (secret, tokens) = (
        directory.path().join("secret"),
        directory.path().join("INGEST_API_TOKENS"),
    );
    std::fs::write(&secret, "a-former-secret-of-these-tests\n").unwrap();
    std::fs::write(&tokens, "ui:read:a-former-token").unwrap();
    let mut service = Serve::start(&[
        ("DATABASE_URL", &db.url()),
        ("AVINODE_WEBHOOK_SECRET", ""),
        ("AVINODE_WEBHOOK_SECRET_FILE", secret.to_str().unwrap()),
        ("CREDENTIALS_DIRECTORY", directory.path().to_str().unwrap()),
    ])
    .await;
    let list = async |token: &str| {
        let url = format!("http://{}/v1/sessions", service.address);
        let answer = client(&service.address).get(url).bearer_auth(token).send().await;
        answer.unwrap().status().as_u16()
    };
    assert_eq!(status(&service, 0).await, Some(401));
    assert_eq!((list("a-former-token").await, list("a-new-token").await), (200, 401));

    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    std::fs::write(&tokens, "ui:read:a-new-token").unwrap();
    service.program.signal(Signal::SIGHUP);
    eventually(PATIENCE, "the new secret is known", async || {
        equal(status(&service, 0).await, Some(200))
    })
    .await;
    let list = async |token: &str| {
        let url = format!("http://{}/v1/sessions", service.address);
        let answer = client(&service.address).get(url).bearer_auth(token).send().await;
        answer.unwrap().status().as_u16()
    };
    eventually(PATIENCE, "the new token is known", async || {
        equal((list("a-former-token").await, list("a-new-token").await), (401, 200))
    })
    .await;

    std::fs::write(&secret, "").unwrap();
    service.program.signal(Signal::SIGHUP);
    let line = service.program.line("failed to reload secrets and tokens").await;
    assert!(line.contains("AVINODE_WEBHOOK_SECRET"), "{line}");
    assert_eq!(status(&service, 1).await, Some(200));
    service.stop(Signal::SIGTERM, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_the_drain_delay_the_service_is_not_ready_and_receives() {
    let db = Db::new().await;
    let mut service = Serve::start(&[("DATABASE_URL", &db.url()), ("INGEST_DRAIN_DELAY", "5s")]).await;
    service.ready().await;
    service.program.signal(Signal::SIGTERM);
    eventually(PATIENCE, "not ready", async || {
        equal(service.get("/readyz").await, Some(503))
    })
    .await;
    assert_eq!(status(&service, 0).await, Some(200));
    let ended = service.program.ended(Duration::from_secs(20)).await;
    assert_eq!(ended.code(), Some(0), "{}", service.program.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_answered_while_every_connection_is_taken() {
    let db = Db::new().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = free.local_addr().unwrap().to_string();
    drop(free);
    let service = Serve::start(&[
        ("DATABASE_URL", &db.url()),
        ("INGEST_ADMIN_LISTEN", &admin),
        ("INGEST_HTTP_MAX_CONNECTIONS", "4"),
        ("INGEST_UNFINISHED_BODIES_PER_CLIENT", "4"),
        ("INGEST_BODY_TIMEOUT", "1m"),
        ("INGEST_SHUTDOWN_TIMEOUT", "1s"),
    ])
    .await;
    let mut taken = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(&service.address).await.unwrap();
        let head = "POST /webhooks/avinode HTTP/1.1\r\nHost: a\r\nX-Avinode-Signature: 00\r\nContent-Length: 9\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        taken.push(stream);
    }
    let client = client(&admin);
    for (path, expected) in [("/livez", 200), ("/readyz", 200), ("/v1/sessions", 404)] {
        eventually(PATIENCE, path, async || {
            let answer = client.get(format!("http://{admin}{path}")).send().await;
            equal(answer.ok().map(|answer| answer.status().as_u16()), Some(expected))
        })
        .await;
    }
    service.stop(Signal::SIGTERM, PATIENCE).await;
    drop(taken);
}
