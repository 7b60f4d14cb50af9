//! Ends at the server what was given up here: a connection that does not answer is closed, and its server process ended from another
//! connection. Otherwise each new connection would leave one more process behind, beyond the configured number.
//!
//! `statement_timeout` does not end a COMMIT that waits for a synchronous standby, and a server process that waits for anything does
//! not notice that its client is gone. A cancel request would not do: it ends the wait for a standby as a success.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio::time::Instant;

use super::hosts::DatabaseHosts;
use super::limits::within;
use super::server_error::readable;

const LIMIT: Duration = Duration::from_secs(2);

/// A server process. Its number may be that of another one later, the time of its start is not.
#[derive(Debug, Clone)]
pub(super) struct ServerProcess {
    pub(super) host: usize,
    pub(super) pid: i32,
    pub(super) started_at: String,
}

/// Ends these server processes, each at its host, where they are still there. A server that cannot be reached is left alone.
pub(super) async fn end(hosts: &DatabaseHosts, processes: &[Arc<ServerProcess>]) {
    for host in 0..hosts.count() {
        let of_host: Vec<&ServerProcess> = processes
            .iter()
            .map(|process| &**process)
            .filter(|process| process.host == host)
            .collect();
        if of_host.is_empty() {
            continue;
        }
        let Some(mut control) = hosts.known().control(host).await else {
            continue;
        };
        let ended = within(LIMIT, terminate(hosts.options(host), &of_host)).await;
        *control = ended.is_err().then(Instant::now);
        if let Err(error) = ended {
            tracing::debug!("failed to end server processes that did not answer: {error}");
        }
    }
}

/// Returns whether a server process is at work. One that waits for its client, while the client waits for it, has lost its connection;
/// a server that cannot be asked counts as lost as well.
pub(super) async fn is_working(hosts: &DatabaseHosts, process: &ServerProcess) -> bool {
    let Some(mut control) = hosts.known().control(process.host).await else {
        return false;
    };
    let ask = async {
        let mut control = hosts.options(process.host).connect().await.map_err(readable)?;
        // In the middle of a statement it may wait for its client too: to be read, or for the rest of a message.
        let statement = "
            SELECT FROM pg_stat_activity
            WHERE pid = $1 AND backend_start = $2::timestamptz AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'";
        let found = sqlx::query(statement)
            .bind(process.pid)
            .bind(&*process.started_at)
            .persistent(false)
            .fetch_optional(&mut control)
            .await
            .map_err(readable)?;
        control.close().await?;
        Ok(found.is_some())
    };
    let answer = within(LIMIT, ask).await;
    *control = answer.is_err().then(Instant::now);
    answer.unwrap_or(false)
}

async fn terminate(options: &PgConnectOptions, processes: &[&ServerProcess]) -> Result<(), sqlx::Error> {
    let mut control = options.connect().await.map_err(readable)?;
    let statement = "
        SELECT pid, coalesce(wait_event_type || '/' || wait_event, 'nothing') AS waits_for, pg_terminate_backend(pid) AS ended
        FROM pg_stat_activity
        JOIN unnest($1::int4[], $2::text[]) AS given_up (pid, started_at) USING (pid)
        WHERE backend_start = given_up.started_at::timestamptz";
    let ended = sqlx::query(statement)
        .bind(processes.iter().map(|process| process.pid).collect::<Vec<_>>())
        .bind(processes.iter().map(|process| &*process.started_at).collect::<Vec<_>>())
        .persistent(false)
        .fetch_all(&mut control)
        .await
        .map_err(readable)?;
    for row in ended {
        let (pid, waits_for): (i32, String) = (row.try_get("pid")?, row.try_get("waits_for")?);
        tracing::info!(
            pid,
            waits_for,
            "ended server process {pid}, which did not answer: it waited for {waits_for}"
        );
    }
    control.close().await
}
