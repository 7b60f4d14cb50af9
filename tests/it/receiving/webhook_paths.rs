//! Deliveries at paths that an admin chose.

use nix::sys::signal::Signal;
use reqwest::Client;

use crate::crash::load::body;
use crate::crash::program::{Program, Serve};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::service::{SECRET, signer};

/// Sends a signed delivery and returns the status.
async fn post(client: &Client, url: String, number: usize) -> u16 {
    let body = body(number);
    let mut request = client.post(url);
    for (name, value) in signer().sign("msg_test", &body, avinode_ingest::clock::Clock::System.now()) {
        request = request.header(name, value);
    }
    request.body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_received_at_the_configured_paths_only_and_replay_sends_to_the_first() {
    let db = Db::new().await;
    let url = db.url();
    let paths = ("INGEST_WEBHOOK_PATHS", "/api/webhooks/avinode, /hooks");
    let service = Serve::start(&[("DATABASE_URL", &url), paths]).await;
    let base = format!("http://{}", service.address);
    let client = avinode_ingest::cli::replay::sender::client(&base).unwrap();
    for (number, (path, status)) in [
        ("/api/webhooks/avinode", 200),
        ("/hooks", 200),
        ("/webhooks/avinode", 404),
        ("/hooks/", 404),
        ("/Hooks", 404),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(post(&client, format!("{base}{path}"), number).await, status, "{path}");
    }
    let replay = format!("replay fixtures --url {base}");
    let mut replayed = Program::start(&replay, &[paths, ("AVINODE_WEBHOOK_SECRET", SECRET)]);
    let ended = replayed.ended(PATIENCE).await;
    assert_eq!(ended.code(), Some(0), "{}", replayed.said());
    service.stop(Signal::SIGTERM, PATIENCE).await;
}
