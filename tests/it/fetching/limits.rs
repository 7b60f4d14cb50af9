//! The rate limit as the other side sees it, with several processes' workers at once.

use std::time::Duration;

use avinode_ingest::heartbeat::HeartbeatRegistry;
use tokio_util::sync::CancellationToken;

use super::setup::{notify, outcomes, rfq, worker_with};
use crate::support::cluster::Db;
use crate::support::fake_avinode::Stub;

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_together_never_exceed_the_limit_by_the_servers_log() {
    let (per_second, burst) = (60.0, 40);
    let (db, stub) = (Db::new().await, Stub::start().await);
    let bodies: Vec<_> = (0..200)
        .map(|n| {
            let id = format!("arfq-{n}");
            stub.show(&format!("rfqs/{id}"), rfq(&id, "A1B2C3"));
            stub.thin(&format!("rfqs/{id}"), None)
        })
        .collect();
    notify(&db.pool, &bodies).await;
    let shutdown = CancellationToken::new();
    let heartbeats = HeartbeatRegistry::new();
    let mut workers = tokio::task::JoinSet::new();
    for process in 0..3 {
        let worker = worker_with(&db.pool, &stub.settings(per_second, burst)).await;
        let (shutdown, name) = (shutdown.clone(), format!("process {process}"));
        let pulse = heartbeats.register(name.clone(), Duration::from_secs(60));
        workers.spawn(async move { worker.work(&name, &pulse, &shutdown).await });
    }
    let began = std::time::Instant::now();
    while outcomes(&db.pool).await.len() < 200 {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{} calls",
            stub.calls().len()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    shutdown.cancel();
    workers.join_all().await;
    let calls: Vec<f64> = stub
        .calls()
        .iter()
        .map(|(at, _)| at.duration_since(began).as_secs_f64())
        .collect();
    assert_eq!(calls.len(), 200, "each once");
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
