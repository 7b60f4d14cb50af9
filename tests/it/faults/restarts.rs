//! A server that is killed and started again, many times.

use super::RECOVERY;
use crate::crash::durable::Durable;
use crate::crash::load::{self, Load};
use crate::crash::program::Serve;
use crate::support::eventually::{at_least, equal, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn ten_restarts_of_the_server_under_load_lose_nothing_and_each_is_over_within_ten_seconds() {
    const EVENTS: usize = 4_000;
    const SENDERS: usize = 8;
    let mut postgres = Durable::new().await;
    let sessions = load::sessions(&postgres.pool).await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    for _ in 0..10 {
        postgres.kill().await;
        postgres = postgres.start_again().await;
        let kept = load.acknowledged();
        eventually(RECOVERY, "deliveries are kept again", async || {
            at_least(load.acknowledged(), EVENTS.min(kept + 2 * SENDERS))
        })
        .await;
    }
    assert!(load.acknowledged() < EVENTS, "the load went on until the last restart");
    load.check(&postgres.pool).await;
    eventually(RECOVERY, "ready", async || {
        equal(service.get("/readyz").await, Some(200))
    })
    .await;
}
