//! A process of the service: HTTP server, group commit, workers and maintenance, started in one place and stopped in order.
//!
//! `serve`, the demo and the tests all run this.

mod admin_listener;
mod alert_settings;
mod alert_task;
mod api;
pub mod batches;
pub mod fetching;
mod first_values;
mod gauges;
mod probes;
mod rejections;
mod service_manager;
mod settings;
pub mod webhooks;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::alert_settings::alert_settings;
pub use self::settings::{ApiSettings, ServiceSettings};
use self::workers::Wakes;
use crate::activity_log::ACTIVITY;
use crate::avinode::signature::verifier::Verifier;
use crate::heartbeat::HeartbeatRegistry;
use crate::http::limits::ServerLimits;
use crate::http::readiness::Readiness;
use crate::http::reloadable::Reloadable;
use crate::http::router;
use crate::http::server;
use crate::http::state::WebhookState;
use crate::ingest::group_commit::receiver;
use crate::ingest::receiving_health::ReceivingHealth;
use crate::postgres::limits::SERVICE_STATEMENT;
use crate::postgres::transaction::Pool;
use crate::queue::process_identity::ProcessIdentity;
use crate::queue::process_lease::ProcessLease;
use crate::queue::{listener, process_lease, release};
use crate::store::chat_sessions::positions;

/// The limit for releasing leases, beyond the one for work in flight.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);

/// The result of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownSummary {
    /// Requests that were cut off.
    pub cut_off: usize,
    /// Tasks that were stopped in the middle of their work.
    pub stopped: usize,
    pub leases_released: u64,
}

/// The sockets of a process.
pub struct Listeners {
    pub main: TcpListener,
    /// Answers health checks and serves the console.
    pub admin: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(main: TcpListener) -> Self {
        Self { main, admin: None }
    }
}

/// Ends a task that has nothing to finish.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves on the listeners until `shutdown`, and then stops in order: not ready, no new connections, requests in flight
/// answered, deliveries in the group commit stored, work in flight finished, leases released.
pub async fn run(
    listeners: impl Into<Listeners>,
    pool: Pool,
    verifier: impl Into<Reloadable<Verifier>>,
    settings: ServiceSettings,
    shutdown: CancellationToken,
) -> ShutdownSummary {
    let Listeners { main, admin } = listeners.into();
    let summaries = tokio::spawn(ACTIVITY.run());
    let heartbeats = HeartbeatRegistry::new();
    let pool = pool.statement_limit(SERVICE_STATEMENT);
    let mut wakes = Wakes::default();
    wakes.changes.sends_webhooks = settings.notify.is_some();
    let received = wakes.clone();
    let wake = move || {
        received.jobs.notify_one();
        received.fetches.notify_one();
    };
    let receiving = settings.receives.then(|| receiver(&pool, settings.receive_queue, wake));
    let mut probes = probes::probes(&pool);
    if let Some((_, committer)) = &receiving {
        probes.push(probes::receiving(ReceivingHealth::new(&pool, committer.failures())));
    }
    if settings.workers > 0 {
        probes.push(probes::jobs(&pool));
    }
    let details = vec![fetching::detail(&pool), probes::tables(&pool)];
    let readiness = Readiness::new(heartbeats.clone(), probes, details);
    // The holder of leases; random, because the system reuses process ids.
    let process = format!("{}-{}", std::process::id(), &Uuid::now_v7().simple().to_string()[20..]);
    // Until all work has ended, which is after `shutdown`.
    let keep_lease = CancellationToken::new();
    let process_lease = match settings.workers {
        0 => None,
        _ => {
            let lease = ProcessLease::new(pool.clone(), &process, ProcessIdentity::of_this_process());
            // Before the first claim: the death of a process without a lease is not seen.
            let lease = lease.begin().await;
            Some(tokio::spawn(lease.run(wakes.jobs.clone(), keep_lease.clone())))
        }
    };
    let mut tasks = workers::spawn(&pool, &settings, &wakes, &process, &heartbeats, &shutdown);
    if settings.listens {
        // Streams of all processes.
        let (committed, shutdown) = (wakes.changes.committed.clone(), shutdown.clone());
        tasks.spawn(listener::announce(
            pool.clone(),
            positions::CHANNEL,
            committed,
            shutdown,
        ));
    }

    let stop_serving = CancellationToken::new();
    let drain = settings.drain;
    let mut memory = None;
    let mut sampling = None;
    let mut refused = Arc::default();
    let api = api::state(&pool, &settings, wakes.changes.clone(), stop_serving.child_token());
    let (router, mut group_commit) = if let Some((receiver, committer)) = receiving {
        let committing = tokio::spawn(committer.run(heartbeats.register("receiver", Duration::from_secs(60))));
        let state = WebhookState::shared(
            verifier.into(),
            receiver,
            settings.clock,
            settings.webhook_paths.clone(),
            settings.webhook.clone(),
            readiness.clone(),
        );
        memory = Some((state.memory.clone(), settings.webhook.memory));
        sampling = Some(AbortOnDrop(tokio::spawn(rejections::run(
            pool.clone(),
            state.sample.clone(),
        ))));
        refused = state.refused.clone();
        (router::router(state, Some(api.clone())), Some(committing))
    } else {
        (router::health_only(readiness.clone()), None)
    };
    let gauges = settings.metrics.is_some().then(|| {
        first_values::record(settings.receives);
        AbortOnDrop(tokio::spawn(gauges::run(pool.clone(), memory)))
    });
    let alerts = settings.alerts.clone();
    let mut alerts =
        alerts.and_then(|alerts| alert_task::spawn(&pool, &process, alerts, refused, settings.clock, &shutdown));
    let limits = ServerLimits {
        drain: drain.min(settings.server.drain),
        ..settings.server.clone()
    };
    let admin = admin.map(|admin| AbortOnDrop(admin_listener::spawn(admin, &readiness, &settings, api)));
    let serving = tokio::spawn(server::run(main, router, stop_serving.clone(), limits));
    let manager = service_manager::spawn(&settings, &readiness, &heartbeats, &shutdown);

    wait_for_end(&mut group_commit, &mut tasks, &shutdown).await;
    readiness.drain();
    tokio::time::sleep(settings.drain_delay).await;
    stop_serving.cancel();
    let deadline = Instant::now() + drain;
    let drained = serving.await;
    if let Some(group_commit) = group_commit {
        // The last receiver went with the router, so the group commit ends when no delivery waits.
        let _ = timeout_at(deadline, group_commit).await;
    }
    let mut stopped = 0;
    while !tasks.is_empty() {
        if timeout_at(deadline, tasks.join_next()).await.is_err() {
            stopped = tasks.len();
            tasks.shutdown().await;
        }
    }
    keep_lease.cancel();
    if let Some(process_lease) = process_lease {
        let _ = process_lease.await;
    }
    let leases_released = release_leases(&pool, &process).await;
    if let Some(AbortOnDrop(alerts)) = &mut alerts {
        // It ends with the others; only its last words may be on their way.
        let _ = timeout(RELEASE_TIMEOUT, alerts).await;
    }
    summaries.abort();
    drop((admin, gauges, sampling, alerts, manager));
    ACTIVITY.write();
    ShutdownSummary {
        cut_off: drained.map_or(0, |drained| drained.cut_off),
        stopped,
        leases_released,
    }
}

/// Waits for `shutdown`, or causes it when the group commit or a task ends before (a panic): the process would look alive and
/// do nothing.
async fn wait_for_end(
    group_commit: &mut Option<JoinHandle<()>>,
    tasks: &mut JoinSet<()>,
    shutdown: &CancellationToken,
) {
    let commit_ended = async {
        match group_commit {
            Some(running) => reason(running.await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased; // after a shutdown the tasks end as well
        () = shutdown.cancelled() => {}
        error = commit_ended => {
            tracing::error!("the group commit ended unexpectedly, stopping this process: {error}");
            *group_commit = None;
            shutdown.cancel();
        }
        Some(ended) = tasks.join_next() => {
            let error = reason(ended);
            tracing::error!("a background task ended unexpectedly, stopping this process: {error}");
            shutdown.cancel();
        }
    }
}

fn reason(ended: Result<(), JoinError>) -> String {
    ended.map_or_else(|error| error.to_string(), |()| "it returned".to_owned())
}

/// Releases the jobs of this process, and its own lease. A database that does not answer must not hold up the end.
async fn release_leases(pool: &Pool, process: &str) -> u64 {
    let release = async {
        let released = release::release_all(pool, process).await?;
        process_lease::end(pool, process).await?;
        Ok::<_, sqlx::Error>(released)
    };
    match timeout(RELEASE_TIMEOUT, release).await {
        Ok(Ok(released)) => released,
        Ok(Err(error)) => {
            tracing::warn!("failed to release leases, they will run out: {error}");
            0
        }
        Err(_) => {
            tracing::warn!("failed to release leases, they will run out: no answer in time");
            0
        }
    }
}
