//! The hosts of a database URL, and the choice among them. All pools that were made from one URL share what is known of its hosts.
//!
//! The host that was used last is tried first. One that does not answer keeps nobody waiting: after [`HEAD_START`] the next one is tried
//! as well, and the first that is usable is taken. With several hosts, or where the URL asks for it, a host must accept writes, which one
//! more round trip finds out ([`DatabaseHosts::open`]).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use sqlx::postgres::{PgConnectOptions, PgConnection, Postgres};
use sqlx::{ConnectOptions as _, Error, Executor, Row as _};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout_at};

use super::limits;
use super::no_host::{NoHost, Refusal};
use super::server_error::readable;

/// A host that has not answered for this long is no longer waited for alone.
const HEAD_START: Duration = Duration::from_millis(500);
/// The limit for one of several hosts; a connect as a whole has that of its caller.
const HOST_LIMIT: Duration = Duration::from_secs(3);
/// A host of several that could not be reached to end server processes there is left alone for this long.
const UNREACHABLE: Duration = Duration::from_secs(5);
const NONE: usize = usize::MAX;

/// `target_session_attrs`: the state in which a host is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequiredState {
    Any,
    /// No standby, and not read-only.
    Writable,
    /// No standby.
    Primary,
}

/// The hosts of a database URL. The clones of one share what is known of them.
#[derive(Clone)]
pub struct DatabaseHosts {
    hosts: Arc<[PgConnectOptions]>,
    required: RequiredState,
    known: Arc<Known>,
}

/// By host, what connections found out.
struct Known {
    /// The one to try first.
    first: AtomicUsize,
    /// The one that was connected to last.
    connected: AtomicUsize,
    /// Grows when a host stopped accepting writes: connections of an older generation are closed.
    generations: Box<[AtomicU64]>,
    /// One connection that ends server processes at a time, and the time of its last failure.
    controls: Box<[Mutex<Option<Instant>>]>,
}

impl DatabaseHosts {
    /// Requires at least one host.
    pub(super) fn new(hosts: Vec<PgConnectOptions>, required: RequiredState) -> Self {
        let known = Known {
            first: AtomicUsize::new(0),
            connected: AtomicUsize::new(NONE),
            generations: hosts.iter().map(|_| AtomicU64::new(0)).collect(),
            controls: hosts.iter().map(|_| Mutex::new(None)).collect(),
        };
        Self {
            hosts: hosts.into(),
            required,
            known: Arc::new(known),
        }
    }

    /// Returns the same hosts with other options.
    #[must_use]
    pub(super) fn with(&self, change: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self {
            hosts: self.hosts.iter().cloned().map(change).collect(),
            ..self.clone()
        }
    }

    pub(super) fn count(&self) -> usize {
        self.hosts.len()
    }

    pub(super) fn options(&self, host: usize) -> &PgConnectOptions {
        &self.hosts[host]
    }

    pub(super) fn all(&self) -> &[PgConnectOptions] {
        &self.hosts
    }

    /// Returns the name of the host that was connected to last, such as `db1:5432`.
    pub fn connected(&self) -> Option<String> {
        self.hosts
            .get(self.known.connected.load(Ordering::Acquire))
            .map(name)
    }

    /// Returns the names of all hosts.
    pub fn names(&self) -> String {
        self.hosts.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    pub fn database(&self) -> &str {
        self.hosts[0].get_database().unwrap_or(self.hosts[0].get_username())
    }

    pub fn username(&self) -> &str {
        self.hosts[0].get_username()
    }

    /// Connects within this time to a host that is in the required state.
    ///
    /// # Errors
    /// Each host with its cause.
    pub(super) async fn connect(&self, limit: Duration) -> Result<PgConnection, Error> {
        self.first(Instant::now() + limit, |host| self.open(host)).await
    }

    /// Returns the result of the first host for which `attempt` succeeds.
    ///
    /// # Errors
    /// Each host with its cause.
    pub(super) async fn first<T, F>(&self, deadline: Instant, attempt: impl Fn(usize) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let mut left = self.order().into_iter();
        let mut attempts = FuturesUnordered::new();
        let mut refusals = Vec::new();
        loop {
            if let Some(host) = left.next() {
                let (began, limit) = (Instant::now(), self.limit(deadline));
                let attempt = timeout_at(limit, attempt(host));
                attempts.push(async move {
                    let ended = attempt.await;
                    (host, ended.unwrap_or_else(|_| Err(limits::no_answer(began.elapsed()).into())))
                });
            }
            tokio::select! {
                ended = attempts.next() => match ended {
                    Some((host, Ok(result))) => {
                        self.used(host);
                        return Ok(result);
                    }
                    Some((host, Err(Refusal::Failed(error)))) => refusals.push((host, Refusal::Failed(readable(error)))),
                    Some(refused) => refusals.extend(refused.1.err().map(|refusal| (refused.0, refusal))),
                    None => break,
                },
                () = sleep(HEAD_START), if left.len() > 0 => {}
            }
        }
        refusals.sort_by_key(|(host, _)| *host);
        let named = refusals.into_iter().map(|(host, refusal)| (name(&self.hosts[host]), refusal));
        Err(NoHost::error(named.collect()))
    }

    /// Connects to this host, if it is in the required state.
    pub(super) async fn open(&self, host: usize) -> Result<PgConnection, Refusal> {
        let mut connection = self.hosts[host].connect().await?;
        self.examine(&mut connection).await?;
        Ok(connection)
    }

    /// Examines the state of the server of a connection, if one is required.
    pub(super) async fn examine<'c>(&self, connection: impl Executor<'c, Database = Postgres>) -> Result<(), Refusal> {
        if self.required == RequiredState::Any {
            return Ok(());
        }
        let state = "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS read_only";
        let row = sqlx::raw_sql(state).fetch_one(connection).await?;
        let (standby, read_only): (bool, bool) = (row.try_get("standby")?, row.try_get("read_only")?);
        match self.required {
            RequiredState::Writable | RequiredState::Primary if standby => Err(Refusal::Standby),
            RequiredState::Writable if read_only => Err(Refusal::ReadOnly),
            _ => Ok(()),
        }
    }

    /// Returns whether a state is required, or there is a choice.
    pub(super) fn is_chosen(&self) -> bool {
        self.required != RequiredState::Any || self.count() > 1
    }

    pub(super) fn generation(&self, host: usize) -> u64 {
        self.known.generations[host].load(Ordering::Acquire)
    }

    /// The host accepts no writes any more: idle connections to it are closed, and another host is tried first.
    pub(super) fn leave(&self, host: usize) {
        if self.is_chosen() {
            self.known.generations[host].fetch_add(1, Ordering::AcqRel);
            self.avoid(host);
        }
    }

    /// The host did not answer: another one is tried first. A primary that was replaced may be reachable and wait for its standby.
    pub(super) fn avoid(&self, host: usize) {
        let next = (host + 1) % self.count();
        let first = &self.known.first;
        let _ = first.compare_exchange(host, next, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Returns whether connections go to this host.
    pub(super) fn is_first(&self, host: usize) -> bool {
        self.known.first.load(Ordering::Acquire) == host
    }

    /// Waits for the right to end server processes of this host; `None` where it could not be reached a moment ago.
    pub(super) async fn control(&self, host: usize) -> Option<MutexGuard<'_, Option<Instant>>> {
        let control = self.known.controls[host].lock().await;
        let unreachable = control.is_some_and(|failed_at| failed_at.elapsed() < UNREACHABLE);
        (self.count() == 1 || !unreachable).then_some(control)
    }

    fn order(&self) -> Vec<usize> {
        let first = self.known.first.load(Ordering::Acquire);
        let others = (0..self.count()).filter(|host| *host != first);
        std::iter::once(first).chain(others).collect()
    }

    fn limit(&self, deadline: Instant) -> Instant {
        match self.count() {
            1 => deadline,
            _ => deadline.min(Instant::now() + HOST_LIMIT),
        }
    }

    fn used(&self, host: usize) {
        self.known.first.store(host, Ordering::Release);
        let before = self.known.connected.swap(host, Ordering::AcqRel);
        if self.count() > 1 && before != host {
            let host = name(&self.hosts[host]);
            tracing::info!(%host, "connected to the database at {host}");
        }
    }
}

fn name(options: &PgConnectOptions) -> String {
    let (host, port) = (options.get_host(), options.get_port());
    match options.get_socket() {
        Some(folder) => folder.display().to_string(),
        None if host.starts_with('/') => host.to_owned(),
        None if host.contains(':') => format!("[{host}]:{port}"),
        None => format!("{host}:{port}"),
    }
}

impl fmt::Debug for DatabaseHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseHosts({})", self.names())
    }
}

impl From<PgConnectOptions> for DatabaseHosts {
    fn from(options: PgConnectOptions) -> Self {
        Self::new(vec![options], RequiredState::Any)
    }
}

impl From<&PgConnectOptions> for DatabaseHosts {
    fn from(options: &PgConnectOptions) -> Self {
        options.clone().into()
    }
}

impl From<&DatabaseHosts> for DatabaseHosts {
    fn from(hosts: &DatabaseHosts) -> Self {
        hosts.clone()
    }
}
