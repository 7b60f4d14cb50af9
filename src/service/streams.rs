//! The streams of timelines, and the reader that they share.

use tokio_util::sync::CancellationToken;

use super::settings::ServiceSettings;
use crate::postgres::transaction::Pool;
use crate::sessions::entry_reader::EntryReader;
use crate::sessions::entry_stream::EntryStreams;
use crate::sessions::live_entries::LiveEntries;

/// Starts the reader, which works until `ended`.
pub(super) fn start(pool: Pool, settings: &ServiceSettings, ended: CancellationToken) -> EntryStreams {
    let live = LiveEntries::new(settings.api.streams, ended);
    let reader = EntryReader {
        pool: pool.clone(),
        live: live.clone(),
        poll: settings.poll,
        listens: settings.listens,
    };
    tokio::spawn(reader.run());
    EntryStreams { pool, live }
}
