//! The summary: one look at the queue, receiving and fetching. None of its queries reads more than the live jobs, ten thousand dead jobs
//! and a hundred thousand index entries of deliveries.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::dead_letters::{self, DeadLetters};
use super::fetching::{self, FetchingStatus};
use crate::alerts::dead_reason;
use crate::clock::Clock;
use crate::postgres::transaction::Pool;
use crate::queue::census;
use crate::queue::job_state::JobState;
use crate::store::deliveries;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Summary)]
pub struct OperatorSummary {
    pub at: DateTime<Utc>,
    /// Jobs by kind and state.
    pub jobs: Vec<JobCount>,
    /// Failures of retryable jobs, by the class of the last one, of at most ten thousand jobs.
    pub failures: Vec<FailureCount>,
    pub dead_letters: DeadLetters,
    /// Null if no job is due.
    pub oldest_due_job: Option<OldestDue>,
    pub received: ReceiveCounts,
    pub fetching: FetchingStatus,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobCount {
    pub kind: String,
    /// `available`, `running`, `scheduled`, `retryable` or `dead`.
    pub state: String,
    pub jobs: i64,
    /// The earliest time at which one of them is due, or died. Of a running job it is the end of its lease.
    pub oldest_due_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailureCount {
    pub kind: String,
    /// The first words of the failures; a word with a digit is `#`.
    pub reason: String,
    pub jobs: i64,
}

/// The job that has been due for the longest time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OldestDueJob)]
pub struct OldestDue {
    pub id: i64,
    pub kind: String,
    pub due_at: DateTime<Utc>,
    pub age_seconds: i64,
}

/// Deliveries received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiveCounts {
    pub last_minute: i64,
    pub last_hour: i64,
    /// False if a count reached a hundred thousand, where counting ends.
    pub is_exact: bool,
    /// Null if no delivery is stored.
    pub last_received_at: Option<DateTime<Utc>>,
}

pub async fn read(pool: &Pool) -> Result<OperatorSummary, sqlx::Error> {
    let now = Clock::System.now();
    let live = census::read(pool).await?.into_iter().map(|it| JobCount {
        kind: it.kind,
        state: it.state,
        jobs: it.jobs,
        oldest_due_at: it.oldest_due_at,
    });
    let dead = census::read_dead(pool).await?.into_iter().map(|it| JobCount {
        kind: it.kind,
        state: JobState::Dead.as_str().to_owned(),
        jobs: it.jobs,
        oldest_due_at: it.oldest_at,
    });
    let mut jobs: Vec<JobCount> = live.chain(dead).collect();
    jobs.sort_by(|a, b| (&a.kind, &a.state).cmp(&(&b.kind, &b.state)));
    let (last_minute, last_hour) = (
        deliveries::count_since(pool, now - TimeDelta::minutes(1)).await?,
        deliveries::count_since(pool, now - TimeDelta::hours(1)).await?,
    );
    Ok(OperatorSummary {
        at: now,
        jobs,
        failures: failures(pool).await?,
        dead_letters: dead_letters::read(pool).await?,
        oldest_due_job: census::oldest_due(pool).await?.map(|job| OldestDue {
            id: job.id,
            kind: job.kind,
            due_at: job.due_at,
            age_seconds: (job.now - job.due_at).num_seconds(),
        }),
        received: ReceiveCounts {
            last_minute,
            last_hour,
            is_exact: last_hour.max(last_minute) < deliveries::COUNTED,
            last_received_at: deliveries::newest(pool).await?,
        },
        fetching: fetching::read(pool).await?,
    })
}

async fn failures(pool: &Pool) -> Result<Vec<FailureCount>, sqlx::Error> {
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for failed in census::failures(pool).await? {
        let class = dead_reason::class(&failed.reason);
        *counts.entry((failed.kind, class)).or_default() += failed.jobs;
    }
    let counts = counts.into_iter();
    Ok(counts
        .map(|((kind, reason), jobs)| FailureCount { kind, reason, jobs })
        .collect())
}
