//! The rate limit as the server sees it, with several processes that compete to fetch.

use std::time::{Duration, Instant};

use avinode_ingest::admin::fetching;
use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::jobs::fetch::leader::FetchLeader;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::setup::{leader_with, notify, outcomes, punctual, rfq};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, eventually};
use crate::support::fake_avinode::FakeAvinode;

/// A process that competes to fetch, within this one.
pub struct Competitor {
    task: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Competitor {
    pub fn start(leader: FetchLeader, name: &str) -> Self {
        let (shutdown, name) = (CancellationToken::new(), name.to_owned());
        let heartbeat = HeartbeatRegistry::new().register("fetching", Duration::from_secs(60));
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { leader.run(&name, &heartbeat, &stop).await });
        Self { task, shutdown }
    }

    /// Ends it in order.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }

    /// Ends it as `kill -9` does: it says nothing more.
    pub fn kill(self) {
        self.task.abort();
    }
}

/// RFQs at the stub, and a notification of each.
pub async fn notified_rfqs(db: &Db, stub: &FakeAvinode, count: usize) {
    let thin = |n| {
        let id = format!("arfq-{n}");
        stub.show(&format!("rfqs/{id}"), rfq(&id, "A1B2C3"));
        stub.thin(&format!("rfqs/{id}"), None)
    };
    let bodies: Vec<_> = (0..count).map(thin).collect();
    notify(&db.pool, &bodies).await;
}

/// No window of the server's log exceeds the limit.
pub fn assert_within_limit(stub: &FakeAvinode, began: Instant, per_second: f64, burst: u32) {
    let seconds = |at: Instant| at.duration_since(began).as_secs_f64();
    let calls: Vec<f64> = stub.calls().iter().map(|(at, _)| seconds(*at)).collect();
    for first in 0..calls.len() {
        for last in first..calls.len() {
            let (count, seconds) = (last - first + 1, calls[last] - calls[first]);
            let most = f64::from(burst) + per_second * seconds;
            assert!(
                f64::from(u32::try_from(count).unwrap()) <= most,
                "{count} calls in {seconds} s"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_together_never_exceed_the_limit_by_the_servers_log() {
    let (per_second, burst) = (60.0, 40);
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    notified_rfqs(&db, &stub, 200).await;
    let settings = punctual(stub.settings(per_second, burst));
    let began = Instant::now();
    let start = |n: usize| Competitor::start(leader_with(&db.pool, &settings), &format!("process {n}"));
    let competitors: Vec<Competitor> = (0..3).map(start).collect();
    eventually(PATIENCE, "all are fetched", async || {
        outcomes(&db.pool).await.len() == 200
    })
    .await;
    for competitor in competitors {
        competitor.stop().await;
    }
    let status = fetching::read(&db.pool).await.unwrap();
    assert_eq!((status.calls_per_second, status.burst), (Some(per_second), Some(burst)));
    assert_eq!(stub.calls().len(), 200, "each once");
    assert_within_limit(&stub, began, per_second, burst);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_holds_across_leaders_that_die_and_leaders_that_stop() {
    let (per_second, burst) = (40.0, 30);
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    notified_rfqs(&db, &stub, 300).await;
    let settings = punctual(stub.settings(per_second, burst));
    let began = Instant::now();
    let start = |n: usize| Competitor::start(leader_with(&db.pool, &settings), &format!("process {n}"));
    let fetched = async |count: usize| {
        eventually(PATIENCE, "some are fetched", async || {
            at_least(stub.calls().len(), count)
        })
        .await;
    };
    // The resources that are stored by now, and the calls of then.
    let stored = async || {
        let ids: Vec<String> = sqlx::query_scalar("SELECT resource_id FROM avinode_ingest.documents")
            .fetch_all(&db.pool)
            .await
            .unwrap();
        (ids, stub.calls().len())
    };
    // Each of them with its burst in flight or just used.
    let first = start(1);
    fetched(45).await;
    first.kill();
    let by_first = stored().await;
    let second = start(2);
    fetched(120).await;
    second.stop().await;
    let by_second = stored().await;
    let third = start(3);
    fetched(200).await;
    third.kill();
    let by_third = stored().await;
    let fourth = start(4);
    eventually(PATIENCE, "all are fetched", async || {
        outcomes(&db.pool).await.len() == 300
    })
    .await;
    fourth.stop().await;
    assert_within_limit(&stub, began, per_second, burst);
    // A call whose leader died before its answer was stored is made again, and no other one.
    let calls = stub.calls();
    for (ids, calls_then) in [by_first, by_second, by_third] {
        assert!(!ids.is_empty());
        let again: Vec<_> = calls[calls_then..]
            .iter()
            .filter(|(_, call)| ids.iter().any(|id| call.ends_with(id.as_str())))
            .collect();
        assert!(again.is_empty(), "{again:?}");
    }
}
