//! Postgres crashed under load: no acknowledged delivery is lost, what cannot be kept is answered 503, and the same
//! process recovers when Postgres is back.

use super::durable::Durable;
use super::load::{self, Load};
use super::program::{Serve, until};

const EVENTS: usize = 900;

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_whole_server_loses_no_acknowledged_delivery() {
    let mut postgres = Durable::new().await;
    let sessions = load::sessions(&postgres.pool).await;
    postgres.checkpoint().await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LEASE_SECONDS", "5")]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, 16, sessions);
    for round in 1..=2 {
        load.reach(round * EVENTS / 4).await;
        postgres.kill().await;
        let (kept, refused) = (load.acknowledged(), load.answers(503));
        until("deliveries are refused", async || {
            (load.answers(503) >= refused + 16).then_some(())
        })
        .await;
        // Sixteen may have been answered just before the crash and be read only now; no more than that.
        assert!(load.acknowledged() <= kept + 16);
        assert_eq!(service.get("/livez").await, Some(200));
        assert_eq!(service.get("/readyz").await, Some(503));
        postgres = postgres.start_again().await;
    }
    load.check(&postgres.pool).await;
    service.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_one_backend_loses_no_acknowledged_delivery() {
    let postgres = Durable::new().await;
    let sessions = load::sessions(&postgres.pool).await;
    postgres.checkpoint().await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LEASE_SECONDS", "5")]).await;
    let load = Load::start(&service.address, EVENTS, 16, sessions);
    for round in 1..=3 {
        load.reach(round * EVENTS / 5).await;
        postgres.kill_a_child();
    }
    // The test's own connections have died as well.
    until("the server has recovered", async || {
        sqlx::query("SELECT").execute(&postgres.pool).await.ok()
    })
    .await;
    load.check(&postgres.pool).await;
    service.ready().await;
}
