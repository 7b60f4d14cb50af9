//! LISTEN and NOTIFY, so that jobs inserted by other processes or by the application's triggers are seen immediately.
//!
//! A notification only wakes workers, which poll anyway: a lost connection costs a moment and never a job. Behind a
//! transaction pooler there is no LISTEN, and none is needed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use ingest_postgres::transaction::{Pool, Transaction};

/// The channel of notifications about inserted jobs.
pub const CHANNEL: &str = "avinode_ingest_jobs";

const RECONNECT: Duration = Duration::from_secs(2);
/// A NOTIFY takes a lock of the whole instance when it commits, which a receiver must not pay for every commit.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// Wakes workers for every notification until `shutdown`.
pub async fn listen(pool: Pool, wakes: Vec<Arc<Notify>>, shutdown: CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return,
            ended = forward(&pool, &wakes) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!("LISTEN on {CHANNEL} failed, polling goes on: {error}");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(RECONNECT) => {}
        }
    }
}

/// Notifies other processes whenever `inserted` was notified, for a process without workers.
pub async fn announce(pool: Pool, inserted: Arc<Notify>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = inserted.notified() => {}
            () = shutdown.cancelled() => return,
        }
        // A failure is no loss: workers poll.
        if let Err(error) = notify(&pool).await {
            tracing::debug!("NOTIFY {CHANNEL} failed, workers will poll: {error}");
        }
        tokio::time::sleep(MIN_INTERVAL).await;
    }
}

async fn notify(pool: &Pool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    wake(&mut tx).await?;
    tx.commit().await
}

/// Wakes idle workers when this transaction commits.
pub async fn wake(tx: &mut Transaction<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_notify($1, '')::text AS notified", CHANNEL)
        .fetch_one(tx)
        .await?;
    Ok(())
}

async fn forward(pool: &Pool, wakes: &[Arc<Notify>]) -> Result<(), sqlx::Error> {
    let mut listener = pool.listen(CHANNEL).await?;
    // For jobs inserted before the connection was there.
    for wake in wakes {
        wake.notify_waiters();
    }
    loop {
        listener.recv().await?;
        for wake in wakes {
            wake.notify_one();
        }
    }
}
