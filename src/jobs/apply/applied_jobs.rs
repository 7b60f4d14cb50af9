//! The metrics of applied jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use metrics::{counter, histogram};

use crate::jobs::work::ClaimedWork;
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::JobOutcome;

/// Records the jobs of a transaction that was committed after this time.
pub(super) fn measure(works: &[&ClaimedWork], outcomes: &[JobOutcome], applied_in: Duration) {
    histogram!("avinode_ingest_apply_jobs").record(u32::try_from(works.len()).unwrap_or(u32::MAX));
    let kinds: BTreeMap<i64, JobKind> = works.iter().map(|work| (work.job.id, work.job.kind)).collect();
    let mut finished: BTreeMap<(JobKind, &'static str), u64> = BTreeMap::new();
    for outcome in outcomes {
        if let Some(kind) = kinds.get(&outcome.job) {
            *finished.entry((*kind, outcome.outcome)).or_default() += 1;
        }
    }
    for ((kind, outcome), jobs) in finished {
        counter!("avinode_ingest_jobs_finished_total", "kind" => kind.as_str(), "outcome" => outcome).increment(jobs);
    }
    let waits = histogram!("avinode_ingest_delivery_to_session_seconds");
    for work in works.iter().filter(|work| work.job.delivery_id.is_some()) {
        // By the database's clock until the claim; the wait in this process before the transaction is left out.
        let waited = (work.job.claimed_at - work.job.created_at).max(TimeDelta::zero());
        waits.record(waited.to_std().unwrap_or_default() + applied_in);
    }
}
