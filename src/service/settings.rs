//! Settings of a process. Their defaults are those of the command line.

use std::sync::Arc;
use std::time::Duration;

use crate::admin::check::migrations::CheckSettings;
use crate::alerts::settings::AlertSettings;
use crate::avinode::client::config::AvinodeSettings;
use crate::clock::Clock;
use crate::config::serve::ServeArgs;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::http::client_address::TrustedProxies;
use crate::http::console::state::UserHeader;
use crate::http::limits::{ServerLimits, WebhookLimits};
use crate::http::metrics::MetricsRenderer;
use crate::http::v1::auth::BearerTokens;
use crate::jobs::retention::RetentionConfig;
use crate::notify::target::NotifyTarget;
use crate::queue::retry::RetryPolicy;

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
    /// Paths that receive deliveries.
    pub webhook_paths: Vec<String>,
    pub webhook: WebhookLimits,
    pub server: ServerLimits,
    /// The limit for work in flight at the end.
    pub drain: Duration,
    /// The time between "not ready" and the end of accepting.
    pub drain_delay: Duration,
    pub retention: RetentionConfig,
    pub api: ApiSettings,
    /// Without it thin notifications wait.
    pub avinode: Option<AvinodeSettings>,
    /// The receiver of webhooks about changed sessions.
    pub notify: Option<Arc<NotifyTarget>>,
    pub clock: Clock,
    /// The header in which an authenticating proxy names the user of the console.
    pub console_user: Option<UserHeader>,
    /// Renders the metrics of the process, which the admin listener shows.
    pub metrics: Option<MetricsRenderer>,
    /// Sends alerts, if there is a channel for them.
    pub alerts: Option<AlertSettings>,
    /// Sends messages to the service manager that started the process.
    pub notifies_manager: bool,
}

#[derive(Debug, Clone)]
pub struct ApiSettings {
    pub tokens: BearerTokens,
    /// Connections of its own: the load of the API starves neither receiver nor workers.
    pub connections: u32,
    /// Streams of events that may be open at the same time.
    pub streams: usize,
}

impl ServiceSettings {
    /// The process runs, so the schema is current and the application's tables are there.
    pub fn checks(&self) -> CheckSettings {
        CheckSettings {
            migrates: false,
            standalone_sessions: false,
            delivery_retention: self.retention.deliveries,
        }
    }
}

impl Default for ServiceSettings {
    /// Those of an empty command line.
    fn default() -> Self {
        Self::from(&ServeArgs::default())
    }
}

impl From<&ServeArgs> for ServiceSettings {
    /// Takes what needs no check: API tokens, the pooler, the client of Avinode, the receiver of webhooks and alerts are to be added.
    fn from(args: &ServeArgs) -> Self {
        let connections = args.http_max_connections;
        let proxies = TrustedProxies::new(&args.http.trusted_proxies);
        Self {
            receives: args.role.receives(),
            workers: if args.role.works() { args.workers } else { 0 },
            policy: args.primary_quote_policy,
            lease: args.lease_duration,
            poll: args.poll_interval,
            listens: true,
            retry: RetryPolicy {
                base: args.retry_base_delay,
                max: args.retry_max_delay,
                max_attempts: i32::try_from(args.max_attempts).unwrap_or(i32::MAX),
                ..RetryPolicy::default()
            },
            receive_queue: args.receive_queue_capacity,
            webhook_paths: args.paths.webhook_paths.clone(),
            webhook: WebhookLimits {
                body: args.body_limit,
                body_time: args.body_timeout,
                memory: args.memory_budget,
                bodies_per_client: args
                    .http
                    .unfinished_bodies_per_client
                    .unwrap_or((connections * 3 / 4).max(1)),
                proxies: proxies.clone(),
            },
            server: ServerLimits {
                connections,
                connections_per_peer: args
                    .http
                    .http_max_connections_per_peer
                    .unwrap_or(connections - connections / 64),
                proxies,
                idle_time: args.http.http_idle_timeout,
                ..ServerLimits::default()
            },
            drain: args.shutdown_timeout,
            drain_delay: args.http.drain_delay,
            retention: RetentionConfig {
                deliveries: args.retention.delivery_retention,
                event_keys: args.retention.event_key_retention,
                outcomes: args.retention.outcome_retention,
                dead_jobs: args.retention.dead_job_retention,
                documents: args.retention.document_retention,
                timeline: args.retention.timeline_retention,
                facts: args.retention.fact_retention,
                audit: args.retention.audit_retention,
            },
            api: ApiSettings {
                tokens: BearerTokens::default(),
                connections: args.api_database_max_connections,
                streams: args.events.event_streams,
            },
            avinode: None,
            notify: None,
            clock: Clock::System,
            console_user: args.console.console_user_header.clone().map(|name| UserHeader {
                name,
                scope: args.console.console_user_scope,
            }),
            metrics: None,
            alerts: None,
            notifies_manager: false,
        }
    }
}

#[cfg(test)]
mod tests;
