//! The process put together: receiver, workers, upkeep and the HTTP server, started in one place and ended in order.
//!
//! `serve`, the demo and the tests all run this, so that what is tested is what runs.

pub mod fetching;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::avinode::client::config::AvinodeSettings;
use crate::avinode::signature::verifier::Verifier;
use crate::clock::Clock;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::heartbeat::HeartbeatRegistry;
use crate::http::readiness::{Probe, Readiness};
use crate::http::router;
use crate::http::server::{self, ServerLimits};
use crate::http::state::{AppState, WebhookLimits};
use crate::http::v1::auth::Tokens;
use crate::http::v1::state::ApiState;
use crate::ingest::group_commit::receiver;
use crate::jobs::maintenance;
use crate::jobs::registry::registry;
use crate::postgres::migrator::{SchemaStatus, schema_status};
use crate::postgres::transaction::Pool;
use crate::queue::retry::RetryPolicy;
use crate::queue::worker::Worker;
use crate::queue::{leader, listener};
use crate::sessions::service::SessionService;

/// How long giving leases back may take, beyond the limit for work in flight.
const GIVE_BACK_TIME: Duration = Duration::from_secs(3);

/// How a process works.
#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// Take deliveries.
    pub receives: bool,
    /// Work on jobs: how many workers; 0 for none.
    pub workers: usize,
    /// How the primary quote is elected.
    pub policy: PrimaryQuotePolicy,
    /// How long a claim holds.
    pub lease: Duration,
    /// How long an idle worker waits before it looks by itself.
    pub poll: Duration,
    /// LISTEN for announcements; off behind a transaction pooler.
    pub listens: bool,
    /// Retries and deaths.
    pub retry: RetryPolicy,
    /// Deliveries that may wait for a commit.
    pub receive_queue: usize,
    /// What the webhook takes.
    pub webhook: WebhookLimits,
    /// What the server takes.
    pub server: ServerLimits,
    /// How long work in flight may take at the end.
    pub drain: Duration,
    /// For how long outcomes are kept.
    pub keep_outcomes: Duration,
    /// The sessions API, of a process that receives.
    pub api: ApiSettings,
    /// How resources are fetched; without it thin notifications wait.
    pub avinode: Option<AvinodeSettings>,
    /// Tells the time.
    pub clock: Clock,
}

/// How the sessions API is served.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Who may call it.
    pub tokens: Tokens,
    /// Connections to the database, of its own: its load starves neither receiver nor workers.
    pub connections: u32,
}

/// How long a call of the API waits for one of its connections.
const API_PATIENCE: Duration = Duration::from_secs(2);

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            receives: true,
            workers: 2,
            policy: PrimaryQuotePolicy::default(),
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            listens: true,
            retry: RetryPolicy::default(),
            receive_queue: 4096,
            webhook: WebhookLimits::default(),
            server: ServerLimits::default(),
            drain: Duration::from_secs(20),
            keep_outcomes: Duration::from_secs(90 * 24 * 3600),
            api: ApiSettings {
                tokens: Tokens::default(),
                connections: 4,
            },
            avinode: None,
            clock: Clock::System,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownSummary {
    /// Requests that were cut off.
    pub cut_off: usize,
    /// Workers that had to be stopped in the middle.
    pub stopped: usize,
    /// Leases given back.
    pub given_back: u64,
}

/// Serves on `listener` until `shutdown`, then ends in order: not ready, no new connections, requests in flight answered,
/// deliveries in the group commit kept, work in flight finished, leases given back.
pub async fn run(
    listener: TcpListener,
    pool: Pool,
    verifier: Verifier,
    settings: ServiceSettings,
    shutdown: CancellationToken,
) -> ShutdownSummary {
    let heartbeats = HeartbeatRegistry::new();
    let details = vec![fetching::detail(&pool)];
    let readiness = Readiness::with_details(heartbeats.clone(), probes(&pool), details);
    let (bell, fetch_bell) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    // Names the holder of leases and duties; random, because a process id comes again.
    let process = format!("{}-{}", std::process::id(), &Uuid::now_v7().simple().to_string()[20..]);
    let bells = [bell.clone(), fetch_bell.clone()];
    let mut workers = spawn_workers(&pool, &settings, bells, &process, &heartbeats, &shutdown);

    let stop_serving = CancellationToken::new();
    let drain = settings.drain;
    let (router, mut flushing) = if settings.receives {
        // Idle workers of this process are woken directly. Where it has none, those of others are told.
        let ring = move || {
            bell.notify_one();
            fetch_bell.notify_one();
        };
        let (receiver, flusher) = receiver(&pool, settings.receive_queue, ring);
        let flushing = tokio::spawn(flusher.run(heartbeats.register("receiver", Duration::from_secs(60))));
        let state = AppState::new(
            verifier,
            receiver,
            settings.clock,
            settings.webhook.clone(),
            readiness.clone(),
        );
        let api_pool = pool.beside_with_patience(settings.api.connections, API_PATIENCE);
        let api = ApiState::new(
            SessionService::new(api_pool, settings.clock),
            settings.api.tokens.clone(),
        );
        (router::router(state, Some(api)), Some(flushing))
    } else {
        (router::health_only(readiness.clone()), None)
    };
    let limits = ServerLimits {
        drain: drain.min(settings.server.drain),
        ..settings.server.clone()
    };
    let serving = tokio::spawn(server::run(listener, router, stop_serving.clone(), limits));

    // Neither ends before it is asked to. If one does (a panic), a process that looks alive would keep or do nothing.
    let flusher_ended = async {
        match &mut flushing {
            Some(flushing) => flushing.await.err(),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased; // asked to end, workers end as well
        () = shutdown.cancelled() => {}
        why = flusher_ended => {
            tracing::error!(?why, "the group commit ended by itself; so does this process");
            flushing = None;
            shutdown.cancel();
        }
        Some(ended) = workers.join_next() => {
            tracing::error!(?ended, "a worker ended by itself; so does this process");
            shutdown.cancel();
        }
    }
    readiness.drain();
    stop_serving.cancel();
    let deadline = tokio::time::Instant::now() + drain;
    let drained = serving.await;
    if let Some(flushing) = flushing {
        // The last receiver went with the router: the flusher ends when nothing waits.
        let _ = tokio::time::timeout_at(deadline, flushing).await;
    }
    let mut stopped = 0;
    while !workers.is_empty() {
        if tokio::time::timeout_at(deadline, workers.join_next()).await.is_err() {
            stopped = workers.len();
            workers.shutdown().await;
        }
    }
    // A database that does not answer must not hold up the end.
    let given_back = match tokio::time::timeout(GIVE_BACK_TIME, leader::give_back_all(&pool, &process)).await {
        Ok(Ok(given_back)) => given_back,
        Ok(Err(error)) => {
            tracing::warn!(%error, "leases could not be given back; they run out by themselves");
            0
        }
        Err(_) => {
            tracing::warn!("leases could not be given back in time; they run out by themselves");
            0
        }
    };
    ShutdownSummary {
        cut_off: drained.map_or(0, |drained| drained.cut_off),
        stopped,
        given_back,
    }
}

fn spawn_workers(
    pool: &Pool,
    settings: &ServiceSettings,
    [bell, fetch_bell]: [Arc<Notify>; 2],
    process: &str,
    heartbeats: &HeartbeatRegistry,
    shutdown: &CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    if settings.workers == 0 {
        tasks.spawn(listener::announce(pool.clone(), bell, shutdown.clone()));
        return tasks;
    }
    if let Some(avinode) = &settings.avinode {
        let pulse = heartbeats.register("fetching", settings.lease * 2 + settings.poll);
        match fetching::worker(pool, settings, avinode, fetch_bell.clone()) {
            Ok(worker) => {
                let (name, shutdown) = (format!("{process}/fetching"), shutdown.clone());
                tasks.spawn(async move { worker.work(&name, &pulse, &shutdown).await });
            }
            Err(error) => tracing::error!(%error, "nothing is fetched: no client of Avinode can be made"),
        }
    }
    for number in 1..=settings.workers {
        let own = pool.sibling(1);
        let shift = Worker {
            handlers: registry(&own, settings.policy, settings.clock),
            pool: own,
            leases: pool.clone(),
            lease: settings.lease,
            poll: settings.poll,
            retry: settings.retry,
            wake: bell.clone(),
        };
        let shutdown = shutdown.clone();
        let name = format!("{process}/{number}");
        // A step may take as long as its leases are kept up; silence beyond that is a hang.
        let pulse = heartbeats.register(format!("worker {number}"), settings.lease * 2 + settings.poll);
        tasks.spawn(async move { shift.work(&name, &pulse, &shutdown).await });
    }
    if settings.listens {
        tasks.spawn(listener::listen(pool.clone(), vec![bell, fetch_bell], shutdown.clone()));
    }
    let pulse = heartbeats.register("maintenance", maintenance::EVERY * 4);
    let duties = maintenance::MaintenanceConfig {
        keep_outcomes: settings.keep_outcomes,
        reconcile_every: settings.avinode.as_ref().and_then(|avinode| avinode.reconcile_every),
    };
    tasks.spawn(maintenance::run(
        pool.clone(),
        process.to_owned(),
        duties,
        pulse,
        shutdown.clone(),
    ));
    tasks
}

/// What must be well for this process to be given work.
fn probes(pool: &Pool) -> Vec<Probe> {
    let database = pool.clone();
    let schema = pool.clone();
    vec![
        Probe::new("database", move || {
            let pool = database.clone();
            Box::pin(async move { pool.reach().await.map_err(|_| "does not answer") })
        }),
        Probe::new("schema", move || {
            let pool = schema.clone();
            Box::pin(async move {
                match schema_status(&pool).await {
                    Ok(SchemaStatus::Current { .. } | SchemaStatus::Ahead { .. }) => Ok(()),
                    Ok(SchemaStatus::Fresh | SchemaStatus::Behind { .. }) => Err("older than this program"),
                    Ok(SchemaStatus::Dirty { .. }) => Err("a migration was cut short"),
                    Err(_) => Err("unknown"),
                }
            })
        }),
    ]
}
