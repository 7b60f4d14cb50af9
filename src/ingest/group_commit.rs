//! The group commit: concurrent deliveries share one statement and one commit, and a lone one waits for nobody.
//!
//! One task flushes. While it commits, arrivals gather in a bounded queue; the next commit takes them all. There is no
//! timer and no minimum: the time that a commit takes is the only wait.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::insert;
use crate::avinode::notification::DeliveryKind;
use crate::heartbeat::Heartbeat;
use crate::postgres::autocommit::AutocommitPool;
use crate::postgres::transaction::Pool;

/// Deliveries that share a commit, at most. Beyond a few hundred a batch gains nothing and its last one waits longer.
const BATCH: usize = 256;
/// Bytes that share a commit, at most (one delivery more may exceed it).
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How long a connection may take. The pool asks a server that is down again and again for longer than a sender should
/// wait for its 503.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a commit may take before its deliveries are answered 503.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the idle loop shows that it lives.
const IDLE: Duration = Duration::from_secs(5);

/// A verified delivery on its way to the database.
#[derive(Debug)]
pub struct NewDelivery {
    /// UUIDv7; the answer names it.
    pub id: Uuid,
    /// When the whole body had been read.
    pub received_at: DateTime<Utc>,
    /// The exact body.
    pub body: Bytes,
    /// Allow-listed headers.
    pub headers: Vec<(&'static str, String)>,
    /// Scheme and ordinal of the secret that proved the sender.
    pub verified_by: String,
    /// Which job it becomes.
    pub route: DeliveryKind,
}

/// Why a delivery was not kept. The sender is told 503 and comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// As many wait as may wait.
    #[error("too many deliveries wait for the database")]
    Overloaded,
    /// The database could not keep it, or did not say so in time.
    #[error("the database could not keep the delivery")]
    Unavailable,
    /// The process is about to end.
    #[error("the process is ending")]
    Draining,
}

/// An arrival and who waits for it.
struct Waiting {
    arrival: NewDelivery,
    done: oneshot::Sender<Result<(), ReceiveError>>,
}

/// The side of the requests.
#[derive(Debug, Clone)]
pub struct Receiver {
    queue: mpsc::Sender<Waiting>,
}

/// The side of the database; [`GroupCommitter::run`] is to be spawned.
pub struct GroupCommitter {
    queue: mpsc::Receiver<Waiting>,
    /// One connection of its own: two commits at once were measured to be no faster.
    connection: AutocommitPool,
    /// Called after each commit: there is work.
    bell: Box<dyn Fn() + Send + Sync>,
}

/// A receiver that lets `capacity` deliveries wait, and its flusher.
pub fn receiver(pool: &Pool, capacity: usize, bell: impl Fn() + Send + Sync + 'static) -> (Receiver, GroupCommitter) {
    let (sender, queue) = mpsc::channel(capacity);
    (
        Receiver { queue: sender },
        GroupCommitter {
            queue,
            connection: pool.lone(1),
            bell: Box::new(bell),
        },
    )
}

impl Receiver {
    /// Keeps a delivery. `Ok`: it is durable, with its job.
    ///
    /// # Errors
    /// It may or may not be there (a commit can be lost on its way back): the sender repeats it, and applying is
    /// idempotent.
    pub async fn receive(&self, arrival: NewDelivery) -> Result<(), ReceiveError> {
        let (done, answer) = oneshot::channel();
        self.queue
            .try_send(Waiting { arrival, done })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => ReceiveError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => ReceiveError::Draining,
            })?;
        answer.await.unwrap_or(Err(ReceiveError::Draining))
    }
}

impl GroupCommitter {
    /// Commits what arrives until every [`Receiver`] is gone and nothing waits.
    pub async fn run(mut self, pulse: Heartbeat) {
        let mut healthy = true;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            pulse.beat();
            match tokio::time::timeout(IDLE, self.queue.recv()).await {
                Err(_) => continue,
                Ok(None) => return,
                Ok(Some(first)) => batch.push(first),
            }
            let mut bytes = batch[0].arrival.body.len();
            while batch.len() < BATCH && bytes < BATCH_BYTES {
                let Ok(next) = self.queue.try_recv() else { break };
                bytes += next.arrival.body.len();
                batch.push(next);
            }
            let arrivals: Vec<&NewDelivery> = batch.iter().map(|waiting| &waiting.arrival).collect();
            let kept = self.commit(&arrivals).await;
            match (&kept, healthy) {
                (Ok(()), true) => {}
                (Ok(()), false) => tracing::info!("the database keeps deliveries again"),
                // Logged once, not per delivery: the sender comes again, for hours if need be.
                (Err(error), true) => tracing::error!(error, deliveries = batch.len(), "deliveries could not be kept"),
                (Err(_), false) => {}
            }
            healthy = kept.is_ok();
            if healthy {
                (self.bell)();
            }
            if !healthy {
                // What waits behind would wait for a time-out of its own: the sender is told now, and comes again.
                while let Ok(behind) = self.queue.try_recv() {
                    batch.push(behind);
                }
            }
            for waiting in batch.drain(..) {
                // Nobody waits any more when the sender went away; the delivery is kept all the same.
                let _ = waiting.done.send(if healthy {
                    Ok(())
                } else {
                    Err(ReceiveError::Unavailable)
                });
            }
        }
    }

    async fn commit(&self, arrivals: &[&NewDelivery]) -> Result<(), String> {
        let connection = match tokio::time::timeout(CONNECT_TIMEOUT, self.connection.acquire()).await {
            Ok(acquired) => acquired.map_err(|error| error.to_string())?,
            Err(_) => return Err(format!("no connection within {CONNECT_TIMEOUT:?}")),
        };
        match tokio::time::timeout(COMMIT_TIMEOUT, insert::append(connection, arrivals)).await {
            Ok(kept) => kept.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {COMMIT_TIMEOUT:?}")),
        }
    }
}
