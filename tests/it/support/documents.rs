//! Applies documents without fetching them: the key of a job contains the content of its document.

use std::sync::Arc;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::event::{
    Event, EventKind, FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails,
};
use avinode_ingest::domain::ids::{QuoteId, TripId};
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::domain::trip::Provenance;
use avinode_ingest::jobs::apply::JobApplier;
use avinode_ingest::jobs::registry;
use avinode_ingest::jobs::work::JobPayload;
use avinode_ingest::queue::claim_by_kind::KindHandler;
use avinode_ingest::queue::enqueue::{self, InsertOptions, NewJob};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::store::session_changes::SessionChanges;
use chrono::Duration;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::bodies::base;
use super::pool::Pool;
use super::worker::worker_with_handlers;

/// A kind that the workers of `registry` do not serve.
const KIND: JobKind = JobKind::FetchFollowUp;

/// A worker that also applies documents.
pub fn worker_with_documents(pool: &Pool, policy: PrimaryQuotePolicy, clock: Clock) -> Arc<Worker> {
    let applier = Arc::new(JobApplier {
        pool: pool.service(),
        policy,
        clock,
        changes: SessionChanges::default(),
    });
    let mut handlers = registry::handlers(pool, policy, clock, &SessionChanges::default());
    handlers.push(KindHandler {
        kind: KIND,
        batch_size: 4,
        handler: Arc::new(DocumentHandler { applier }),
    });
    worker_with_handlers(pool, handlers)
}

/// Enqueues documents, each of which shows these ids of one trip.
pub async fn enqueue_merges(pool: &Pool, documents: &[&[&str]]) {
    let keys = documents.iter().map(|trips| trips.join(" "));
    enqueue(pool, keys.collect()).await;
}

/// Enqueues a document with the ids of a trip and a quote, fetched `seconds` after `base()`.
pub async fn enqueue_quote(pool: &Pool, trips: &[&str], quote: &str, seconds: i64) {
    enqueue(pool, vec![format!("{}\t{quote}\t{seconds}", trips.join(" "))]).await;
}

async fn enqueue(pool: &Pool, keys: Vec<String>) {
    let jobs: Vec<NewJob> = keys.into_iter().map(|key| NewJob::new(KIND, key)).collect();
    let mut tx = pool.begin().await.unwrap();
    enqueue::insert(&mut tx, &jobs, InsertOptions::default()).await.unwrap();
    tx.commit().await.unwrap();
}

struct DocumentHandler {
    applier: Arc<JobApplier>,
}

impl JobHandler for DocumentHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        self.applier.apply_keys(&batch.jobs, read, "invalid job key").boxed()
    }
}

fn read(key: &str) -> Option<JobPayload> {
    let mut parts = key.split('\t');
    let trips: Vec<TripId> = parts
        .next()?
        .split(' ')
        .map(|trip| TripId::parse(trip).unwrap())
        .collect();
    let mut events = Vec::new();
    if let (Some(quote), Some(seconds)) = (parts.next(), parts.next()) {
        let at = base() + Duration::seconds(seconds.parse().unwrap());
        events.push(Event {
            trip: trips[0].clone(),
            at: Some(at),
            version: FactVersion {
                at: Some(at),
                seen_at: at,
                source: FactSource::Document,
                digest: [7; 32],
            },
            kind: EventKind::QuoteReceived(QuoteDetails {
                quote: QuoteId::parse(quote).unwrap(),
                rfq: None,
                price: Some(Money {
                    amount: 20_000.into(),
                    currency: "USD".to_owned(),
                }),
                unread_price: None,
                operator: Party::default(),
                aircraft_type: None,
                aircraft_tail: None,
                valid_until: None,
                created_at: None,
                description: QuoteDescription::default(),
            }),
        });
    }
    Some(JobPayload::Events {
        delivery: None,
        key: None,
        event_id: None,
        source: format!("trips/{}", trips[0]),
        same_trip: trips,
        events,
        provenance: Provenance::Notified(base()),
        follow_ups: Vec::new(),
        unread: Vec::new(),
    })
}
