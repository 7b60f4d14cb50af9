//! An open connection of a pool, and how it is made.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{Error, Row as _};
use tokio::time::Instant;

use super::connection_settings::ConnectionSettings;
use super::give_up::ServerProcess;

#[derive(Debug)]
pub(super) struct Live {
    pub(super) raw: PgConnection,
    /// Unknown behind a transaction pooler.
    pub(super) process: Option<Arc<ServerProcess>>,
    pub(super) host: usize,
    pub(super) generation: Generation,
    pub(super) created_at: Instant,
    pub(super) used_at: Instant,
}

/// The generation of a connection, in its pool and among those to its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) pool: u64,
    pub(super) host: u64,
}

impl Live {
    /// Connects to a host that is in the required state, and sets up the session.
    pub(super) async fn connect(settings: &ConnectionSettings, pool: u64, deadline: Instant) -> Result<Self, Error> {
        let hosts = &settings.hosts;
        let attempt = |host| async move {
            let generation = Generation {
                pool,
                host: hosts.known().generation(host),
            };
            let mut raw = hosts.open(host).await?;
            let process = match settings.setup.statements() {
                Some(statements) => {
                    let row = sqlx::raw_sql(statements).fetch_one(&mut raw).await?;
                    Some(Arc::new(ServerProcess {
                        host,
                        pid: row.try_get("pid")?,
                        started_at: row.try_get("started_at")?,
                    }))
                }
                None => None,
            };
            let now = Instant::now();
            Ok(Self {
                raw,
                process,
                host,
                generation,
                created_at: now,
                used_at: now,
            })
        };
        hosts.first(deadline, attempt).await
    }
}
