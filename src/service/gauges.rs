//! Gauges of what the database holds, read at an interval and not at a scrape: scrapes cost the database nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics::{Label, gauge};
use strum::VariantArray;
use tokio::time::{MissedTickBehavior, interval};

use crate::domain::workflow::WorkflowStep;
use crate::ingest::memory_budget::MemoryBudget;
use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::job_kind::JobKind;
use crate::queue::rate_limit::status::{LimiterReport, LimiterStatus};
use crate::queue::{census, leader};
use crate::store::chat_sessions::aggregate;
use crate::store::deliveries;

const INTERVAL: Duration = Duration::from_secs(15);
/// Rounds between two counts of the sessions, which read the application's table: five minutes.
const SESSION_ROUNDS: u32 = 20;
/// The limit of a reading.
const STATEMENT: Duration = Duration::from_secs(5);
/// Every state of fetching, as the label has it.
const FETCHING_STATES: [&str; 5] = ["running", "paused", "breaker_open", "suspended", "unserved"];

/// Reads the gauges until the task is aborted. `memory`: the bytes of bodies and their limit, in a process that receives.
pub(super) async fn run(pool: Pool, memory: Option<(MemoryBudget, usize)>) {
    let pool = pool.sibling(1).statement_limit(STATEMENT);
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut series = Series::default();
    for round in 0_u32.. {
        ticks.tick().await;
        if let Some((memory, limit)) = &memory {
            gauge!("avinode_ingest_receive_memory_limit_bytes").set(number(*limit));
            gauge!("avinode_ingest_receive_memory_bytes").set(number(limit.saturating_sub(memory.free())));
        }
        series.read(&pool, round.is_multiple_of(SESSION_ROUNDS)).await;
    }
}

/// The series with labels that were set: one that is no longer there becomes 0.
#[derive(Default)]
struct Series(BTreeSet<(&'static str, Vec<(&'static str, String)>)>);

impl Series {
    /// Reads each gauge on its own: an error in one leaves the others current.
    async fn read(&mut self, pool: &Pool, sessions: bool) {
        let mut readings = vec![last_delivery(pool).await, last_runs(pool).await, fetching(pool).await];
        readings.push(self.live_jobs(pool).await);
        readings.push(self.dead_jobs(pool).await);
        if sessions {
            readings.push(self.sessions(pool).await);
        }
        for error in readings.into_iter().filter_map(Result::err) {
            tracing::debug!("failed to read a gauge, the former values stay: {error}");
        }
    }

    async fn live_jobs(&mut self, pool: &Pool) -> Result<(), sqlx::Error> {
        let live = census::read(pool).await?;
        let labels = |kind: &str, state: &str| vec![("kind", kind_label(kind)), ("state", state.to_owned())];
        let jobs = live.iter().map(|it| (labels(&it.kind, &it.state), count(it.jobs)));
        self.set("avinode_ingest_jobs", jobs.collect());
        let due = live.iter().filter(|it| it.state == "available");
        let ages = due.map(|it| (vec![("kind", kind_label(&it.kind))], it.oldest_due));
        self.set(
            "avinode_ingest_oldest_due_job_age_seconds",
            none_of_kinds().chain(ages).collect(),
        );
        Ok(())
    }

    async fn dead_jobs(&mut self, pool: &Pool) -> Result<(), sqlx::Error> {
        let dead = census::read_dead(pool).await?.into_iter();
        let dead = dead.map(|it| (vec![("kind", kind_label(&it.kind))], count(it.jobs)));
        self.set("avinode_ingest_dead_jobs", none_of_kinds().chain(dead).collect());
        Ok(())
    }

    async fn sessions(&mut self, pool: &Pool) -> Result<(), sqlx::Error> {
        let mut tx = pool.begin().await?;
        let steps = aggregate::statistics(&mut tx).await?.by_step.into_iter();
        tx.commit().await?;
        let steps = steps.map(|it| (vec![("step", step_label(it.current_step.as_deref()))], count(it.count)));
        self.set("avinode_ingest_active_sessions", steps.collect());
        Ok(())
    }

    /// Sets the series of a gauge; values of the same labels are added up.
    fn set(&mut self, name: &'static str, values: Vec<(Vec<(&'static str, String)>, f64)>) {
        let known = self.0.iter().filter(|(known, _)| *known == name);
        let mut sums: BTreeMap<Vec<(&'static str, String)>, f64> =
            known.map(|(_, labels)| (labels.clone(), 0.0)).collect();
        for (labels, value) in values {
            *sums.entry(labels).or_default() += value;
        }
        for (labels, sum) in sums {
            series_gauge(name, &labels).set(sum);
            self.0.insert((name, labels));
        }
    }
}

async fn last_delivery(pool: &Pool) -> Result<(), sqlx::Error> {
    if let Some(received_at) = deliveries::newest(pool).await? {
        gauge!("avinode_ingest_last_delivery_timestamp_seconds").set(count(received_at.timestamp()));
    }
    Ok(())
}

async fn last_runs(pool: &Pool) -> Result<(), sqlx::Error> {
    for run in leader::last_runs(pool).await? {
        let labels = vec![Label::new("task", run.task)];
        let started = count(run.started_at.timestamp());
        gauge!("avinode_ingest_periodic_task_last_start_timestamp_seconds", labels).set(started);
    }
    Ok(())
}

/// Sets the state of fetching, and what the process that fetches published of its calls.
async fn fetching(pool: &Pool) -> Result<(), sqlx::Error> {
    let LimiterReport {
        status, restrictions, ..
    } = status::report(pool).await?;
    for state in FETCHING_STATES {
        let is_current = f64::from(u8::from(state == status.as_str()));
        gauge!("avinode_ingest_fetching", "state" => state).set(is_current);
    }
    // The values are those that the fetching process published last; without such a process they are out of date.
    let while_served = |value: f64| if status == LimiterStatus::Unserved { 0.0 } else { value };
    let limit = restrictions.limit.map_or(0.0, |limit| limit.per_second);
    gauge!("avinode_ingest_fetch_calls_per_second_limit").set(while_served(limit));
    gauge!("avinode_ingest_fetch_failed_resources").set(while_served(number(restrictions.breaker.failed.len())));
    gauge!("avinode_ingest_fetch_refused_resources").set(while_served(number(restrictions.refused.keys.len())));
    Ok(())
}

/// A series for each kind, also while it has no such job: an expression that compares it is never without data.
fn none_of_kinds() -> impl Iterator<Item = (Vec<(&'static str, String)>, f64)> {
    let kinds = JobKind::VARIANTS.iter();
    kinds.map(|kind| (vec![("kind", kind.as_str().to_owned())], 0.0))
}

fn series_gauge(name: &'static str, labels: &[(&'static str, String)]) -> metrics::Gauge {
    let labels: Vec<Label> = labels
        .iter()
        .map(|(key, value)| Label::new(*key, value.clone()))
        .collect();
    gauge!(name, labels)
}

/// A row of another version may have any kind.
fn kind_label(kind: &str) -> String {
    kind.parse::<JobKind>().map_or("other", JobKind::as_str).to_owned()
}

/// The application may have steps of its own, any number of them.
fn step_label(step: Option<&str>) -> String {
    let known = step.and_then(|step| step.parse::<WorkflowStep>().ok());
    known.map_or("other", WorkflowStep::as_str).to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn count(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn number(number: usize) -> f64 {
    number as f64
}
