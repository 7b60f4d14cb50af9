//! Service settings from those of the command line, whose defaults they share.

use super::{ApiSettings, ServiceSettings};
use crate::clock::Clock;
use crate::config::serve::ServeArgs;
use crate::http::limits::ServerLimits;
use crate::http::limits::WebhookLimits;
use crate::http::v1::auth::BearerTokens;
use crate::queue::retry::RetryPolicy;

impl Default for ServiceSettings {
    /// Those of an empty command line.
    fn default() -> Self {
        Self::from(&ServeArgs::default())
    }
}

impl From<&ServeArgs> for ServiceSettings {
    /// Takes what needs no check: API tokens, the pooler and the client of Avinode are to be added.
    fn from(args: &ServeArgs) -> Self {
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
            webhook: WebhookLimits {
                body: args.body_limit,
                body_time: args.body_timeout,
                memory: args.memory_budget,
                ..WebhookLimits::default()
            },
            server: ServerLimits {
                connections: args.http_max_connections,
                ..ServerLimits::default()
            },
            drain: args.shutdown_timeout,
            keep_outcomes: args.outcome_retention,
            api: ApiSettings {
                tokens: BearerTokens::default(),
                connections: args.api_database_max_connections,
            },
            avinode: None,
            clock: Clock::System,
        }
    }
}

#[cfg(test)]
mod tests;
