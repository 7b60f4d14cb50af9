//! LISTEN, so that work queued by another process or by the application's triggers is seen at once.
//!
//! It only wakes. Polling is the truth, so a lost connection costs a moment and never a job; behind a transaction
//! pooler there is no LISTEN, and none is needed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::postgres::transaction::{Pool, Transaction};

/// The channel that queued work is announced on.
pub const CHANNEL: &str = "avinode_ingest_jobs";

/// Rings `bells` for every announcement until `shutdown`.
pub async fn listen(pool: Pool, bells: Vec<Arc<Notify>>, shutdown: CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return,
            ended = announcements(&pool, &bells) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "not listening for announcements; polling goes on");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

/// Announces work to other processes whenever `bell` has rung, at most every tenth of a second: a NOTIFY takes a lock of
/// the whole instance at its commit, which a receiver must not pay for every commit.
pub async fn announce(pool: Pool, bell: Arc<Notify>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = bell.notified() => {}
            () = shutdown.cancelled() => return,
        }
        // A failure is no loss: workers poll.
        if let Err(error) = notify(&pool).await {
            tracing::debug!(%error, "could not announce work; it is found by polling");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn notify(pool: &Pool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    wake(&mut tx).await?;
    tx.commit().await
}

/// Wakes idle workers when this transaction commits.
pub async fn wake(tx: &mut Transaction<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_notify($1, '')::text AS announced", CHANNEL)
        .fetch_one(tx)
        .await?;
    Ok(())
}

async fn announcements(pool: &Pool, bells: &[Arc<Notify>]) -> Result<(), sqlx::Error> {
    let mut listener = pool.listen(CHANNEL).await?;
    // What was announced while nobody listened.
    for bell in bells {
        bell.notify_waiters();
    }
    loop {
        listener.recv().await?;
        for bell in bells {
            bell.notify_one();
        }
    }
}
