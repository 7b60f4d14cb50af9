//! A session got a trip id, lost it, or had its primary quote written: match it with what is known of its trip.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::apply::{Applier, Content, Work};
use crate::queue::job::{Claimed, Handler, JobError};

/// Queued by the triggers on `chat_sessions` and by the sweep, with the session's id as key.
pub const KIND: &str = "rematch";

/// Matches sessions with their trips.
pub struct RematchJob {
    /// The common way to the sessions.
    pub applier: Arc<Applier>,
}

impl Handler for RematchJob {
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
                match job.key.as_deref().map(str::parse::<Uuid>) {
                    Some(Ok(session)) => works.push(Work {
                        job: job.clone(),
                        content: Content::Rematch { session },
                    }),
                    _ => unfinished.push((job.id, JobError::fail("its key is no session id"))),
                }
            }
            self.applier.apply(&works).await?;
            Ok(unfinished)
        }
        .boxed()
    }
}
