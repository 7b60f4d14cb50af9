//! The background tasks of a process: workers, fetching, LISTEN and maintenance.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::settings::ServiceSettings;
use super::{batches, fetching, webhooks};
use crate::heartbeat::HeartbeatRegistry;
use crate::jobs::{maintenance, registry};
use crate::postgres::limits::{LONG_STATEMENT, WORK_STATEMENT};
use crate::postgres::transaction::Pool;
use crate::queue::claim_by_kind::ClaimByKind;
use crate::queue::listener;
use crate::queue::worker::Worker;
use crate::store::session_changes::SessionChanges;

/// Wakes idle workers when jobs were inserted.
#[derive(Clone, Default)]
pub(super) struct Wakes {
    pub(super) jobs: Arc<Notify>,
    pub(super) fetches: Arc<Notify>,
    pub(super) batches: Arc<Notify>,
    pub(super) changes: SessionChanges,
}

/// Starts the tasks. `process` is the holder of their leases.
pub(super) fn spawn(
    pool: &Pool,
    settings: &ServiceSettings,
    wakes: &Wakes,
    process: &str,
    heartbeats: &HeartbeatRegistry,
    shutdown: &CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    if settings.workers == 0 {
        // Workers of other processes.
        let jobs = wakes.jobs.clone();
        tasks.spawn(listener::announce(
            pool.clone(),
            listener::CHANNEL,
            jobs,
            shutdown.clone(),
        ));
        return tasks;
    }
    // A step may take as long as its leases are renewed, and the pause after it a quarter more than its setting; a longer silence is a hang.
    let max_silence = (settings.lease + settings.poll) * 2;
    if let Some(avinode) = &settings.avinode {
        match fetching::leader(pool, settings, avinode, wakes.fetches.clone(), &wakes.changes) {
            Ok(leader) => {
                let heartbeat = heartbeats.register("fetching", max_silence);
                let (process, shutdown) = (process.to_owned(), shutdown.clone());
                tasks.spawn(async move { leader.run(&process, &heartbeat, &shutdown).await });
            }
            Err(error) => tracing::error!("failed to make a client of Avinode, nothing is fetched: {error}"),
        }
    }
    for number in 1..=settings.workers {
        let own = pool.sibling_by_index(1).statement_limit(WORK_STATEMENT);
        let handlers = registry::handlers(&own, settings.policy, settings.clock, &wakes.changes);
        let claimer = ClaimByKind::new(handlers);
        let worker = Arc::new(Worker {
            lease: settings.lease,
            poll: settings.poll,
            retry: settings.retry,
            wake: wakes.jobs.clone(),
            ..Worker::new(own, pool.clone(), claimer)
        });
        let (name, shutdown) = (format!("{process}/{number}"), shutdown.clone());
        let heartbeat = heartbeats.register(format!("worker {number}"), max_silence);
        tasks.spawn(async move { worker.work(&name, &heartbeat, &shutdown).await });
    }
    let worker = batches::worker(pool, settings, &wakes.changes, wakes.batches.clone());
    let heartbeat = heartbeats.register("batches", max_silence);
    let (name, stop) = (format!("{process}/batches"), shutdown.clone());
    tasks.spawn(async move { worker.work(&name, &heartbeat, &stop).await });
    if let Some(target) = &settings.notify {
        match webhooks::worker(pool, settings, target, wakes.changes.queued.clone()) {
            Ok(worker) => {
                let heartbeat = heartbeats.register("webhooks", max_silence);
                let (name, shutdown) = (format!("{process}/webhooks"), shutdown.clone());
                tasks.spawn(async move { worker.work(&name, &heartbeat, &shutdown).await });
            }
            Err(error) => tracing::error!("failed to make an HTTP client, no webhooks are sent: {error}"),
        }
    }
    if settings.listens {
        let wakes = vec![
            wakes.jobs.clone(),
            wakes.fetches.clone(),
            wakes.batches.clone(),
            wakes.changes.queued.clone(),
        ];
        tasks.spawn(listener::listen(
            pool.clone(),
            listener::CHANNEL,
            wakes,
            shutdown.clone(),
        ));
    }
    let config = maintenance::MaintenanceConfig {
        retention: settings.retention,
        reconcile_every: settings.avinode.as_ref().and_then(|avinode| avinode.reconcile_every),
    };
    // Within a round there are statements that may read whole tables.
    let heartbeat = heartbeats.register("maintenance", maintenance::ROUND_EVERY * 4 + LONG_STATEMENT);
    tasks.spawn(maintenance::run(
        pool.statement_limit(LONG_STATEMENT),
        process.to_owned(),
        config,
        heartbeat,
        shutdown.clone(),
    ));
    tasks
}
