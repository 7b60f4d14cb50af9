//! The registry of handlers: the workers' table of contents, in order of urgency.

use std::sync::Arc;
use std::time::Duration;

use super::{apply, fetch, full_event, quote_expiry, rematch};
use crate::avinode::client::avinode_client::{AvinodeClient, ClientBuildError};
use crate::avinode::client::config::{AvinodeSettings, Now};
use crate::clock::Clock;
use crate::domain::job_kind::JobKind;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::postgres::transaction::Pool;
use crate::queue::job::JobHandler;
use crate::queue::limit::pace::Limit;
use crate::queue::limiter::Limiter;
use crate::queue::rate_limited_worker::RateLimitedWorker;
use crate::queue::retry::RetryPolicy;

/// The fewest and the most keys that are fetched at once.
const AT_ONCE: (f64, f64) = (8.0, 64.0);

/// The worker that fetches: one a process, several resources at once.
///
/// # Errors
/// No client can be made of the settings.
pub fn fetching(
    pool: Pool,
    leases: Pool,
    avinode: &AvinodeSettings,
    policy: PrimaryQuotePolicy,
    clock: Clock,
) -> Result<RateLimitedWorker, ClientBuildError> {
    let limiter = Limiter {
        name: fetch::LIMITER,
        limit: Limit {
            per_second: avinode.calls_per_second,
            burst: avinode.burst,
        },
        caller: avinode.client.digest(),
        call_within: avinode.client.limits.total,
        ended: Arc::default(),
    };
    let handler = fetch::FetchHandler {
        applier: Arc::new(apply::JobApplier {
            pool: pool.clone(),
            policy,
            clock,
        }),
        client: AvinodeClient::new(&avinode.client, Now::new(move || clock.now()))?,
        limiter: limiter.clone(),
        settle: avinode.settle,
    };
    // Enough for calls of half a second, and some that hang.
    let at_once = (4.0 + avinode.calls_per_second / 2.0).clamp(AT_ONCE.0, AT_ONCE.1);
    Ok(RateLimitedWorker {
        pool,
        leases,
        limiter,
        handler: Arc::new(handler),
        at_once: (1..=64_u8)
            .find(|many| f64::from(*many) >= at_once)
            .map_or(64, usize::from),
        lease: Duration::from_secs(60),
        poll: Duration::from_secs(1),
        retry: RetryPolicy {
            // At up to a quarter of an hour each, two days: Avinode's own patience.
            max_attempts: 400,
            ..RetryPolicy::default()
        },
        bell: Arc::default(),
    })
}

/// All handlers, the most urgent first.
pub fn registry(pool: &Pool, policy: PrimaryQuotePolicy, clock: Clock) -> Vec<Arc<dyn JobHandler>> {
    let applier = Arc::new(apply::JobApplier {
        pool: pool.clone(),
        policy,
        clock,
    });
    vec![
        Arc::new(full_event::FullEventHandler {
            applier: applier.clone(),
            kind: JobKind::FullEvent,
            replayed: false,
        }),
        Arc::new(rematch::RematchHandler {
            applier: applier.clone(),
        }),
        Arc::new(quote_expiry::QuoteExpiryHandler {
            applier: applier.clone(),
        }),
        Arc::new(full_event::FullEventHandler {
            applier: applier.clone(),
            kind: JobKind::EventReplay,
            replayed: true,
        }),
        Arc::new(full_event::FullEventHandler {
            applier,
            kind: JobKind::UnknownFormat,
            replayed: false,
        }),
    ]
}
