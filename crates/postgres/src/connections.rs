//! The connections of a pool. Every wait has a limit ([`super::limits`]), and a connection that failed, was silent for too long or
//! leads to a read-only server is closed instead of used again. sqlx's own pool has no limit for its housekeeping, during which it
//! keeps the place of the connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{Connection as _, Database, Error};
use sqlx_core::transaction::TransactionManager;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};

use super::connection_health::{ConnectionHealth, ConnectionState};
use super::connection_settings::{AcquireHook, ConnectionSettings};
use super::counted::{self, Counted};
use super::give_up::{self, ServerProcess};
use super::limits::{self, within};
use super::live_connection::{Generation, Live};
use super::sqlstate::is_passing;

pub(super) type Manager = <Postgres as Database>::TransactionManager;

/// A connection that worked this recently is used without a ping.
const TRUSTED: Duration = Duration::from_secs(1);
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);
const MAX_IDLE: Duration = Duration::from_secs(10 * 60);
const RECONNECT_MIN: Duration = Duration::from_millis(10);
const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// A pool of connections; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: ConnectionSettings,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Live>>,
    /// Grows when a connection was found to be dead or read-only: idle ones of an older generation are as likely to be.
    generation: AtomicU64,
    /// The last failure to connect, for those that had to wait meanwhile.
    failure: Mutex<Option<String>>,
    _limit: Counted,
}

impl Connections {
    pub(super) fn new(settings: ConnectionSettings) -> Self {
        Self(Arc::new(Shared {
            places: Arc::new(Semaphore::new(settings.max as usize)),
            idle: Mutex::default(),
            generation: AtomicU64::new(0),
            failure: Mutex::default(),
            _limit: Counted::new(counted::LIMIT, settings.max),
            settings,
        }))
    }

    pub(super) fn settings(&self) -> &ConnectionSettings {
        &self.0.settings
    }

    /// Returns an idle connection that answers, or a new one.
    ///
    /// # Errors
    /// The last failure to connect, of this or of another caller.
    pub(super) async fn acquire(&self) -> Result<Connection, Error> {
        let limit = self.settings().acquire_timeout;
        let deadline = Instant::now() + limit;
        if let AcquireHook(Some(hook)) = &self.settings().on_acquire {
            hook();
        }
        let waiting = Counted::new(counted::WAITING, 1);
        let place = timeout_at(deadline, self.0.places.clone().acquire_owned());
        let place = place.await.map_err(|_| self.no_place(limit))?;
        drop(waiting);
        let place = place.map_err(|_| Error::PoolClosed)?;
        let live = match self.idle().await {
            Some(live) => live,
            None => self.connect(deadline).await?,
        };
        Ok(Connection {
            live: Some(live),
            place: Some(place),
            pool: self.clone(),
            health: Arc::default(),
            clean: true,
            _in_use: Counted::new(counted::IN_USE, 1),
        })
    }

    /// Closes all connections as they are given back, and waits for it.
    pub(super) async fn close(&self) {
        let all = self.0.places.acquire_many(self.settings().max).await;
        self.0.places.close();
        drop(all);
        let idle = std::mem::take(&mut *lock(&self.0.idle));
        for live in idle {
            let _ = within(limits::RELEASE, live.raw.close()).await;
        }
    }

    async fn idle(&self) -> Option<Live> {
        let mut live = self.pop()?;
        if live.used_at.elapsed() <= TRUSTED || within(limits::PING, live.raw.ping()).await.is_ok() {
            return Some(live);
        }
        self.suspect_others();
        self.settings().hosts.known().avoid(live.host);
        self.end_processes(vec![live], None);
        None
    }

    /// Takes the connection that was used last, and closes those that are too old or suspect.
    fn pop(&self) -> Option<Live> {
        let (pool, known) = (self.generation(), self.settings().hosts.known());
        let is_suspect = |live: &Live| {
            let host = known.generation(live.host);
            live.generation != Generation { pool, host }
        };
        let mut idle = lock(&self.0.idle);
        let suspect: Vec<Live> = idle.extract_if(.., |live| is_suspect(live)).collect();
        idle.retain(|live| live.used_at.elapsed() < MAX_IDLE);
        let popped = idle.pop();
        drop(idle);
        self.end_processes(suspect, None);
        popped
    }

    fn push(&self, live: Live) {
        if live.created_at.elapsed() < MAX_LIFETIME && !self.0.places.is_closed() {
            let used_at = Instant::now();
            lock(&self.0.idle).push(Live { used_at, ..live });
        }
    }

    /// Connects, again and again while the server starts or has no place.
    async fn connect(&self, deadline: Instant) -> Result<Live, Error> {
        let mut pause = RECONNECT_MIN;
        loop {
            let error = match Live::connect(self.settings(), self.generation(), deadline).await {
                Ok(live) => {
                    *lock(&self.0.failure) = None;
                    return Ok(live);
                }
                Err(error) => error,
            };
            *lock(&self.0.failure) = Some(error.to_string());
            if !is_passing(&error) || Instant::now() + pause >= deadline {
                return Err(error);
            }
            sleep(pause).await;
            pause = (pause * 2).min(RECONNECT_MAX);
        }
    }

    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    fn suspect_others(&self) {
        self.0.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Closes connections and ends their server processes; the place stays taken until then.
    fn end_processes(&self, closed: Vec<Live>, place: Option<OwnedSemaphorePermit>) {
        let processes: Vec<Arc<ServerProcess>> = closed.into_iter().filter_map(|live| live.process).collect();
        if processes.is_empty() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let hosts = self.settings().hosts.clone();
            runtime.spawn(async move {
                give_up::end(&hosts, &processes).await;
                drop(place);
            });
        }
    }

    /// The error where all connections are in use until the deadline.
    fn no_place(&self, limit: Duration) -> Error {
        let reason = match &*lock(&self.0.failure) {
            Some(failure) => format!("no connection within {limit:?}, the last attempt failed: {failure}"),
            None => format!("all {} connections are in use for {limit:?}", self.settings().max),
        };
        Error::Io(std::io::Error::other(reason))
    }
}

/// Finds out whether a server process is at work.
#[derive(Debug, Clone)]
pub(super) struct ServerWatch {
    connections: Connections,
    process: Arc<ServerProcess>,
}

impl ServerWatch {
    pub(super) async fn is_working(&self) -> bool {
        give_up::is_working(&self.connections.settings().hosts, &self.process).await
    }
}

/// A connection in use. Dropped, it is given back or closed.
#[derive(Debug)]
pub(super) struct Connection {
    live: Option<Live>,
    place: Option<OwnedSemaphorePermit>,
    pool: Connections,
    pub(super) health: Arc<ConnectionHealth>,
    /// Nothing is running on it.
    clean: bool,
    _in_use: Counted,
}

impl Connection {
    /// The connection for a use that [`Connection::ended`] follows.
    pub(super) fn raw(&mut self) -> &mut PgConnection {
        self.clean = false;
        #[expect(clippy::expect_used, reason = "taken by drop only")]
        &mut self.live.as_mut().expect("a connection in use").raw
    }

    /// Returns what is needed to find out whether its server process is at work, where that is known.
    pub(super) fn watch(&self) -> Option<ServerWatch> {
        let process = self.live.as_ref()?.process.clone()?;
        let connections = self.pool.clone();
        Some(ServerWatch { connections, process })
    }

    /// Ends the use by a statement of its own.
    pub(super) fn finish<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_ok() {
            self.ended();
        }
        result.map_err(|error| self.health.examine(error))
    }

    /// Nothing is running on it any more: no ping is needed before the next use.
    pub(super) fn ended(&mut self) {
        self.clean = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (Some(mut live), place) = (self.live.take(), self.place.take()) else {
            return;
        };
        let pool = self.pool.clone();
        match self.health.state() {
            ConnectionState::Usable if self.clean => pool.push(live),
            ConnectionState::Usable => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                    return;
                };
                runtime.spawn(async move {
                    // Sends a ROLLBACK that waits, and reads what a dropped statement left.
                    let ended = within(limits::RELEASE, live.raw.ping()).await;
                    match ended {
                        Ok(()) if Manager::get_transaction_depth(&live.raw) == 0 => {
                            pool.push(live);
                            drop(place);
                        }
                        _ => pool.end_processes(vec![live], place),
                    }
                });
            }
            ConnectionState::Silent => {
                pool.suspect_others();
                pool.settings().hosts.known().avoid(live.host);
                pool.end_processes(vec![live], place);
            }
            ConnectionState::ReadOnly => {
                pool.suspect_others();
                pool.settings().hosts.leave(live.host);
            }
            ConnectionState::Lost => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
