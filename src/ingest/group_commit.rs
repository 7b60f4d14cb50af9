//! Group commit: deliveries that arrive while a commit is in flight share the next one.
//!
//! One task commits. Deliveries wait for it in a bounded queue, and each commit takes all of them. There is no timer and
//! no minimum batch size: the duration of the previous commit is the only wait, and a single delivery is committed
//! without delay.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use strum::IntoEnumIterator;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::insert;
use super::memory_budget::MemoryPermit;
use super::new_delivery::{NewDelivery, ReceiveError};
use super::receiving_health::CommitFailures;
use crate::activity_log::ACTIVITY;
use crate::avinode::signature::verification::AuthScheme;
use crate::heartbeat::Heartbeat;
use crate::postgres::autocommit::AutocommitPool;
use crate::postgres::cause::cause;
use crate::postgres::sqlstate::{CHECK_VIOLATION, sqlstate};
use crate::postgres::transaction::Pool;

/// Maximum deliveries per commit. Larger batches gain no throughput and delay their last delivery.
const BATCH: usize = 256;
/// Maximum bytes per commit; the last delivery of a batch may exceed it.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Below the pool's own acquire timeout: while the server is down, a sender should get its 503 sooner.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval of the heartbeats while no delivery arrives.
const IDLE: Duration = Duration::from_secs(5);

/// A delivery, the memory reserved for it, and the request that waits for its commit.
struct Waiting {
    delivery: NewDelivery,
    memory: MemoryPermit,
    done: oneshot::Sender<Result<(), ReceiveError>>,
}

/// Hands deliveries to the group commit.
#[derive(Debug, Clone)]
pub struct Receiver {
    queue: mpsc::Sender<Waiting>,
}

/// The task that commits; spawn [`GroupCommitter::run`].
pub struct GroupCommitter {
    queue: mpsc::Receiver<Waiting>,
    /// A dedicated connection. Two concurrent commits were measured to be no faster than one.
    connection: AutocommitPool,
    failures: CommitFailures,
    /// Called after each commit to wake the workers.
    wake: Box<dyn Fn() + Send + Sync>,
}

/// Creates a receiver with a queue of `capacity` deliveries, and its committer.
pub fn receiver(pool: &Pool, capacity: usize, wake: impl Fn() + Send + Sync + 'static) -> (Receiver, GroupCommitter) {
    let (sender, queue) = mpsc::channel(capacity);
    (
        Receiver { queue: sender },
        GroupCommitter {
            queue,
            connection: pool.autocommit(1, CONNECT_TIMEOUT),
            failures: CommitFailures::default(),
            wake: Box::new(wake),
        },
    )
}

impl Receiver {
    /// Stores a delivery and its job. `Ok` means that both are durable. A delivery is also stored if the future is dropped
    /// after its first poll: a sender that disconnects drops its request. `memory` is released when the commit has ended.
    ///
    /// # Errors
    /// The delivery may still have been stored: the result of a commit can be lost on its way back. The sender repeats
    /// the delivery, and applying it twice changes nothing.
    pub async fn receive(&self, delivery: NewDelivery, memory: MemoryPermit) -> Result<(), ReceiveError> {
        let (done, committed) = oneshot::channel();
        self.queue
            .try_send(Waiting { delivery, memory, done })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => ReceiveError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => ReceiveError::Draining,
            })?;
        committed.await.unwrap_or(Err(ReceiveError::Draining))
    }
}

impl GroupCommitter {
    /// Returns the place in which failures of commits are recorded.
    pub fn failures(&self) -> CommitFailures {
        self.failures.clone()
    }

    /// Commits deliveries until every [`Receiver`] is dropped and the queue is empty.
    pub async fn run(mut self, heartbeat: Heartbeat) {
        let mut healthy = true;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            heartbeat.beat();
            match tokio::time::timeout(IDLE, self.queue.recv()).await {
                Err(_) => continue,
                Ok(None) => return,
                Ok(Some(first)) => batch.push(first),
            }
            let mut bytes = batch[0].delivery.body.len();
            while batch.len() < BATCH && bytes < BATCH_BYTES {
                let Ok(next) = self.queue.try_recv() else { break };
                bytes += next.delivery.body.len();
                batch.push(next);
            }
            let deliveries: Vec<&NewDelivery> = batch.iter().map(|waiting| &waiting.delivery).collect();
            let began = Instant::now();
            let committed = self.commit(&deliveries).await;
            self.measure(&deliveries, began, committed.is_ok());
            match (&committed, healthy) {
                (Ok(()), true) => {}
                (Ok(()), false) => tracing::info!("storing deliveries works again"),
                // Logged once per outage: the senders repeat their deliveries, possibly for hours.
                (Err(error), true) => {
                    let deliveries = batch.len();
                    tracing::error!(
                        deliveries,
                        "failed to store {deliveries} deliveries, senders get 503: {error}"
                    );
                }
                (Err(_), false) => {}
            }
            healthy = committed.is_ok();
            if healthy {
                (self.wake)();
            } else {
                // Each delivery in the queue would wait for a timeout of its own; 503 lets its sender retry sooner.
                while let Ok(queued) = self.queue.try_recv() {
                    batch.push(queued);
                }
            }
            let result = committed.map_err(|_| ReceiveError::Unavailable);
            for Waiting { delivery, memory, done } in batch.drain(..) {
                if result.is_ok() {
                    ACTIVITY.delivery_received();
                }
                drop((delivery, memory));
                // The send fails if the sender has closed the connection; the delivery is stored all the same.
                let _ = done.send(result);
            }
        }
    }

    fn measure(&self, deliveries: &[&NewDelivery], began: Instant, committed: bool) {
        histogram!("avinode_ingest_commit_duration_seconds").record(began.elapsed());
        histogram!("avinode_ingest_commit_deliveries").record(u32::try_from(deliveries.len()).unwrap_or(u32::MAX));
        let waiting = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        gauge!("avinode_ingest_receive_queue_deliveries").set(waiting);
        if !committed {
            return;
        }
        for scheme in AuthScheme::iter() {
            let scheme = scheme.as_str();
            let is_of_scheme = |delivery: &&&NewDelivery| delivery.verified_by.split('#').next() == Some(scheme);
            let verified = deliveries.iter().filter(is_of_scheme).count() as u64;
            if verified > 0 {
                let labels = [("status", "200"), ("scheme", scheme), ("reason", "")];
                counter!("avinode_ingest_deliveries_total", &labels).increment(verified);
            }
        }
    }

    async fn commit(&self, deliveries: &[&NewDelivery]) -> Result<(), String> {
        let committed = match self.append(deliveries).await {
            // A partition for these ids was attached while the statement waited to write to the default partition.
            Err(error) if sqlstate(&error).as_deref() == Some(CHECK_VIOLATION) => self.append(deliveries).await,
            result => result,
        };
        self.failures.record(&committed);
        if let Err(error) = &committed {
            counter!("avinode_ingest_commit_failures_total", "cause" => cause(error)).increment(1);
        }
        committed.map_err(|error| error.to_string())
    }

    async fn append(&self, deliveries: &[&NewDelivery]) -> Result<(), sqlx::Error> {
        insert::append(self.connection.acquire().await?, deliveries).await
    }
}
