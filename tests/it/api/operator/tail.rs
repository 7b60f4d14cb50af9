//! `tail` through the API: the lines that it prints on the database.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::seed;
use crate::api::{Api, READ};
use crate::crash::program::Program;
use crate::support::PATIENCE;
use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{at_least, equal, eventually};

/// The last line of each delivery.
fn lines(tail: &Program) -> BTreeMap<String, Value> {
    let said = tail.said();
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.map(|line| (line["id"].to_string(), line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_through_the_api_shows_each_delivery_as_one_on_the_database() {
    let api = Api::with_workers(Db::new().await, 0).await;
    let (base, url) = (api.service.base.clone(), api.db.url());
    let through_api = [("INGEST_URL", base.as_str()), ("INGEST_API_TOKEN", READ)];
    let mut tails = [
        Program::start("tail --json --since 1h", &[("DATABASE_URL", url.as_str())]),
        Program::start("tail --json --since 1h", &through_api),
    ];
    let stored = seed(&api.db).await;
    eventually(PATIENCE, "all deliveries are shown by both", async || {
        let [on_the_database, through_api] = [lines(&tails[0]), lines(&tails[1])];
        equal(on_the_database.len(), stored.len()).map_err(|error| format!("{error:?}"))?;
        match on_the_database == through_api {
            true => Ok(()),
            false => Err(format!("{on_the_database:?} {through_api:?}")),
        }
    })
    .await;
    for tail in &mut tails {
        tail.signal(Signal::SIGINT);
        assert_eq!(tail.ended(PATIENCE).await.code(), Some(0), "{}", tail.said());
    }
    api.service.stop().await;
}

/// An address that leads to one service after the other.
struct Address {
    url: String,
    /// None between two services.
    target: watch::Sender<Option<String>>,
    /// Connections while no service was there.
    refused: watch::Receiver<u32>,
}

impl Address {
    async fn of(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (target, seen) = watch::channel(Some(base.to_owned()));
        let (refuse, refused) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let Some(base) = seen.borrow().clone() else {
                    refuse.send_modify(|refused| *refused += 1);
                    continue;
                };
                let mut service = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut service).await });
            }
        });
        Self { url, target, refused }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_through_the_api_goes_on_when_the_service_was_restarted() {
    let api = Api::with_workers(Db::new().await, 0).await;
    let address = Address::of(&api.service.base).await;
    let variables = [("INGEST_URL", address.url.as_str()), ("INGEST_API_TOKEN", READ)];
    let mut tail = Program::start("tail --json --since 1h", &variables);
    let stored = seed(&api.db).await;
    let shown = |tail: &Program, deliveries| equal(lines(tail).len(), deliveries);
    eventually(PATIENCE, "all deliveries are shown", async || {
        shown(&tail, stored.len())
    })
    .await;

    let Api { db, service, .. } = api;
    address.target.send_replace(None);
    service.stop().await;
    eventually(PATIENCE, "the service is missed", async || {
        at_least(*address.refused.borrow(), 1)
    })
    .await;
    let api = Api::with_workers(db, 0).await;
    address.target.send_replace(Some(api.service.base.clone()));
    let news = quote("evt-7", "A1B2C3", "arfq-7", "aquote-7", 70, "7000", "EUR");
    store_deliveries(&api.db.pool, &[news], base()).await;
    eventually(PATIENCE, "the new one is shown", async || {
        shown(&tail, stored.len() + 1)
    })
    .await;
    tail.signal(Signal::SIGINT);
    assert_eq!(tail.ended(PATIENCE).await.code(), Some(0), "{}", tail.said());
    api.service.stop().await;
}
