//! What the API's handlers share.

use std::sync::Arc;
use std::time::Duration;

use super::auth::Tokens;
use crate::http::memory_budget::MemoryBudget;
use crate::sessions::service::SessionService;

/// Bytes of one body.
pub const BODY_BYTES: usize = 256 * 1024;
/// Time for one body to come.
pub const BODY_TIME: Duration = Duration::from_secs(10);
/// Bytes of all bodies at once: apart from the webhook's, so that the API cannot keep deliveries out.
const MEMORY: usize = 16 * 1024 * 1024;

/// The state of the API; clones share it.
#[derive(Clone)]
pub struct ApiState(Arc<ApiStateInner>);

/// What [`ApiState`] holds.
pub struct ApiStateInner {
    /// The operations.
    pub sessions: SessionService,
    /// Who may call them.
    pub tokens: Tokens,
    /// The memory that bodies share.
    pub memory: MemoryBudget,
}

impl ApiState {
    /// The API on these sessions, for the bearers of these tokens.
    pub fn new(sessions: SessionService, tokens: Tokens) -> Self {
        Self(Arc::new(ApiStateInner {
            sessions,
            tokens,
            memory: MemoryBudget::new(MEMORY),
        }))
    }
}

impl std::ops::Deref for ApiState {
    type Target = ApiStateInner;

    fn deref(&self) -> &ApiStateInner {
        &self.0
    }
}
