//! LISTEN, on a connection of its own.

use std::io;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{Connection as _, Error, Executor as _};
use tokio::time::{Instant, timeout};

use super::hosts::DatabaseHosts;
use super::limits::{self, within};
use super::no_host::NoHost;
use super::server_error::readable;

/// A dead connection is noticed after this time; workers poll meanwhile.
const SILENCE: Duration = Duration::from_secs(10);

/// A connection that listens.
#[derive(Debug)]
pub struct ChannelListener {
    inner: PgListener,
    hosts: DatabaseHosts,
    host: usize,
}

impl ChannelListener {
    pub(super) async fn connect(hosts: &DatabaseHosts, channel: &str, limit: Duration) -> Result<Self, Error> {
        let attempt = |host| async move {
            if hosts.is_chosen() {
                // The driver's listener makes its own connection, which cannot be examined before.
                hosts.open(host).await?.close().await?;
            }
            let own = PgPoolOptions::new().max_connections(1).acquire_timeout(limit);
            let own = own.connect_lazy_with(hosts.options(host).clone());
            let mut inner = PgListener::connect_with(&own).await?;
            // Lost, it connects to a host that is chosen again.
            inner.eager_reconnect(false);
            inner.listen(channel).await?;
            let hosts = hosts.clone();
            Ok(Self { inner, hosts, host })
        };
        hosts.first(Instant::now() + limit, attempt).await
    }

    /// Waits for the next notification. The connection must answer at times, so that a dead one is noticed.
    pub async fn recv(&mut self) -> Result<(), Error> {
        loop {
            match timeout(SILENCE, self.inner.try_recv()).await {
                Ok(Ok(Some(_))) => return Ok(()),
                Ok(Ok(None)) => return Err(lost("the connection was lost")),
                Ok(Err(error)) => return Err(readable(error)),
                Err(_) => self.examine().await?,
            }
        }
    }

    /// The server must answer, and be the one that other connections lead to.
    async fn examine(&mut self) -> Result<(), Error> {
        let answered = within(limits::PING, (&mut self.inner).execute("")).await;
        answered.map_err(readable)?;
        if self.hosts.known().connected() != Some(self.host) {
            return Err(lost("other connections lead to another host"));
        }
        let name = self.hosts.names();
        let examined = timeout(limits::PING, self.hosts.examine(&mut self.inner)).await;
        examined
            .map_err(|_| limits::no_answer(limits::PING))?
            .map_err(|refusal| NoHost::error(vec![(name, refusal)]))
    }
}

fn lost(reason: &'static str) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::ConnectionAborted, reason))
}
