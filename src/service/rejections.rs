//! Stores the sample of refused requests once a second, away from the requests. While the database does not answer, samples are lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::http::rejection_sample::{RejectionSample, SampledRejection};
use crate::postgres::transaction::Pool;
use crate::store::rejected_requests::{self, RejectedRequest};

const INTERVAL: Duration = Duration::from_secs(1);
/// The limit of a write.
const STATEMENT: Duration = Duration::from_secs(2);

/// Stores samples until the task is aborted. It holds the sample alone: the state of the handlers ends with the server.
pub(super) async fn run(pool: Pool, samples: Arc<RejectionSample>) {
    let pool = pool.statement_limit(STATEMENT);
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let sample: Vec<RejectedRequest> = samples.take().iter().map(request).collect();
        if sample.is_empty() {
            continue;
        }
        if let Err(error) = rejected_requests::record(&pool, &sample).await {
            let requests = sample.len();
            tracing::debug!(
                requests,
                "failed to store a sample of {requests} refused requests, it is lost: {error}"
            );
        }
    }
}

fn request(sampled: &SampledRejection) -> RejectedRequest {
    let SampledRejection {
        digest,
        at,
        reason,
        length,
        times,
    } = *sampled;
    RejectedRequest {
        digest,
        at,
        reason,
        body_bytes: length.map(|length| i32::try_from(length).unwrap_or(i32::MAX)),
        times,
    }
}
