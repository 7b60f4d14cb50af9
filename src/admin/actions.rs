//! Actions on given jobs and deliveries. The row of the audit log is written by the transaction of the change.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::actor::Acting;
use crate::jobs::replay;
use crate::postgres::transaction::{Pool, Transaction};
use crate::queue::admin_actions;
use crate::store::audit::{self, AuditAction};
use crate::store::deliveries;

/// The ids that a row of the audit log names. The others are counted.
const MAX_AUDITED_IDS: usize = 100;

#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Nothing was discarded.
    #[error("nothing was discarded: timers, not work: {}", list(.0))]
    Timers(Vec<i64>),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The result of an action on given jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobsChanged {
    pub done: Vec<i64>,
    /// Not found, or in a state that does not allow it.
    pub not_done: Vec<i64>,
}

/// The result of a replay of given deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveriesReplayed {
    /// Oldest first.
    pub enqueued: Vec<Uuid>,
    /// Nothing is left of them to process.
    pub redacted: Vec<Uuid>,
    pub unknown: Vec<Uuid>,
}

/// Makes jobs due now: dead, scheduled and retryable ones.
pub async fn retry(pool: &Pool, ids: &[i64], acting: &Acting) -> Result<JobsChanged, ActionError> {
    let mut tx = pool.begin().await?;
    let done = admin_actions::retry(&mut tx, ids, &format!("retried {acting}")).await?;
    record_jobs(&mut tx, AuditAction::RetryJobs, ids, &done, acting).await?;
    tx.commit().await?;
    Ok(changed(ids, done))
}

/// Deletes dead and unclaimed jobs. `force`: timers as well.
///
/// # Errors
/// A timer is among them, without `force`: nothing was discarded.
pub async fn discard(pool: &Pool, ids: &[i64], force: bool, acting: &Acting) -> Result<JobsChanged, ActionError> {
    let mut tx = pool.begin().await?;
    if !force {
        let timers = admin_actions::timers(&mut tx, ids).await?;
        if !timers.is_empty() {
            return Err(ActionError::Timers(timers));
        }
    }
    let done = admin_actions::discard(&mut tx, ids, &acting.to_string()).await?;
    record_jobs(&mut tx, AuditAction::DiscardJobs, ids, &done, acting).await?;
    tx.commit().await?;
    Ok(changed(ids, done))
}

/// Enqueues a job for each delivery.
pub async fn replay(pool: &Pool, ids: &[Uuid], acting: &Acting) -> Result<DeliveriesReplayed, ActionError> {
    let mut tx = pool.begin().await?;
    let enqueued = replay::replay(&mut tx, ids, acting).await?;
    let details = details("deliveries", ids, acting);
    let counts = json!({"jobs": enqueued.len()});
    audit::append_change(&mut tx, &acting.actor, AuditAction::ReplayDeliveries, details, &counts).await?;
    tx.commit().await?;
    let missed: Vec<Uuid> = ids.iter().copied().filter(|id| !enqueued.contains(id)).collect();
    let redacted = deliveries::redacted(pool, &missed).await?;
    let (redacted, unknown) = missed.into_iter().partition(|id| redacted.contains(id));
    Ok(DeliveriesReplayed {
        enqueued,
        redacted,
        unknown,
    })
}

async fn record_jobs(
    tx: &mut Transaction<'_>,
    action: AuditAction,
    ids: &[i64],
    done: &[i64],
    acting: &Acting,
) -> Result<(), sqlx::Error> {
    let counts = json!({"jobs": done.len()});
    audit::append_change(tx, &acting.actor, action, details("jobs", ids, acting), &counts).await
}

fn details<T: serde::Serialize>(kind: &str, ids: &[T], acting: &Acting) -> Value {
    let named = &ids[..ids.len().min(MAX_AUDITED_IDS)];
    let mut details = json!({kind: named});
    if named.len() < ids.len() {
        details["more"] = json!(ids.len() - named.len());
    }
    if let Some(note) = &acting.note {
        details["note"] = json!(note);
    }
    details
}

fn changed(ids: &[i64], done: Vec<i64>) -> JobsChanged {
    let not_done = ids.iter().copied().filter(|id| !done.contains(id)).collect();
    JobsChanged { done, not_done }
}

fn list(ids: &[i64]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
