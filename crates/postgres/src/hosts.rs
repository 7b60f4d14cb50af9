//! The hosts of a database URL, and the choice among them. All pools that were made from one URL share what is known of its hosts.
//!
//! The host that was used last is tried first. One that does not answer delays the others by `HEAD_START` only: then the next one is
//! tried as well, and the first that is usable is taken. With several hosts, or where the URL asks for it, a host must accept writes,
//! which one more round trip finds out (`DatabaseHosts::open`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use sqlx::postgres::{PgConnectOptions, PgConnection, Postgres};
use sqlx::{ConnectOptions as _, Error, Executor, Row as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::known_hosts::KnownHosts;
use super::limits;
use super::no_host::{NoHost, Refusal};

/// A host that has not answered for this long is no longer waited for alone.
const HEAD_START: Duration = Duration::from_millis(500);
/// The limit for one of several hosts; a connect as a whole has that of its caller.
const HOST_LIMIT: Duration = Duration::from_secs(3);
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
    known: Arc<KnownHosts>,
}

impl DatabaseHosts {
    /// Requires at least one host.
    pub(super) fn new(hosts: Vec<PgConnectOptions>, required: RequiredState) -> Self {
        Self {
            known: Arc::new(KnownHosts::new(hosts.len())),
            hosts: hosts.into(),
            required,
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

    /// Returns the same hosts with another database.
    #[must_use]
    pub fn of_database(&self, name: &str) -> Self {
        self.with(|options| options.database(name))
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
        self.hosts.get(self.known.connected()?).map(name)
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
        loop {
            let order = self.known.order();
            let first = order[0];
            let (host, result) = self.first_of(order, deadline, &attempt).await?;
            // Another connection may have found meanwhile that this host is not the one any more.
            if let Some(changed) = self.known.use_host(host, first) {
                if changed && self.count() > 1 {
                    let host = name(&self.hosts[host]);
                    tracing::info!(%host, "connected to the database at {host}");
                }
                return Ok(result);
            }
        }
    }

    async fn first_of<T, F>(
        &self,
        order: Vec<usize>,
        deadline: Instant,
        attempt: &impl Fn(usize) -> F,
    ) -> Result<(usize, T), Error>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let mut left = order.into_iter();
        let mut attempts = FuturesUnordered::new();
        let mut refusals = Vec::new();
        loop {
            if let Some(host) = left.next() {
                let (began, limit) = (Instant::now(), self.limit(deadline));
                let attempt = timeout_at(limit, attempt(host));
                attempts.push(async move {
                    let ended = attempt.await;
                    (
                        host,
                        ended.unwrap_or_else(|_| Err(limits::no_answer(began.elapsed()).into())),
                    )
                });
            }
            tokio::select! {
                ended = attempts.next() => match ended {
                    Some((host, Ok(result))) => return Ok((host, result)),
                    Some((host, Err(refusal))) => refusals.push((host, refusal.readable())),
                    None => break,
                },
                () = sleep(HEAD_START), if left.len() > 0 => {}
            }
        }
        refusals.sort_by_key(|(host, _)| *host);
        let named = refusals
            .into_iter()
            .map(|(host, refusal)| (name(&self.hosts[host]), refusal));
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
        let state =
            "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS read_only";
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

    /// The state that all connections to the hosts share.
    pub(super) fn known(&self) -> &KnownHosts {
        &self.known
    }

    /// The host accepts no writes any more: idle connections to it are closed, and another host is tried first.
    pub(super) fn leave(&self, host: usize) {
        if self.is_chosen() {
            self.known.leave(host);
        }
    }

    fn limit(&self, deadline: Instant) -> Instant {
        match self.count() {
            1 => deadline,
            _ => deadline.min(Instant::now() + HOST_LIMIT),
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
