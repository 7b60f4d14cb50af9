//! The readiness of the receiver to keep a delivery at this moment: the last commit if it failed recently, and a write that waits for
//! the same tables, the same disk and the same standbys. The write leaves one row.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::postgres::cause::cause;
use crate::postgres::transaction::Pool;

/// A failed commit makes the receiver not ready for this long, unless one succeeds.
const REMEMBERED: Duration = Duration::from_secs(5);
/// The limits of the write. Together with what the network adds they are shorter than a readiness probe may take.
const SETTINGS: &str = "SET LOCAL lock_timeout = '400ms'; SET LOCAL synchronous_commit = on; ";
const STATEMENT: Duration = Duration::from_millis(500);
const ACQUIRE: Duration = Duration::from_millis(1500);

const COMMIT_WAITS: &str = "a commit waits, for the disk or for a synchronous standby";

/// The last failure of the group commit; clones share it.
#[derive(Debug, Clone, Default)]
pub struct CommitFailures(Arc<Mutex<Option<(Instant, &'static str)>>>);

impl CommitFailures {
    /// Records the result of a commit.
    pub fn record<T>(&self, result: &Result<T, sqlx::Error>) {
        let failure = result.as_ref().err().map(|error| (Instant::now(), cause(error)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn recent(&self) -> Option<&'static str> {
        let failure = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failure
            .filter(|(at, _)| at.elapsed() < REMEMBERED)
            .map(|(_, cause)| cause)
    }
}

/// Checks that a delivery can be kept.
#[derive(Debug, Clone)]
pub struct ReceivingHealth {
    pool: Pool,
    failures: CommitFailures,
}

impl ReceivingHealth {
    /// Opens a connection of its own when it is first asked.
    pub fn new(pool: &Pool, failures: CommitFailures) -> Self {
        let pool = pool.sibling_with_timeout(1, ACQUIRE).statement_limit(STATEMENT);
        Self { pool, failures }
    }

    /// Returns the reason why a delivery could not be kept now, in fixed words.
    pub async fn check(&self) -> Result<(), &'static str> {
        // The write goes first: it names a cause where the last commit got no answer.
        self.write().await?;
        self.failures.recent().map_or(Ok(()), Err)
    }

    async fn write(&self) -> Result<(), &'static str> {
        let failed = |error: sqlx::Error| cause(&error);
        let mut tx = self.pool.begin_with(SETTINGS).await.map_err(failed)?;
        sqlx::query!("LOCK TABLE ONLY avinode_ingest.deliveries, ONLY avinode_ingest.jobs IN ROW EXCLUSIVE MODE")
            .execute(&mut tx)
            .await
            .map_err(failed)?;
        sqlx::query!(
            r#"
            INSERT INTO avinode_ingest.leader_leases (name, holder, held_until)
            VALUES ('write_probe', 'readiness', clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET held_until = EXCLUDED.held_until
            "#
        )
        .execute(&mut tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(|error| match cause(&error) {
            "does not answer" => COMMIT_WAITS,
            cause => cause,
        })
    }
}
