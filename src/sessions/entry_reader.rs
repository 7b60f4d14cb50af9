//! The shared reader of timelines: one for all streams of a process, at work only while there is a stream.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::live_entries::{EntryBatch, LiveEntries};
use crate::domain::chat_session::stream::StreamEntry;
use crate::postgres::transaction::Pool;
use crate::queue::listener;
use crate::store::chat_sessions::positions;

/// Entries of one batch.
const BATCH: i64 = 100;
/// The pause between two looks at open transactions, which last some milliseconds.
const SETTLE_PAUSE: Duration = Duration::from_millis(10);
/// The pause after a failure of the database.
const RETRY: Duration = Duration::from_secs(1);

pub struct EntryReader {
    pub pool: Pool,
    pub live: LiveEntries,
    /// The reader looks for entries at this interval without being woken.
    pub poll: Duration,
    /// Uses LISTEN; off behind a transaction pooler.
    pub listens: bool,
}

impl EntryReader {
    /// Reads until the streams are ended.
    pub async fn run(self) {
        let ended = self.live.ended.clone();
        let work = async {
            loop {
                self.live.demanded().await;
                self.read_while_needed().await;
            }
        };
        ended.run_until_cancelled(work).await;
    }

    async fn read_while_needed(&self) {
        let wake = Arc::new(Notify::new());
        let listening = self.live.ended.child_token();
        // Ends the task below however this function ends.
        let _listening = listening.clone().drop_guard();
        if self.listens {
            let (pool, wakes) = (self.pool.clone(), vec![Arc::clone(&wake)]);
            tokio::spawn(listener::listen(pool, positions::CHANNEL, wakes, listening));
        }
        let mut read_to = None;
        while !self.live.rest() {
            // Registered before the table is read: a notification in between is not lost.
            let woken = wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let pause = match self.read_on(&mut read_to).await {
                Ok(()) => self.poll,
                Err(error) => {
                    tracing::debug!("failed to read timelines for streams, will retry: {error}");
                    RETRY
                }
            };
            tokio::select! {
                () = woken => {}
                () = sleep(pause) => {}
                // A stream that begins while this ends finds a reader.
                () = self.live.demanded() => {}
            }
        }
    }

    /// Publishes the entries after `read_to`. The first time, only the position is published.
    async fn read_on(&self, read_to: &mut Option<i64>) -> Result<(), sqlx::Error> {
        let to = positions::last(&self.pool).await?;
        if read_to.is_some_and(|read_to| read_to >= to) {
            return Ok(());
        }
        self.wait_for_open_transactions().await?;
        positions::make_durable(&self.pool).await?;
        let Some(mut after) = *read_to else {
            *read_to = Some(to);
            self.live.publish(EntryBatch {
                entries: Vec::new(),
                to,
            });
            return Ok(());
        };
        while after < to {
            let entries = positions::read(&self.pool, after, to, BATCH).await?;
            after = page_end(&entries, BATCH, to);
            *read_to = Some(after);
            self.live.publish(EntryBatch { entries, to: after });
        }
        Ok(())
    }

    /// Waits for the transactions that may have drawn a position, and are not visible yet.
    async fn wait_for_open_transactions(&self) -> Result<(), sqlx::Error> {
        let mut open = positions::open_transactions(&self.pool).await?;
        while !open.is_empty() {
            sleep(SETTLE_PAUSE).await;
            let still_open = positions::open_transactions(&self.pool).await?;
            open.retain(|transaction| still_open.contains(transaction));
        }
        Ok(())
    }
}

/// Returns the position up to which a page of at most `limit` entries reaches.
pub(super) fn page_end(entries: &[StreamEntry], limit: i64, to: i64) -> i64 {
    let is_full = i64::try_from(entries.len()).is_ok_and(|read| read >= limit);
    entries.last().filter(|_| is_full).map_or(to, |last| last.position)
}
