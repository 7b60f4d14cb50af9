//! State of the console's handlers.

use std::fmt;
use std::sync::Arc;

use hyper::header::HeaderName;
use rand::RngExt;
use tokio::sync::Semaphore;

use crate::admin::check::migrations::CheckSettings;
use crate::clock::Clock;
use crate::domain::api_scope::ApiScope;
use crate::http::client_address::TrustedProxies;
use crate::http::v1::state::ApiState;

/// Streams of events for pages. Fewer than the admin listener has connections, which answers health checks as well.
const STREAMS: usize = 48;

/// The state of the console; clones share it.
pub type ConsoleState = Arc<Console>;

pub struct Console {
    /// The operations, and the tokens.
    pub api: ApiState,
    pub proxies: TrustedProxies,
    pub user_header: Option<UserHeader>,
    pub checks: CheckSettings,
    /// The key of the forms of users whom a proxy names, who have no token.
    pub form_key: [u8; 32],
    pub streams: Arc<Semaphore>,
    pub clock: Clock,
}

/// The header in which an authenticating proxy names the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserHeader {
    pub name: HeaderName,
    /// The scope of these users.
    pub scope: ApiScope,
}

impl Console {
    pub fn shared(
        api: ApiState,
        proxies: TrustedProxies,
        user_header: Option<UserHeader>,
        checks: CheckSettings,
        clock: Clock,
    ) -> ConsoleState {
        Arc::new(Self {
            api,
            proxies,
            user_header,
            checks,
            form_key: rand::rng().random(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            clock,
        })
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}
