//! The faults, each with its end.

use std::time::Duration;

use nix::sys::signal::Signal;
use rand::RngExt;
use rand::rngs::StdRng;
use sqlx::{AssertSqlSafe, Connection};
use strum::{Display, EnumIter};

use super::deployment::Deployment;
use super::senders::Sending;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Fault {
    ReceiverKilled,
    ReceiverStopped,
    WorkerKilled,
    WorkerStopped,
    /// A worker stands still for longer than it takes others to believe it dead.
    WorkerStalled,
    PostgresCrashed,
    BackendCrashed,
    BackendsTerminated,
    PostgresReadOnly,
    ConnectionsCut,
    ConnectionsRefused,
    ConnectionsDelayed,
    ConnectionsSwallowed,
    TableLocked,
    PoolerRestarted,
    /// No room for another page of deliveries.
    DiskFull,
}

impl Fault {
    /// Causes the fault, and ends it.
    pub async fn cause(self, deployment: &mut Deployment, sending: &Sending, random: &mut StdRng) {
        let time = Duration::from_millis(random.random_range(300..3_000));
        let worker = random.random_range(0..deployment.workers.len());
        match self {
            Self::ReceiverKilled | Self::ReceiverStopped => {
                let kill = self == Self::ReceiverKilled;
                let address = deployment.restart_receiver(signal(kill)).await;
                *sending.address.lock().unwrap() = address;
            }
            Self::WorkerKilled | Self::WorkerStopped => {
                deployment
                    .restart_worker(worker, signal(self == Self::WorkerKilled))
                    .await;
            }
            Self::WorkerStalled => {
                let program = &deployment.workers[worker].program;
                program.signal(Signal::SIGSTOP);
                lasts(time * 5).await;
                program.signal(Signal::SIGCONT);
            }
            Self::PostgresCrashed => deployment.crash_postgres().await,
            Self::BackendCrashed => deployment.postgres().kill_a_child(),
            Self::BackendsTerminated => {
                let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
                for _ in 0..random.random_range(1..5) {
                    sqlx::raw_sql(terminate).execute(deployment.pool()).await.unwrap();
                    lasts(time / 5).await;
                }
            }
            Self::PostgresReadOnly => {
                set_read_only(deployment, true).await;
                lasts(time).await;
                set_read_only(deployment, false).await;
            }
            Self::ConnectionsCut => deployment.proxy.cut(),
            Self::ConnectionsRefused => {
                deployment.proxy.refuse(true);
                deployment.proxy.cut();
                lasts(time).await;
                deployment.proxy.refuse(false);
            }
            Self::ConnectionsDelayed => {
                deployment
                    .proxy
                    .delay(Duration::from_millis(random.random_range(20..300)));
                lasts(time).await;
                deployment.proxy.delay(Duration::ZERO);
            }
            // It does not end: new connections work.
            Self::ConnectionsSwallowed => deployment.proxy.swallow(),
            Self::TableLocked => {
                let tables = [
                    "public.chat_sessions",
                    "avinode_ingest.jobs",
                    "avinode_ingest.deliveries",
                ];
                let table = tables[random.random_range(0..tables.len())];
                let mut application = deployment.pool().connection().await;
                let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
                sqlx::raw_sql(AssertSqlSafe(lock))
                    .execute(&mut application)
                    .await
                    .unwrap();
                lasts(time).await;
                application.close().await.unwrap();
            }
            Self::DiskFull => {
                if let Some(disk) = &deployment.disk {
                    disk.fill();
                    lasts(time).await;
                    disk.free();
                }
            }
            Self::PoolerRestarted => {
                if deployment.has_pooler() {
                    deployment.restart_pooler().await;
                }
            }
        }
    }
}

fn signal(kill: bool) -> Signal {
    if kill { Signal::SIGKILL } else { Signal::SIGTERM }
}

async fn lasts(time: Duration) {
    tokio::time::sleep(time).await;
}

/// As a primary that was demoted: statements that write fail, on open connections too.
async fn set_read_only(deployment: &Deployment, read_only: bool) {
    let mut superuser = deployment.pool().connection().await;
    let set = if read_only {
        "ALTER SYSTEM SET default_transaction_read_only = on"
    } else {
        "ALTER SYSTEM RESET default_transaction_read_only"
    };
    for statement in [set, "SELECT pg_reload_conf()"] {
        sqlx::raw_sql(statement).execute(&mut superuser).await.unwrap();
    }
    superuser.close().await.unwrap();
}
