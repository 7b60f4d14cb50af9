//! Dead jobs, grouped by their kind and the class of their reason.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alerts::dead_reason;
use crate::postgres::transaction::Pool;
use crate::queue::dead_jobs::{self, DeadJobs, GROUPED};

/// Dead jobs of a kind whose reasons have the same fixed words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterGroup {
    pub kind: String,
    /// The first words of the reasons; a word with a digit is `#`.
    pub reason: String,
    pub jobs: i64,
    pub oldest_at: DateTime<Utc>,
    pub newest_at: DateTime<Utc>,
    /// One of these jobs, as an example.
    pub example_job: i64,
}

impl DeadLetterGroup {
    /// The longest run of fixed words in the class of the reason: a filter by this text selects the jobs of the group, and those of other
    /// groups of the kind that have the same words. `None` if there are none.
    pub fn selecting_words(&self) -> Option<&str> {
        if self.reason == dead_reason::OTHER {
            return None;
        }
        let runs = self.reason.split('#').map(str::trim).filter(|run| !run.is_empty());
        runs.max_by_key(|run| run.len())
    }
}

/// The groups, the largest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetters {
    pub data: Vec<DeadLetterGroup>,
    /// False if there are more dead jobs than the newest ten thousand, which are grouped.
    pub is_complete: bool,
}

pub async fn read(pool: &Pool) -> Result<DeadLetters, sqlx::Error> {
    Ok(group(dead_jobs::groups(pool).await?))
}

fn group(dead: Vec<DeadJobs>) -> DeadLetters {
    let is_complete = dead.iter().map(|jobs| jobs.jobs).sum::<i64>() < GROUPED;
    let mut groups: BTreeMap<(String, String), DeadLetterGroup> = BTreeMap::new();
    for jobs in dead {
        let reason = dead_reason::class(&jobs.reason);
        groups
            .entry((jobs.kind.clone(), reason.clone()))
            .and_modify(|group| {
                group.jobs += jobs.jobs;
                group.oldest_at = group.oldest_at.min(jobs.oldest_at);
                group.newest_at = group.newest_at.max(jobs.newest_at);
                group.example_job = group.example_job.max(jobs.last_job);
            })
            .or_insert_with(|| DeadLetterGroup {
                kind: jobs.kind,
                reason,
                jobs: jobs.jobs,
                oldest_at: jobs.oldest_at,
                newest_at: jobs.newest_at,
                example_job: jobs.last_job,
            });
    }
    let mut data: Vec<DeadLetterGroup> = groups.into_values().collect();
    data.sort_by_key(|group| std::cmp::Reverse(group.jobs));
    DeadLetters { data, is_complete }
}

#[cfg(test)]
mod tests;
