//! LISTEN, on a connection of its own.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Error, Executor as _};

use super::limits::{self, within};
use super::server_error::readable;

/// A dead connection is noticed after this time; workers poll meanwhile.
const SILENCE: Duration = Duration::from_secs(10);

/// A connection that listens.
#[derive(Debug)]
pub struct ChannelListener(PgListener);

impl ChannelListener {
    pub(super) async fn connect(options: &PgConnectOptions, channel: &str, limit: Duration) -> Result<Self, Error> {
        let own = PgPoolOptions::new().max_connections(1).acquire_timeout(limit);
        let own = own.connect_lazy_with(options.clone());
        let listen = async {
            let mut inner = PgListener::connect_with(&own).await?;
            inner.listen(channel).await?;
            Ok(Self(inner))
        };
        within(limit, listen).await.map_err(readable)
    }

    /// Waits for the next notification. The connection must answer at times, so that a dead one is noticed.
    pub async fn recv(&mut self) -> Result<(), Error> {
        loop {
            if let Ok(notification) = tokio::time::timeout(SILENCE, self.0.recv()).await {
                return notification.map(drop).map_err(readable);
            }
            within(limits::PING, (&mut self.0).execute(""))
                .await
                .map_err(readable)?;
        }
    }
}
