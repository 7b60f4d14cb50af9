//! A worker that fetches from the stub, driven step by step, and the documents that it finds there.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use avinode_ingest::avinode::client::config::AvinodeSettings;
use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::fetch::leader::FetchLeader;
use avinode_ingest::jobs::fetch::status;
use avinode_ingest::jobs::registry;
use avinode_ingest::queue::handler::JobHandler;
use avinode_ingest::queue::leader::LeaderLease;
use avinode_ingest::queue::rate_limit::limiter::RateLimiter;
use avinode_ingest::queue::rate_limit::token_bucket::RateLimit;
use avinode_ingest::queue::retry::RetryPolicy;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::store::session_changes::SessionChanges;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::fake_avinode::FakeAvinode;
use crate::support::pool::Pool;

/// The message of most tests.
pub const MESSAGE: &str = "tripmsgs/asellermsg-1";

/// The present: notifications of long ago are not waited for.
#[expect(
    clippy::disallowed_methods,
    reason = "what is fetched is judged by the system's clock"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A rate limiter with a clock that a test moves on.
#[derive(Clone)]
pub struct TestLimiter {
    pub limiter: Arc<RateLimiter>,
    skipped: Arc<AtomicI64>,
}

impl TestLimiter {
    pub fn new(limit: RateLimit) -> Self {
        let skipped = Arc::new(AtomicI64::new(0));
        let later = skipped.clone();
        let time = move || now() + TimeDelta::seconds(later.load(Ordering::SeqCst));
        Self {
            limiter: RateLimiter::new(limit, "a digest".to_owned(), time),
            skipped,
        }
    }

    /// Moves the limiter's clock by an hour, past every pause.
    pub fn let_pass(&self) {
        self.let_pass_for(3600);
    }

    /// Moves the limiter's clock by this many seconds.
    pub fn let_pass_for(&self, seconds: i64) {
        self.skipped.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// A lease that does not run out within a test.
pub async fn lease(pool: &Pool, name: &'static str) -> LeaderLease {
    let lease = LeaderLease {
        pool: pool.service(),
        name: name.into(),
        holder: "a test".to_owned(),
    };
    let held = lease.hold(Duration::from_secs(3600), None).await;
    assert!(held.unwrap().is_some());
    lease
}

/// The settings for an API that does not lag: nothing is fetched a second time.
pub fn punctual(settings: AvinodeSettings) -> AvinodeSettings {
    AvinodeSettings {
        api_lag: Duration::from_millis(1),
        ..settings
    }
}

/// A worker that fetches as the leader does, with a rate limit of its own.
#[derive(Clone)]
pub struct Fetching {
    pub worker: Arc<Worker>,
    pub handler: Arc<dyn JobHandler>,
    pub limiter: TestLimiter,
}

impl Deref for Fetching {
    type Target = Worker;

    fn deref(&self) -> &Worker {
        &self.worker
    }
}

/// A process that can fetch, which retries within moments.
pub fn leader_with(pool: &Pool, avinode: &AvinodeSettings) -> FetchLeader {
    let service = pool.service();
    let (policy, clock) = (PrimaryQuotePolicy::Latest, Clock::System);
    let leader = registry::fetch_leader(
        service.clone(),
        service,
        avinode,
        policy,
        clock,
        &SessionChanges::default(),
    )
    .unwrap();
    FetchLeader {
        poll: Duration::from_millis(20),
        retry: RetryPolicy {
            base: Duration::from_millis(5),
            max: Duration::from_millis(50),
            ..leader.retry
        },
        ..leader
    }
}

pub async fn fetching_worker(pool: &Pool, avinode: &AvinodeSettings) -> Fetching {
    let leader = leader_with(pool, avinode);
    let limiter = TestLimiter::new(leader.limit);
    let lease = lease(pool, status::LEASE).await;
    Fetching {
        worker: Arc::new(leader.worker(lease, limiter.limiter.clone())),
        handler: leader.handler,
        limiter,
    }
}

/// Serves what is due, and what comes back within moments, debounced notifications included. Second fetches, due in some
/// seconds, are left.
pub async fn fetch_until_idle(worker: &Worker) {
    eventually(PATIENCE, "nothing is due to be fetched soon", async || {
        while worker.step("w").await.unwrap().batches > 0 {}
        let left: i64 = {
            let mut tx = worker.pool.begin().await.unwrap();
            sqlx::query_scalar(
                "SELECT count(*) FROM avinode_ingest.jobs
                 WHERE kind IN ('fetch_notified', 'fetch_follow_up', 'reconcile', 'fetch_speculative')
                    AND due_at < clock_timestamp()
                        + CASE kind WHEN 'fetch_notified' THEN interval '4 seconds' ELSE interval '1 second' END",
            )
            .fetch_one(&mut tx)
            .await
            .unwrap()
        };
        equal(left, 0)
    })
    .await;
}

/// Steps until the stub has been called so often.
pub async fn step_until_called(worker: &Worker, stub: &FakeAvinode, times: usize) {
    eventually(PATIENCE, "the stub is called so often", async || {
        if stub.calls().len() < times {
            worker.step("w").await.unwrap();
        }
        at_least(stub.calls().len(), times)
    })
    .await;
}

/// Steps until a resource was asked for so often, whatever else is due meanwhile.
pub async fn step_until_asked_for(worker: &Worker, stub: &FakeAvinode, resource: &str, times: usize) {
    eventually(PATIENCE, "the resource is asked for so often", async || {
        if stub.count(resource) < times {
            worker.step("w").await.unwrap();
        }
        at_least(stub.count(resource), times)
    })
    .await;
}

/// Stores notifications as received now.
pub async fn notify(pool: &Pool, bodies: &[Value]) -> Vec<Uuid> {
    store_deliveries(pool, bodies, now()).await
}

/// Makes every waiting job due, as if more than the API lag had passed.
pub async fn make_due(pool: &Pool) {
    for statement in [
        "UPDATE avinode_ingest.jobs SET due_at = clock_timestamp(), created_at = created_at - interval '5 seconds'
         WHERE lease_token IS NULL",
        "UPDATE avinode_ingest.documents SET requested_at = requested_at - interval '5 seconds'",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

/// Moves all fetches a minute into the past.
pub async fn backdate_documents(pool: &Pool) {
    sqlx::query("UPDATE avinode_ingest.documents SET requested_at = requested_at - interval '1 minute'")
        .execute(pool)
        .await
        .unwrap();
}

/// A seller's message with a quote; the same quote again is its new price.
pub fn quoted(message: &str, quote: &str, rfq: Option<&str>, price: u32) -> Value {
    let mut data = json!({
        "id": message,
        "sellerQuote": {
            "id": quote,
            "createdOn": "2026-01-31T10:00:00Z",
            "sellerPrice": {"price": price, "currency": "USD"},
        },
    });
    if let Some(rfq) = rfq {
        data["links"] = json!({"rfqs": [{"id": rfq}]});
    }
    data
}

/// An RFQ of a trip, unanswered.
pub fn rfq(id: &str, trip: &str) -> Value {
    json!({"id": id, "tripId": trip, "sellerCompany": {"id": "company-1", "name": "Northwind Jets"}, "sellerLift": []})
}

/// Finished jobs: outcome and detail, in order of the jobs.
pub async fn outcomes(pool: &Pool) -> Vec<(String, String)> {
    sqlx::query_as("SELECT outcome, coalesce(detail, '') FROM avinode_ingest.outcomes ORDER BY job_id")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// Live jobs of the kinds that are fetched: kind, attempts, whether due, last failure.
pub async fn live(pool: &Pool) -> Vec<(String, i32, bool, Option<String>)> {
    sqlx::query_as(
        "SELECT kind, attempts, due_at <= clock_timestamp(), history[cardinality(history)]
         FROM avinode_ingest.jobs WHERE kind IN ('fetch_notified', 'fetch_follow_up', 'reconcile', 'fetch_speculative') ORDER BY id",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The same of one resource.
pub async fn live_of(pool: &Pool, key: &str) -> Vec<(String, i32, bool, Option<String>)> {
    sqlx::query_as(
        "SELECT kind, attempts, due_at <= clock_timestamp(), history[cardinality(history)]
         FROM avinode_ingest.jobs WHERE key = $1 ORDER BY id",
    )
    .bind(key)
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The price that facts know of a quote.
pub async fn price(pool: &Pool, quote: &str) -> Option<String> {
    sqlx::query_scalar("SELECT amount::text FROM avinode_ingest.quote_facts WHERE quote_id = $1")
        .bind(quote)
        .fetch_optional(pool)
        .await
        .unwrap()
        .flatten()
}
