//! Leader leases: work that one process at a time does, by a time-limited row of `leader_leases`.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use utoipa::ToSchema;

use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Pool;

/// The length of a lease that is kept by renewing it.
pub const HOLD: Duration = Duration::from_secs(6);
/// The time for which the leader works after it sent the statement that acquired or renewed its lease. The rest covers clocks
/// of different speed, and calls that are counted when they have been cancelled already.
pub const VALID: Duration = Duration::from_secs(5);
const RENEW_EVERY: Duration = Duration::from_secs(2);
const RETRY_RENEWAL: Duration = Duration::from_millis(250);

/// A lease, and the process that competes for it.
#[derive(Debug, Clone)]
pub struct LeaderLease {
    pub pool: Pool,
    pub name: Cow<'static, str>,
    /// Unique among all processes.
    pub holder: String,
}

/// A row of `leader_leases`.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct LeaseRow {
    pub holder: String,
    pub held_until: DateTime<Utc>,
    /// Published by the leader, and taken over by the next one.
    pub status: Option<Value>,
    /// The database's clock when the row was read.
    pub now: DateTime<Utc>,
}

impl LeaderLease {
    /// Acquires or renews the lease for this time from now, and publishes a status. `None`: another process holds it.
    pub async fn hold(&self, hold: Duration, status: Option<Value>) -> Result<Option<LeaseRow>, sqlx::Error> {
        let statement = sqlx::query_as!(
            LeaseRow,
            r#"
            INSERT INTO avinode_ingest.leader_leases AS lease (name, holder, held_until, status)
            VALUES ($1, $2, clock_timestamp() + $3, $4)
            ON CONFLICT (name) DO UPDATE
            SET holder = EXCLUDED.holder, held_until = EXCLUDED.held_until, status = coalesce(EXCLUDED.status, lease.status)
            WHERE lease.holder = EXCLUDED.holder OR lease.held_until <= clock_timestamp()
            RETURNING holder, held_until, status, clock_timestamp() AS "now!"
            "#,
            &*self.name,
            self.holder,
            interval(hold),
            status,
        );
        Ok(self.pool.fetch_all(statement).await?.pop())
    }

    /// Ends the lease, so that another process need not wait for it to run out.
    pub async fn release(&self, status: Option<Value>) {
        if let Err(error) = self.hold(Duration::ZERO, status).await {
            tracing::debug!("failed to release lease {}, it will run out: {error}", self.name);
        }
    }

    /// Renews the lease, and publishes `status` with each renewal and whenever it changes. Returns when the lease is lost:
    /// the holder stops. `valid_until` moves on with each renewal. It is measured from before a statement is sent, so the
    /// lease ends by this process's clock before it ends by the database's.
    pub async fn keep(
        &self,
        valid_until: &watch::Sender<Instant>,
        mut status: watch::Receiver<impl Serialize + Clone>,
    ) {
        let mut renew_at = Instant::now() + RENEW_EVERY;
        loop {
            let end = *valid_until.borrow();
            tokio::select! {
                () = sleep_until(renew_at.min(end)) => {}
                Ok(()) = status.changed() => {}
            }
            let sent_at = Instant::now();
            if sent_at >= end {
                return;
            }
            let current = serde_json::to_value(status.borrow_and_update().clone()).ok();
            match timeout_at(end, self.hold(HOLD, current)).await {
                Ok(Ok(Some(_))) => {
                    valid_until.send_replace(sent_at + VALID);
                    renew_at = sent_at + RENEW_EVERY;
                }
                Ok(Ok(None)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::debug!("failed to renew lease {}, will retry: {error}", self.name);
                    renew_at = sent_at + RETRY_RENEWAL;
                }
            }
        }
    }
}

/// Reads a lease; `None` if no process ever held it. The statement is unnamed, because `check` works behind any pooler.
pub async fn read(pool: &Pool, name: &str) -> Result<Option<LeaseRow>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let lease =
        "SELECT holder, held_until, status, clock_timestamp() AS now FROM avinode_ingest.leader_leases WHERE name = $1";
    let row = sqlx::query_as(lease)
        .bind(name)
        .persistent(false)
        .fetch_optional(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(row)
}

/// Claims a turn of periodic work, if the last one was claimed at least `every` ago. `false`: it is too early.
pub async fn claim_turn(pool: &Pool, name: &str, holder: &str, every: Duration) -> Result<bool, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.leader_leases AS lease (name, holder, held_until, done_at)
        VALUES ($1, $2, clock_timestamp(), clock_timestamp())
        ON CONFLICT (name) DO UPDATE
        SET holder = EXCLUDED.holder, held_until = EXCLUDED.held_until, done_at = EXCLUDED.done_at
        WHERE lease.done_at IS NULL OR lease.done_at <= clock_timestamp() - $3::interval
        "#,
        name,
        holder,
        interval(every),
    );
    Ok(pool.execute(statement).await? == 1)
}

/// The last run of a periodic task that did not fail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PeriodicRun {
    /// Name of the task.
    pub task: String,
    /// Of `resync` and `retention` the end, which is seconds later.
    pub started_at: DateTime<Utc>,
}

/// Returns the last run of each periodic task.
pub async fn last_runs(pool: &Pool) -> Result<Vec<PeriodicRun>, sqlx::Error> {
    let statement = sqlx::query_as!(
        PeriodicRun,
        r#"
        SELECT name AS task, done_at AS "started_at!"
        FROM avinode_ingest.leader_leases
        WHERE done_at IS NOT NULL
        ORDER BY name
        "#
    );
    pool.fetch_all(statement).await
}

/// Returns a turn after its work failed, so that it is claimed again.
pub async fn return_turn(pool: &Pool, name: &str, holder: &str) -> Result<(), sqlx::Error> {
    let statement = sqlx::query!(
        "DELETE FROM avinode_ingest.leader_leases WHERE name = $1 AND holder = $2",
        name,
        holder
    );
    pool.execute(statement).await.map(drop)
}
