//! LISTEN and NOTIFY, so that what other processes or the application's triggers inserted is seen immediately.
//!
//! A notification only wakes workers and readers, which poll anyway: a lost connection costs a moment and never a job. Behind a
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

/// Wakes waiting tasks for every notification of a channel until `shutdown`.
pub async fn listen(pool: Pool, channel: &'static str, wakes: Vec<Arc<Notify>>, shutdown: CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return,
            ended = forward(&pool, channel, &wakes) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!("LISTEN on {channel} failed, polling goes on: {error}");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(RECONNECT) => {}
        }
    }
}

/// Notifies the listeners of a channel in all processes whenever `happened` was notified in this one.
pub async fn announce(pool: Pool, channel: &'static str, happened: Arc<Notify>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = happened.notified() => {}
            () = shutdown.cancelled() => return,
        }
        // A failure is no loss: listeners poll.
        if let Err(error) = notify(&pool, channel).await {
            tracing::debug!("NOTIFY {channel} failed, listeners will poll: {error}");
        }
        tokio::time::sleep(MIN_INTERVAL).await;
    }
}

async fn notify(pool: &Pool, channel: &str) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    notify_on_commit(&mut tx, channel).await?;
    tx.commit().await
}

/// Wakes idle workers when this transaction commits.
pub async fn wake(tx: &mut Transaction<'_>) -> Result<(), sqlx::Error> {
    notify_on_commit(tx, CHANNEL).await
}

async fn notify_on_commit(tx: &mut Transaction<'_>, channel: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_notify($1, '')::text AS notified", channel)
        .fetch_one(tx)
        .await?;
    Ok(())
}

async fn forward(pool: &Pool, channel: &str, wakes: &[Arc<Notify>]) -> Result<(), sqlx::Error> {
    let mut listener = pool.listen(channel).await?;
    // For what was committed before the connection was there.
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
