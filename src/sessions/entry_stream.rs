//! A stream of timeline entries that resumes at a position: what was missed is read from the database, and then the entries of
//! the shared reader follow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time::{Instant, sleep_until, timeout};

use super::entry_reader::page_end;
use super::error::SessionError;
use super::live_entries::{EntryBatch, LiveEntries};
use crate::domain::chat_session::stream::{StreamEntry, StreamFilter};
use crate::postgres::transaction::Pool;
use crate::store::chat_sessions::positions;

/// Entries that a stream reads at a time.
const PAGE: i64 = 200;
/// The time after which a stream without entries shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A stream ends after this time, and its client resumes it: a token that was taken back is not used for longer.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// A new stream waits this long for the reader.
const START: Duration = Duration::from_secs(5);

/// The refusal of a stream.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("there are too many streams")]
    TooManyStreams,
    /// Entries after it were deleted, or it is not a position of this database.
    #[error("the position is not kept")]
    PositionExpired,
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Opens streams; clones share the reader.
#[derive(Debug, Clone)]
pub struct EntryStreams {
    pub pool: Pool,
    pub live: LiveEntries,
}

/// The next item of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamItem {
    Entry(StreamEntry),
    /// The position to resume at, without an entry.
    Position(i64),
}

/// An open stream.
pub struct EntryStream {
    pool: Pool,
    live: LiveEntries,
    filter: StreamFilter,
    batches: broadcast::Receiver<Arc<EntryBatch>>,
    /// Everything up to it was sent.
    position: i64,
    /// Everything up to it is in `ready` or was sent.
    read_to: i64,
    /// The reader passed on everything after it.
    live_from: i64,
    ready: VecDeque<StreamEntry>,
    keep_alive_at: Instant,
    ends_at: Instant,
    _slot: OwnedSemaphorePermit,
}

impl EntryStreams {
    /// Opens a stream of the entries after a position, or of those from now on.
    ///
    /// # Errors
    /// Too many streams are open, the position is not kept, or the database is busy.
    pub async fn open(&self, after: Option<i64>, filter: StreamFilter) -> Result<EntryStream, StreamError> {
        if self.live.ended.is_cancelled() {
            return Err(SessionError::Busy.into());
        }
        if let Some(after) = after {
            let is_kept = positions::is_kept(&self.pool, after).await;
            let is_kept = is_kept.map_err(|error| SessionError::from(error).not_retried())?;
            if !is_kept {
                return Err(StreamError::PositionExpired);
            }
        }
        let slot = self.live.take_slot().ok_or(StreamError::TooManyStreams)?;
        let subscribed = timeout(START, self.live.subscribe()).await;
        let (live_from, batches) = subscribed.map_err(|_| SessionError::Busy)?;
        let position = after.unwrap_or(live_from);
        Ok(EntryStream {
            pool: self.pool.clone(),
            live: self.live.clone(),
            filter,
            batches,
            position,
            read_to: position,
            live_from,
            ready: VecDeque::new(),
            // The first item is the position.
            keep_alive_at: Instant::now(),
            ends_at: Instant::now() + MAX_AGE,
            _slot: slot,
        })
    }
}

impl EntryStream {
    /// Returns the next item; `None` when the stream has to be resumed by another one.
    pub async fn next(&mut self) -> Option<StreamItem> {
        let ended = self.live.ended.clone();
        let item = ended.run_until_cancelled(self.next_item()).await??;
        self.keep_alive_at = Instant::now() + KEEP_ALIVE;
        Some(item)
    }

    async fn next_item(&mut self) -> Option<StreamItem> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                self.position = entry.position;
                return Some(StreamItem::Entry(entry));
            }
            self.position = self.read_to;
            if self.keep_alive_at <= Instant::now() {
                return Some(StreamItem::Position(self.position));
            }
            if self.read_to < self.live_from {
                self.catch_up().await?;
                continue;
            }
            tokio::select! {
                received = self.batches.recv() => match received {
                    Ok(batch) => self.take(&batch.entries, batch.to),
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        (self.live_from, self.batches) = self.live.subscribe().await;
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                () = sleep_until(self.keep_alive_at) => {}
                () = sleep_until(self.ends_at) => return None,
            }
        }
    }

    /// Reads a page of what the reader passed on before this stream began. After a failure the client resumes.
    async fn catch_up(&mut self) -> Option<()> {
        let page = positions::read(&self.pool, self.read_to, self.live_from, PAGE).await;
        let page = page
            .inspect_err(|error| tracing::debug!("ended a stream, its client resumes it: {error}"))
            .ok()?;
        let to = page_end(&page, PAGE, self.live_from);
        self.take(&page, to);
        Some(())
    }

    /// Takes the entries that are new to this stream. Another process may have sent some of them before.
    fn take(&mut self, entries: &[StreamEntry], to: i64) {
        let read_to = self.read_to;
        let new = entries.iter().filter(|entry| entry.position > read_to);
        self.ready
            .extend(new.filter(|entry| self.filter.accepts(entry)).cloned());
        self.read_to = read_to.max(to);
    }
}
