//! Settles the jobs that a handler left unfinished: reschedules or dead-letters them, and says so in the log.

use std::ops::AddAssign;
use std::time::Duration;

use super::disposition::{JobDisposition, disposition};
use super::handler::{JobBatch, UnfinishedJobs};
use super::job::ClaimedJob;
use super::release::{self, RescheduledJob};
use super::retry::RetryPolicy;
use ingest_postgres::transaction::Pool;

/// Counts of unfinished jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettledJobs {
    pub rescheduled: u64,
    pub dead: u64,
}

impl AddAssign for SettledJobs {
    fn add_assign(&mut self, Self { rescheduled, dead }: Self) {
        self.rescheduled += rescheduled;
        self.dead += dead;
    }
}

pub async fn settle(
    pool: &Pool,
    batch: &JobBatch,
    unfinished: UnfinishedJobs,
    policy: &RetryPolicy,
) -> Result<SettledJobs, sqlx::Error> {
    let mut settled = SettledJobs::default();
    let mut rescheduled = Vec::new();
    let of_job = |(id, error)| Some((batch.jobs.iter().find(|job| job.id == id)?, error));
    let mut unfinished: Vec<_> = unfinished.into_iter().filter_map(of_job).collect();
    // Those with a delivery first: the others may share its dead letter.
    unfinished.sort_by_key(|(job, _)| job.delivery_id.is_none());
    for (job, error) in unfinished {
        match disposition(job, &error, policy) {
            JobDisposition::DeadLetter(reason) => settled.dead += dead_letter(pool, job, &reason).await?,
            JobDisposition::Reschedule(job) => rescheduled.push(job),
        }
    }
    log_failures(batch, &rescheduled);
    settled.rescheduled = release::reschedule(pool, &rescheduled).await?;
    Ok(settled)
}

/// Dead-letters the jobs that ran alone too often when their worker died.
pub async fn dead_letter_crashed(
    pool: &Pool,
    jobs: &[ClaimedJob],
    policy: &RetryPolicy,
) -> Result<SettledJobs, sqlx::Error> {
    let mut settled = SettledJobs::default();
    for job in jobs.iter().filter(|job| job.crashes >= policy.max_crashes) {
        let reason = format!("its worker died {} times while it ran isolated", job.crashes);
        settled.dead += dead_letter(pool, job, &reason).await?;
    }
    Ok(settled)
}

async fn dead_letter(pool: &Pool, job: &ClaimedJob, reason: &str) -> Result<u64, sqlx::Error> {
    let ClaimedJob { id, kind, attempts, .. } = job;
    tracing::warn!(
        job = id,
        kind = kind.as_str(),
        attempts,
        key = job.key,
        delivery = job.delivery_id.map(tracing::field::display),
        "dead-lettered job {id} ({kind}) after {}: {reason}",
        counted(u64::from(attempts.unsigned_abs()), "attempt"),
    );
    let died = release::dead_letter(pool, job, reason).await?;
    if died {
        metrics::counter!("avinode_ingest_jobs_died_total", "kind" => kind.as_str()).increment(1);
    }
    Ok(u64::from(died))
}

/// Logs the failures that count as attempts, of all jobs of a batch in one line.
fn log_failures(batch: &JobBatch, rescheduled: &[RescheduledJob]) {
    let failures: Vec<_> = rescheduled.iter().filter(|job| job.counts_attempt).collect();
    let Some(RescheduledJob { job, delay, note, .. }) = failures.first() else {
        return;
    };
    let (wait, reason) = (seconds(*delay), note.as_deref().unwrap_or_default());
    let (jobs, kind, attempts) = (failures.len(), job.kind, job.attempts);
    metrics::counter!("avinode_ingest_job_failures_total", "kind" => kind.as_str()).increment(jobs as u64);
    match (&batch.permit, &job.key) {
        (Some(_), Some(key)) => {
            tracing::warn!(
                key,
                jobs,
                attempts,
                "rescheduled {} for {key} in {wait}: {reason}",
                counted(jobs as u64, "job")
            );
        }
        _ => tracing::warn!(
            job = job.id,
            kind = kind.as_str(),
            jobs,
            attempts,
            "rescheduled job {} ({kind}) in {wait} after {}: {reason}",
            job.id,
            counted(u64::from(attempts.unsigned_abs()), "attempt")
        ),
    }
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// `12 s`, `0.3 s`.
fn seconds(span: Duration) -> String {
    match span.as_secs() {
        0..10 => format!("{:.1} s", span.as_secs_f64()),
        seconds => format!("{seconds} s"),
    }
}

/// The size of the parts of a failed batch: with its square root, one bad job costs the fewest batches. A small batch is redone job
/// by job.
pub fn part_size(jobs: usize) -> usize {
    match jobs {
        0..=8 => 1,
        _ => jobs.isqrt(),
    }
}
