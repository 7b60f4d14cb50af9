//! The state of the APIs and of the console, with connections of its own, and the reader that all streams of timelines share.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::settings::ServiceSettings;
use crate::admin::service::AdminService;
use crate::http::v1::state::{ApiState, SessionsState};
use crate::postgres::transaction::Pool;
use crate::sessions::entry_reader::EntryReader;
use crate::sessions::entry_stream::EntryStreams;
use crate::sessions::live_entries::LiveEntries;
use crate::sessions::service::SessionService;
use crate::store::session_changes::SessionChanges;

/// A call waits this long for one of the connections.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn state(
    pool: &Pool,
    settings: &ServiceSettings,
    changes: SessionChanges,
    ended: CancellationToken,
) -> ApiState {
    let pool = pool.sibling_with_timeout(settings.api.connections, ACQUIRE_TIMEOUT);
    SessionsState::shared(
        SessionService::new(pool.clone(), settings.clock).with_changes(changes),
        streams(pool.clone(), settings, ended),
        AdminService::new(pool),
        settings.api.tokens.clone(),
    )
}

/// Starts the reader, which works until `ended`.
fn streams(pool: Pool, settings: &ServiceSettings, ended: CancellationToken) -> EntryStreams {
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
