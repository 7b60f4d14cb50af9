//! The channel from the shared reader of timelines to the streams of this process.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::chat_session::stream::StreamEntry;

/// Batches that a stream may lag behind. One that lags further reads them from the database.
const BATCHES: usize = 16;

/// The entries up to a position.
#[derive(Debug)]
pub struct EntryBatch {
    pub entries: Vec<StreamEntry>,
    /// No entry up to this position is missing or will appear.
    pub to: i64,
}

/// The connection between the reader and the streams; clones share it.
#[derive(Debug, Clone)]
pub struct LiveEntries {
    batches: broadcast::Sender<Arc<EntryBatch>>,
    /// The position up to which the reader has read; `None` while it rests.
    position: watch::Sender<Option<i64>>,
    slots: Arc<Semaphore>,
    max_streams: usize,
    /// Notified when a stream begins.
    demand: Arc<Notify>,
    /// Ends all streams.
    pub ended: CancellationToken,
}

impl LiveEntries {
    pub fn new(max_streams: usize, ended: CancellationToken) -> Self {
        Self {
            batches: broadcast::Sender::new(BATCHES),
            position: watch::Sender::new(None),
            slots: Arc::new(Semaphore::new(max_streams)),
            max_streams,
            demand: Arc::default(),
            ended,
        }
    }

    /// Takes the place of a stream; `None` if all are taken.
    pub fn take_slot(&self) -> Option<OwnedSemaphorePermit> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        self.demand.notify_one();
        Some(slot)
    }

    /// Waits until a stream may need the reader.
    pub async fn demanded(&self) {
        self.demand.notified().await;
    }

    /// Publishes a batch, and the position with it: a stream that subscribes sees both or neither.
    pub fn publish(&self, batch: EntryBatch) {
        self.position.send_modify(|position| {
            *position = Some(batch.to);
            if !batch.entries.is_empty() {
                // An error says that there is no stream.
                let _ = self.batches.send(Arc::new(batch));
            }
        });
    }

    /// Forgets the position if there is no stream, and returns whether that is so. A stream that takes its slot later finds no
    /// position, and waits for the reader.
    pub fn rest(&self) -> bool {
        let mut rests = false;
        self.position.send_modify(|position| {
            rests = self.slots.available_permits() == self.max_streams;
            if rests {
                *position = None;
            }
        });
        rests
    }

    /// Waits for the reader, and returns its position with the batches after it.
    pub async fn subscribe(&self) -> (i64, broadcast::Receiver<Arc<EntryBatch>>) {
        let mut position = self.position.subscribe();
        loop {
            let subscribed = {
                // Holds the lock under which the reader publishes.
                let position = position.borrow_and_update();
                position.map(|position| (position, self.batches.subscribe()))
            };
            if let Some(subscribed) = subscribed {
                return subscribed;
            }
            // The sender lives as long as this.
            let _ = position.changed().await;
        }
    }
}
