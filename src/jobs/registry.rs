//! The handlers of all kinds of jobs: the workers' table of contents, the most urgent kind first.

use std::sync::Arc;

use super::apply::JobApplier;
use super::fetch::download::Downloader;
use super::fetch::handler::FetchHandler;
use super::fetch::leader::FetchLeader;
use super::full_event::FullEventHandler;
use super::notify_session::NotifySessionHandler;
use super::quote_expiry::QuoteExpiryHandler;
use super::rematch::RematchHandler;
use super::traced::traced;
use crate::avinode::client::avinode_client::{AvinodeClient, ClientBuildError};
use crate::avinode::client::config::AvinodeSettings;
use crate::clock::Clock;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::notify::sender::NotifySender;
use crate::postgres::transaction::Pool;
use crate::queue::claim_by_kind::KindHandler;
use crate::queue::handler::JobHandler;
use crate::queue::job_kind::JobKind;
use crate::queue::rate_limit::token_bucket::RateLimit;
use crate::queue::retry::RetryPolicy;
use crate::queue::worker::Worker;
use crate::store::session_changes::SessionChanges;

/// Attempts to fetch a resource. At up to 15 minutes each they take two days, as long as Avinode's own retries.
pub const FETCH_ATTEMPTS: i32 = 400;

/// The most events of one claim. With a backlog, a trip's events share what is read and locked of the trip.
const EVENTS: i64 = 512;

/// The handlers of the jobs that need only the database.
pub fn handlers(pool: &Pool, policy: PrimaryQuotePolicy, clock: Clock, changes: &SessionChanges) -> Vec<KindHandler> {
    let applier = Arc::new(JobApplier {
        pool: pool.clone(),
        policy,
        clock,
        changes: changes.clone(),
    });
    let events = |replay| -> Arc<dyn JobHandler> {
        let applier = applier.clone();
        Arc::new(FullEventHandler { applier, replay })
    };
    let all: [(JobKind, i64, Arc<dyn JobHandler>); 5] = [
        (JobKind::FullEvent, EVENTS, events(false)),
        (JobKind::Rematch, 256, Arc::new(RematchHandler(applier.clone()))),
        (JobKind::QuoteExpiry, 256, Arc::new(QuoteExpiryHandler(applier.clone()))),
        (JobKind::EventReplay, EVENTS, events(true)),
        (JobKind::UnknownFormat, 64, events(false)),
    ];
    all.into_iter()
        .map(|(kind, batch_size, handler)| KindHandler {
            kind,
            batch_size,
            handler: traced(pool, handler),
        })
        .collect()
}

/// The handler of the jobs that send webhooks. One job at a time: each is a call of its own.
pub fn webhook_handlers(pool: &Pool, sender: NotifySender, clock: Clock) -> Vec<KindHandler> {
    vec![KindHandler {
        kind: JobKind::NotifySession,
        batch_size: 1,
        handler: traced(
            pool,
            Arc::new(NotifySessionHandler {
                pool: pool.clone(),
                sender,
                clock,
            }),
        ),
    }]
}

/// The handler of the jobs that need Avinode's API, and the leader that runs it. `leases` renews the leases of jobs.
///
/// # Errors
/// The settings make no client.
pub fn fetch_leader(
    pool: Pool,
    leases: Pool,
    avinode: &AvinodeSettings,
    policy: PrimaryQuotePolicy,
    clock: Clock,
    changes: &SessionChanges,
) -> Result<FetchLeader, ClientBuildError> {
    let applier = Arc::new(JobApplier {
        pool: pool.clone(),
        policy,
        clock,
        changes: changes.clone(),
    });
    let downloader = Downloader {
        pool: pool.clone(),
        client: AvinodeClient::new(&avinode.client, clock)?,
        clock,
        api_lag: avinode.api_lag,
    };
    Ok(FetchLeader {
        leader_leases: pool.sibling(1),
        handler: traced(&pool, Arc::new(FetchHandler { applier, downloader })),
        pool,
        leases,
        limit: RateLimit {
            per_second: avinode.calls_per_second,
            burst: avinode.burst,
        },
        credentials: avinode.client.digest(),
        call_timeout: avinode.client.limits.total,
        lease: Worker::DEFAULT_LEASE,
        poll: Worker::DEFAULT_POLL,
        retry: RetryPolicy {
            max_attempts: FETCH_ATTEMPTS,
            ..RetryPolicy::default()
        },
        wake: Arc::default(),
    })
}
