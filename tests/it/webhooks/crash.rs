//! A worker that is killed during a call loses no webhook.

use nix::sys::signal::Signal;

use super::{KEY, accepted, received, until_idle, until_received, url};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::recorder::{Part, Recorder};
use crate::support::sessions::SessionBuilder;

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_during_a_call_the_same_webhook_is_sent_again() {
    let db = Db::new().await;
    SessionBuilder::of_trip("KILL01").insert(&db.pool).await;
    let receiver = Recorder::start(vec![vec![Part::Silence], accepted()]).await;
    let (database, url) = (db.url(), url(&receiver));
    let variables = [
        ("DATABASE_URL", database.as_str()),
        ("INGEST_NOTIFY_URL", url.as_str()),
        ("INGEST_NOTIFY_SECRET", KEY),
        ("INGEST_ROLE", "work"),
        ("INGEST_POLL_INTERVAL", "100ms"),
    ];
    let first = Serve::start(&variables).await;
    store_deliveries(&db.pool, &[quote_of("KILL01", "aquote-1", 1)], base()).await;
    let lost = until_received(&receiver, 1).await.remove(0);
    first.program.kill().await;
    let second = Serve::start(&variables).await;
    let again = until_received(&receiver, 2).await.remove(1);
    assert_eq!((&again.id, &again.body), (&lost.id, &lost.body));
    until_idle(&db.pool).await;
    assert_eq!(received(&receiver).len(), 2);
    let said = second.stop(Signal::SIGTERM, PATIENCE).await;
    assert!(!said.contains("hidden-key") && !said.contains("whsec_"), "{said}");
}
