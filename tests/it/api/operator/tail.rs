//! `tail` through the API: the lines that it prints on the database.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::seed;
use crate::api::{Api, READ};
use crate::crash::program::Program;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};

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
