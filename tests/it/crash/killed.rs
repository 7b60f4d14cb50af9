//! The service killed with SIGKILL, by which nothing that was acknowledged may be lost or counted twice.

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use sqlx::Connection;

use super::load::{self, Load, body, check_counts, client, post};
use super::program::Serve;
use super::roles::{lease_holders, lock_sessions};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::sql::count;

/// The settings of a service on `url` with short leases.
fn settings(url: &str) -> [(&str, &str); 2] {
    [("DATABASE_URL", url), ("INGEST_LEASE_DURATION", "5s")]
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_200_and_application_every_quote_is_counted_once_after_the_restart() {
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    let url = db.url();
    let service = Serve::start(&settings(&url)).await;
    // No worker can apply anything while the sessions are locked: every accepted delivery is still to be applied.
    let application = lock_sessions(&db.pool).await;
    let client = client(&service.address);
    for number in 0..12 {
        let (status, answer, _) = post(&client, &service.address, body(number)).await.unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    eventually(PATIENCE, "a worker has claimed some", async || {
        lease_holders(&db.pool).await.pop()
    })
    .await;
    service.program.kill().await;
    application.close().await.unwrap();

    let counted = "SELECT sum(quotes_received_count) FROM public.chat_sessions";
    let counted = count(&db.pool, counted).await;
    assert_eq!(counted, 0);
    let _service = Serve::start(&settings(&url)).await;
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    check_counts(&db.pool, &sessions, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_under_load_nothing_acknowledged_is_lost_or_counted_twice() {
    const EVENTS: usize = 1500;
    const KILLS: usize = 5;
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    let url = db.url();
    let mut service = Serve::start(&settings(&url)).await;
    let load = Load::start(&service.address, EVENTS, 16, sessions);
    for round in 1..=KILLS {
        load.reach(round * EVENTS / (KILLS + 2)).await;
        service.program.kill().await;
        service = Serve::start(&settings(&url)).await;
        load.redirect(&service.address);
    }
    load.check(&db.pool).await;
    service.ready().await;
}
