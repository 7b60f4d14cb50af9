//! A quote's `validUntil` passes: the primary quote is elected anew without it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::apply::{Applier, Content, Work};
use crate::domain::id::QuoteId;
use crate::queue::job::{Claimed, Handler, JobError};
use crate::queue::store::NewJob;

/// Queued with a quote's fact, due when it expires. A later fact that moves `validUntil` queues another; this one then
/// finds that nothing has expired and changes nothing.
pub const KIND: &str = "expire";

/// The key of an expiry: trip and quote, apart by a tab, which no id holds.
fn key(trip: &str, quote: &QuoteId) -> String {
    format!("{trip}\t{quote}")
}

/// The job for the moment at which a quote expires.
pub fn job(trip: &str, quote: &QuoteId, due: DateTime<Utc>) -> NewJob {
    NewJob {
        kind: KIND,
        key: Some(key(trip, quote)),
        delivery_id: None,
        due_at: Some(due),
    }
}

/// Elects anew where quotes have expired.
pub struct ExpireJob {
    /// The common way to the sessions.
    pub applier: Arc<Applier>,
}

impl Handler for ExpireJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn batch_size(&self) -> i64 {
        256
    }

    fn perform<'a>(&'a self, jobs: &'a [Claimed]) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>> {
        async move {
            let mut unfinished = Vec::new();
            let mut works = Vec::with_capacity(jobs.len());
            for job in jobs {
                let parts = job.key.as_deref().and_then(|key| key.split_once('\t'));
                match parts.and_then(|(trip, quote)| Some((trip.to_owned(), QuoteId::parse(quote).ok()?))) {
                    Some((trip, quote)) => {
                        works.push(Work {
                            job: job.clone(),
                            content: Content::Expire { trip, quote },
                        });
                    }
                    None => unfinished.push((job.id, JobError::fail("its key is no trip and quote"))),
                }
            }
            self.applier.apply(&works).await?;
            Ok(unfinished)
        }
        .boxed()
    }
}
