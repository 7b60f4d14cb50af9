//! The work of a batch: the action, and the filter that selects its rows.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::{BatchError, unreadable};
use crate::admin::selection::{DeliverySelection, JobSelection, RowSelection, SelectedIds};
use crate::domain::actor::Acting;
use crate::jobs::replay;
use crate::postgres::transaction::Transaction;
use crate::queue::admin::JobView;
use crate::queue::admin_actions;
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::store::audit::AuditAction;
use crate::store::batches::{BatchCounts, BatchRow, BatchState};

const RETRY: &str = "retry";
const DISCARD: &str = "discard";
const REPLAY: &str = "replay";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchWork {
    Retry(JobSelection),
    Discard {
        jobs: JobSelection,
        /// Discards timers as well. They are skipped without it.
        timers: bool,
    },
    Replay(DeliverySelection),
}

impl BatchWork {
    pub fn selection(&self) -> RowSelection<'_> {
        match self {
            Self::Retry(jobs) | Self::Discard { jobs, .. } => RowSelection::Jobs(jobs),
            Self::Replay(deliveries) => RowSelection::Deliveries(deliveries),
        }
    }

    /// Returns the word in the column `action`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Retry(_) => RETRY,
            Self::Discard { .. } => DISCARD,
            Self::Replay(_) => REPLAY,
        }
    }

    pub fn audit_action(&self) -> AuditAction {
        match self {
            Self::Retry(_) => AuditAction::RetryJobs,
            Self::Discard { .. } => AuditAction::DiscardJobs,
            Self::Replay(_) => AuditAction::ReplayDeliveries,
        }
    }

    /// True if no filter is given: all rows would be selected.
    pub fn is_unfiltered(&self) -> bool {
        match self.selection() {
            RowSelection::Jobs(jobs) => jobs.is_empty(),
            RowSelection::Deliveries(deliveries) => deliveries.is_empty(),
        }
    }

    /// Leaves out rows that are inserted at this time or later.
    pub(super) fn bounded_by(mut self, begun_at: DateTime<Utc>) -> Self {
        let until = match &mut self {
            Self::Retry(jobs) | Self::Discard { jobs, .. } => &mut jobs.until,
            Self::Replay(deliveries) => &mut deliveries.until,
        };
        *until = Some(until.map_or(begun_at, |until| until.min(begun_at)));
        self
    }

    /// Returns the value of the column `filter`.
    pub(super) fn filter(&self) -> Value {
        match self {
            Self::Retry(jobs) => json!(jobs),
            Self::Discard { jobs, timers } => {
                let mut filter = json!(jobs);
                filter["timers"] = json!(timers);
                filter
            }
            Self::Replay(deliveries) => json!(deliveries),
        }
    }

    /// # Errors
    /// The action or a filter is one of another version. Without that filter more rows would be selected.
    pub fn of_row(row: &BatchRow) -> Result<Self, BatchError> {
        let work = Self::parse(row)?;
        let known = work.filter();
        let stored = row.filter.as_object().into_iter().flatten();
        // The digest of a text stands for it once the batch is finished.
        let unknown = stored
            .map(|(name, _)| name)
            .find(|name| known.get(name).is_none() && *name != "text_sha256");
        match unknown {
            Some(name) => Err(BatchError::Unreadable {
                id: row.id,
                reason: format!("filter {name:?}"),
            }),
            None => Ok(work),
        }
    }

    fn parse(row: &BatchRow) -> Result<Self, BatchError> {
        let unreadable = unreadable(row.id);
        let jobs = || serde_json::from_value(row.filter.clone()).map_err(&unreadable);
        match row.action.as_str() {
            RETRY => Ok(Self::Retry(jobs()?)),
            DISCARD => Ok(Self::Discard {
                jobs: jobs()?,
                timers: row.filter["timers"] == json!(true),
            }),
            REPLAY => {
                let deliveries = serde_json::from_value(row.filter.clone()).map_err(&unreadable)?;
                Ok(Self::Replay(deliveries))
            }
            other => Err(BatchError::Unreadable {
                id: row.id,
                reason: format!("action {other:?}"),
            }),
        }
    }

    /// The work that a finished dry run counted. `text`: that of its filter, of which the record has the digest.
    pub(super) fn of_dry_run(row: &BatchRow, text: Option<&str>) -> Result<Self, BatchError> {
        if !row.dry_run || row.state != BatchState::Finished.as_str() {
            return Err(BatchError::NotCounted(row.id));
        }
        let mut row = row.clone();
        if let Some(digest) = row.filter["text_sha256"].as_str() {
            let text = text.filter(|text| text_digest(text) == digest);
            row.filter["text"] = json!(text.ok_or(BatchError::OtherText(row.id))?);
        }
        Self::of_row(&row)
    }

    /// Changes selected rows.
    pub(super) async fn change(
        &self,
        tx: &mut Transaction<'_>,
        ids: &SelectedIds,
        acting: &Acting,
    ) -> Result<BatchCounts, sqlx::Error> {
        Ok(match (self, ids) {
            (Self::Retry(_), SelectedIds::Jobs(ids)) => {
                let done = admin_actions::retry(tx, ids, &format!("retried {acting}")).await?;
                BatchCounts::of(ids.len(), done.len(), 0)
            }
            (Self::Discard { timers, .. }, SelectedIds::Jobs(ids)) => {
                let kept = match timers {
                    true => Vec::new(),
                    false => admin_actions::timers(tx, ids).await?,
                };
                let discarded: Vec<i64> = ids.iter().copied().filter(|id| !kept.contains(id)).collect();
                let done = admin_actions::discard(tx, &discarded, &acting.to_string()).await?;
                BatchCounts::of(ids.len(), done.len(), 0)
            }
            (Self::Replay(_), SelectedIds::Deliveries(ids)) => {
                let done = replay::replay(tx, ids, acting).await?;
                BatchCounts::of(ids.len(), done.len(), ids.len() - done.len())
            }
            // The selection follows from the action.
            (_, ids) => BatchCounts::of(ids.len(), 0, 0),
        })
    }

    /// Returns whether a job would be changed.
    pub(super) fn would_change(&self, job: &JobView) -> bool {
        let is_timer = job.state != JobState::Dead && JobKind::TIMERS.iter().any(|kind| kind.as_str() == job.kind);
        match self {
            Self::Retry(_) => matches!(job.state, JobState::Dead | JobState::Scheduled | JobState::Retryable),
            Self::Discard { timers, .. } => job.state != JobState::Running && (*timers || !is_timer),
            Self::Replay(_) => false,
        }
    }
}

/// The filter without its text, which may be personal: its SHA-256 stays.
pub(super) fn without_text(filter: &Value) -> Value {
    let mut filter = filter.clone();
    if let Some(object) = filter.as_object_mut()
        && let Some(Value::String(text)) = object.remove("text")
    {
        object.insert("text_sha256".to_owned(), json!(text_digest(&text)));
    }
    filter
}

fn text_digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests;
