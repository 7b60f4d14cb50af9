//! State shared by the handlers of the APIs.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;

use super::auth::BearerTokens;
use crate::admin::service::AdminService;
use crate::ingest::memory_budget::MemoryBudget;
use crate::sessions::entry_stream::EntryStreams;
use crate::sessions::service::SessionService;

/// Maximum bytes of one body.
pub const BODY_BYTES: usize = 256 * 1024;
/// Time for one body to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(10);
/// Bytes of all bodies. Separate from the webhook's memory, so that API calls cannot keep deliveries out.
const MEMORY: usize = 16 * 1024 * 1024;

/// The state of the API; clones share it.
pub type ApiState = Arc<SessionsState>;

pub struct SessionsState {
    pub sessions: SessionService,
    pub streams: EntryStreams,
    pub admin: AdminService,
    pub tokens: BearerTokens,
    /// Memory for request bodies.
    pub memory: MemoryBudget,
}

impl SessionsState {
    pub fn shared(
        sessions: SessionService,
        streams: EntryStreams,
        admin: AdminService,
        tokens: BearerTokens,
    ) -> ApiState {
        Arc::new(Self {
            sessions,
            streams,
            admin,
            tokens,
            memory: MemoryBudget::new(MEMORY),
        })
    }
}

impl FromRef<ApiState> for BearerTokens {
    fn from_ref(state: &ApiState) -> Self {
        state.tokens.clone()
    }
}
