//! Retention: makes the partitions of deliveries ahead of time, and removes what is past its time, table by table.
//!
//! The work of one run is bounded by time. What is left is done in the next round, so that a table of years is cleaned without a
//! burst: a step deletes few rows, and the pause after it is as long as the step was.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::postgres::prune_step::PruneStep;
use crate::postgres::transaction::Pool;
use crate::queue::{dead_jobs, outcomes};
use crate::store::deliveries::partitions::{self, StepResult};
use crate::store::{audit, batches, deliveries, delivery_subjects, documents, event_keys, timeline, unused_facts};

/// The longest pause between two steps.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// The pause before a step that found a lock taken is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// The tries per run of a step that needs a lock; then it waits for the next run. With each of them deliveries may wait for a
/// millisecond longer.
const BUSY_TRIES: i32 = 30;

/// The longest time for which deliveries outlive their retention: they are dropped by the month.
const PARTITION: Duration = Duration::from_secs(31 * 86_400);

/// Rows of the audit log that one step deletes.
const AUDIT_ROWS_PER_STEP: i32 = 2_000;

/// The time for which each table keeps its rows.
#[derive(Debug, Clone, Copy)]
pub struct RetentionConfig {
    pub deliveries: Duration,
    pub event_keys: Duration,
    pub outcomes: Duration,
    pub dead_jobs: Duration,
    /// Bodies; the record that a resource was fetched is kept for the time of event keys.
    pub documents: Duration,
    pub timeline: Duration,
    /// Of trips without a session.
    pub facts: Duration,
    /// The audit log, batches, and the digests of redacted deliveries.
    pub audit: Duration,
}

/// The changes of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionReport {
    /// Partitions of deliveries that were made.
    pub made: Vec<String>,
    /// Partitions of deliveries that were dropped.
    pub dropped: Vec<String>,
    /// Expired partitions with deliveries that jobs need: the others were deleted one by one.
    pub needed: Vec<String>,
    /// Deliveries that were deleted one by one.
    pub deliveries: u64,
    pub event_keys: u64,
    pub outcomes: u64,
    pub dead_jobs: u64,
    pub documents: u64,
    pub timeline: u64,
    /// Trips that lost their facts.
    pub trips: u64,
    pub audit: u64,
    pub batches: u64,
    pub redactions: u64,
    /// Subjects of deliveries.
    pub subjects: u64,
    /// Work is left, because time was up or a lock was taken.
    pub is_unfinished: bool,
}

impl fmt::Display for RetentionReport {
    /// The changes, or nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.deliveries, "deliveries"),
            (self.event_keys, "event keys"),
            (self.outcomes, "outcomes"),
            (self.dead_jobs, "dead jobs"),
            (self.documents, "documents"),
            (self.timeline, "timeline entries"),
            (self.trips, "trips' facts"),
            (self.audit, "rows of the audit log"),
            (self.batches, "batches"),
            (self.redactions, "digests of redacted deliveries"),
            (self.subjects, "subjects of deliveries"),
        ];
        let mut parts: Vec<String> = [("made partition", &self.made), ("dropped partition", &self.dropped)]
            .into_iter()
            .flat_map(|(verb, names)| names.iter().map(move |name| format!("{verb} {name}")))
            .collect();
        let counted = counts.iter().filter(|(rows, _)| *rows > 0);
        parts.extend(counted.map(|(rows, what)| format!("deleted {rows} {what}")));
        f.write_str(&parts.join(", "))
    }
}

/// Runs for about `budget`, and logs the changes.
///
/// # Errors
/// The first error; the other tables were cleaned.
pub async fn run(pool: &Pool, config: &RetentionConfig, budget: Duration) -> Result<RetentionReport, sqlx::Error> {
    let run = Run {
        pool,
        deadline: Instant::now() + budget,
    };
    let mut report = RetentionReport::default();
    let results = [
        run.make_partitions(&mut report).await,
        // Before the deliveries that they need.
        run.prune(&mut report.dead_jobs, &mut report.is_unfinished, |from| {
            dead_jobs::prune(pool, config.dead_jobs, from)
        })
        .await,
        run.deliveries(config.deliveries, &mut report).await,
        run.prune(&mut report.outcomes, &mut report.is_unfinished, |from| {
            outcomes::prune(pool, config.outcomes, from)
        })
        .await,
        run.prune(&mut report.event_keys, &mut report.is_unfinished, |from| {
            event_keys::prune(pool, config.event_keys, from)
        })
        .await,
        run.prune(&mut report.documents, &mut report.is_unfinished, |from| {
            documents::prune(pool, config.documents, from)
        })
        .await,
        run.prune(&mut report.documents, &mut report.is_unfinished, |from| {
            documents::prune_records(pool, config.event_keys, from)
        })
        .await,
        run.prune(&mut report.timeline, &mut report.is_unfinished, |from| {
            timeline::prune(pool, config.timeline, from)
        })
        .await,
        run.prune(&mut report.redactions, &mut report.is_unfinished, |from| {
            deliveries::prune_redactions(pool, config.audit, from)
        })
        .await,
        run.prune(&mut report.subjects, &mut report.is_unfinished, |from| {
            delivery_subjects::prune(pool, config.deliveries + PARTITION, from)
        })
        .await,
        run.prune(&mut report.batches, &mut report.is_unfinished, |from| {
            batches::prune(pool, config.audit, from)
        })
        .await,
        run.audit(config.audit, &mut report).await,
        run.facts(config.facts, &mut report).await,
    ];
    let changes = report.to_string();
    if !changes.is_empty() {
        tracing::info!("retention: {changes}");
    }
    results.into_iter().collect::<Result<(), _>>().map(|()| report)
}

struct Run<'a> {
    pool: &'a Pool,
    deadline: Instant,
}

impl Run<'_> {
    async fn make_partitions(&self, report: &mut RetentionReport) -> Result<(), sqlx::Error> {
        loop {
            match partitions::make_next(self.pool).await? {
                StepResult::Done(Some(name)) => report.made.push(name),
                StepResult::Done(None) => return Ok(()),
                StepResult::Busy => {
                    report.is_unfinished = true;
                    return Ok(());
                }
            }
        }
    }

    async fn deliveries(&self, retention: Duration, report: &mut RetentionReport) -> Result<(), sqlx::Error> {
        let mut is_busy = false;
        for name in partitions::expired(self.pool, retention).await? {
            match self.drop_partition(&name, retention).await? {
                StepResult::Done(true) => report.dropped.push(name),
                StepResult::Done(false) => report.needed.push(name),
                StepResult::Busy => is_busy = true,
            }
        }
        report.is_unfinished |= is_busy;
        // Otherwise all rows of a partition would be deleted one by one because its lock was taken.
        if is_busy {
            return Ok(());
        }
        let mut after = Uuid::nil();
        loop {
            let began = Instant::now();
            let step = partitions::delete_single(self.pool, retention, after).await?;
            report.deliveries += step.deleted;
            let Some(last) = step.last else { return Ok(()) };
            after = last;
            if self.pause_after(began).await {
                report.is_unfinished = true;
                return Ok(());
            }
        }
    }

    async fn audit(&self, retention: Duration, report: &mut RetentionReport) -> Result<(), sqlx::Error> {
        loop {
            let began = Instant::now();
            let deleted = audit::prune(self.pool, retention, AUDIT_ROWS_PER_STEP).await?;
            report.audit += deleted;
            if deleted == 0 {
                return Ok(());
            }
            if self.pause_after(began).await {
                report.is_unfinished = true;
                return Ok(());
            }
        }
    }

    /// Trips are read in the order of their age, also those without facts: their ids are kept.
    async fn facts(&self, retention: Duration, report: &mut RetentionReport) -> Result<(), sqlx::Error> {
        let mut after = None;
        loop {
            let began = Instant::now();
            let step = unused_facts::step(self.pool, retention, after.as_ref()).await?;
            report.trips += step.deleted;
            after = step.last;
            if after.is_none() {
                return Ok(());
            }
            if self.pause_after(began).await {
                report.is_unfinished |= step.deleted > 0;
                return Ok(());
            }
        }
    }

    /// Empties and drops a partition. False: a job needs one of its deliveries.
    async fn drop_partition(&self, name: &str, retention: Duration) -> Result<StepResult<bool>, sqlx::Error> {
        let emptied = self.with_lock(|_| partitions::empty(self.pool, name, retention));
        match emptied.await? {
            StepResult::Done(true) => {
                self.with_lock(|max_wait_ms| partitions::remove(self.pool, name, retention, max_wait_ms))
                    .await
            }
            other => Ok(other),
        }
    }

    /// Tries a step, each time with a longer wait in milliseconds, until the lock that it needs is free.
    async fn with_lock<F: Future<Output = Result<StepResult<bool>, sqlx::Error>>>(
        &self,
        step: impl Fn(i32) -> F,
    ) -> Result<StepResult<bool>, sqlx::Error> {
        for max_wait_ms in 1..=BUSY_TRIES {
            let result = step(max_wait_ms).await?;
            if result != StepResult::Busy || Instant::now() >= self.deadline {
                return Ok(result);
            }
            sleep(BUSY_PAUSE).await;
        }
        Ok(StepResult::Busy)
    }

    /// Deletes old rows of one table, and counts them.
    async fn prune<F: Future<Output = Result<PruneStep, sqlx::Error>>>(
        &self,
        count: &mut u64,
        is_unfinished: &mut bool,
        step: impl Fn(Option<DateTime<Utc>>) -> F,
    ) -> Result<(), sqlx::Error> {
        let mut from = None;
        loop {
            let began = Instant::now();
            let pruned = step(from).await?;
            *count += pruned.rows.unsigned_abs();
            if pruned.is_last() {
                return Ok(());
            }
            from = pruned.until;
            if self.pause_after(began).await {
                *is_unfinished = true;
                return Ok(());
            }
        }
    }

    /// Pauses for as long as the step took. Returns true if time is up.
    async fn pause_after(&self, step_began: Instant) -> bool {
        sleep(step_began.elapsed().min(MAX_PAUSE)).await;
        Instant::now() >= self.deadline
    }
}
