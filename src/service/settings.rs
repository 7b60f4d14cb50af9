//! The settings of a process, and their defaults.

use std::time::Duration;

use crate::avinode::client::config::AvinodeSettings;
use crate::clock::Clock;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::http::server::ServerLimits;
use crate::http::state::WebhookLimits;
use crate::http::v1::auth::Tokens;
use crate::queue::retry::RetryPolicy;
use crate::queue::worker::Worker;

#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// Receives deliveries and serves the API.
    pub receives: bool,
    /// The number of workers; a process with none also fetches nothing.
    pub workers: usize,
    pub policy: PrimaryQuotePolicy,
    /// The length of a worker's claim.
    pub lease: Duration,
    /// An idle worker looks for jobs at this interval without being woken.
    pub poll: Duration,
    /// Uses LISTEN; off behind a transaction pooler.
    pub listens: bool,
    pub retry: RetryPolicy,
    /// Deliveries that may wait for the group commit.
    pub receive_queue: usize,
    pub webhook: WebhookLimits,
    pub server: ServerLimits,
    /// The limit for work in flight at the end.
    pub drain: Duration,
    pub outcome_retention: Duration,
    pub api: ApiSettings,
    /// Without it thin notifications wait.
    pub avinode: Option<AvinodeSettings>,
    pub clock: Clock,
}

#[derive(Debug, Clone)]
pub struct ApiSettings {
    pub tokens: Tokens,
    /// Connections of its own: the load of the API starves neither receiver nor workers.
    pub connections: u32,
}

impl ServiceSettings {
    pub const DEFAULT_WORKERS: usize = 2;
    pub const DEFAULT_RECEIVE_QUEUE: usize = 4096;
    pub const DEFAULT_DRAIN: Duration = Duration::from_secs(20);
    pub const DEFAULT_OUTCOME_RETENTION_DAYS: u32 = 90;
    pub const DEFAULT_API_CONNECTIONS: u32 = 4;
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            receives: true,
            workers: Self::DEFAULT_WORKERS,
            policy: PrimaryQuotePolicy::default(),
            lease: Worker::DEFAULT_LEASE,
            poll: Worker::DEFAULT_POLL,
            listens: true,
            retry: RetryPolicy::default(),
            receive_queue: Self::DEFAULT_RECEIVE_QUEUE,
            webhook: WebhookLimits::default(),
            server: ServerLimits::default(),
            drain: Self::DEFAULT_DRAIN,
            outcome_retention: Duration::from_secs(24 * 3600) * Self::DEFAULT_OUTCOME_RETENTION_DAYS,
            api: ApiSettings {
                tokens: Tokens::default(),
                connections: Self::DEFAULT_API_CONNECTIONS,
            },
            avinode: None,
            clock: Clock::System,
        }
    }
}
