//! Selections of jobs and deliveries by the filters of their lists. A selection has exactly the rows of the list with the same filter, in
//! an order in which an action on a row moves no other row: jobs by id, deliveries from the newest to the oldest.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::subject::SubjectKind;
use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::admin::{self, JobFilter};
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::store::admin::delivery_list::{self, DeliveryFilter, DeliveryOutcome};
use crate::store::admin::job_ids;
use crate::store::admin::subject_filter::SubjectFilter;

/// Rows that are read at a time when a selection is counted.
const COUNT_PAGE: i64 = 1_000;

/// Filters of jobs. All combine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSelection {
    #[serde(flatten)]
    pub subject: SubjectFilter,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<JobKind>,
    /// Of its delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DeliveryOutcome>,
    /// Inserted at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Inserted before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// In the key, the reason or a failure, in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// In the reason, in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Timers as well that wait for their time. Without it only those of a given kind are selected.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

impl JobSelection {
    /// True without any filter.
    pub fn is_empty(&self) -> bool {
        let all = self.all;
        *self == Self { all, ..Self::default() }
    }

    /// Returns the filter of the list. It looks up the jobs of a subject, and the kinds that do not run at present.
    pub async fn filter(&self, pool: &Pool, limit: i64) -> Result<JobFilter, sqlx::Error> {
        let Self {
            subject,
            state,
            kind,
            outcome,
            since,
            until,
            text,
            reason,
            all,
        } = self;
        let ids = match subject.is_empty() {
            true => None,
            false => Some(job_ids::about(pool, subject).await?),
        };
        Ok(JobFilter {
            ids,
            since: *since,
            until: *until,
            text: text.clone(),
            reason: reason.clone(),
            state: *state,
            kind: kind.map(|kind| kind.as_str().to_owned()),
            outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
            limit,
            hides_timers: !all && kind.is_none(),
            blocked: status::blocked_kinds(pool).await?,
            ..JobFilter::default()
        })
    }

    async fn page(&self, pool: &Pool, after: Option<i64>, limit: i64) -> Result<SelectedPage, sqlx::Error> {
        let filter = JobFilter {
            by_id: true,
            after_id: after,
            ..self.filter(pool, limit).await?
        };
        let ids: Vec<i64> = admin::list(pool, &filter).await?.iter().map(|job| job.id).collect();
        let is_full = i64::try_from(ids.len()).is_ok_and(|rows| rows >= limit);
        let next = ids.last().filter(|_| is_full).copied().map(Position::Job);
        Ok(SelectedPage {
            ids: SelectedIds::Jobs(ids),
            next,
        })
    }
}

/// Filters of deliveries. All combine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliverySelection {
    #[serde(flatten)]
    pub subject: SubjectFilter,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<SubjectKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DeliveryOutcome>,
    /// Received at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Received before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// In the body as received, or in the detail of an outcome; letters as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl DeliverySelection {
    /// True without any filter.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the filter of the list.
    pub fn filter(&self, before: Option<Uuid>, limit: i64) -> DeliveryFilter {
        let Self {
            subject,
            kind,
            outcome,
            since,
            until,
            text,
        } = self.clone();
        DeliveryFilter {
            subject,
            kind,
            outcome,
            since,
            until,
            text,
            before,
            limit,
        }
    }

    /// Returns the ids of a page, and the delivery before which the next page begins. A page of a text may be short, or empty.
    pub async fn ids(
        &self,
        pool: &Pool,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<(Vec<Uuid>, Option<Uuid>), sqlx::Error> {
        delivery_list::ids(pool, &self.filter(before, limit)).await
    }
}

/// A selection of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowSelection<'a> {
    Jobs(&'a JobSelection),
    Deliveries(&'a DeliverySelection),
}

/// The last selected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    Job(i64),
    Delivery(Uuid),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectedIds {
    Jobs(Vec<i64>),
    Deliveries(Vec<Uuid>),
}

impl SelectedIds {
    pub fn len(&self) -> usize {
        match self {
            Self::Jobs(ids) => ids.len(),
            Self::Deliveries(ids) => ids.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedPage {
    pub ids: SelectedIds,
    /// The next page begins after this row; `None` on the last page.
    pub next: Option<Position>,
}

impl RowSelection<'_> {
    /// Reads the rows after a position.
    pub async fn page(&self, pool: &Pool, after: Option<Position>, limit: i64) -> Result<SelectedPage, sqlx::Error> {
        match self {
            Self::Jobs(jobs) => {
                let after = after.and_then(|position| match position {
                    Position::Job(id) => Some(id),
                    Position::Delivery(_) => None,
                });
                jobs.page(pool, after, limit).await
            }
            Self::Deliveries(deliveries) => {
                let before = after.and_then(|position| match position {
                    Position::Delivery(id) => Some(id),
                    Position::Job(_) => None,
                });
                let (ids, next) = deliveries.ids(pool, before, limit).await?;
                Ok(SelectedPage {
                    ids: SelectedIds::Deliveries(ids),
                    next: next.map(Position::Delivery),
                })
            }
        }
    }

    /// Counts the selected rows, up to `max`.
    pub async fn count(&self, pool: &Pool, max: i64) -> Result<i64, sqlx::Error> {
        let (mut count, mut after) = (0, None);
        while count < max {
            let page = self.page(pool, after, COUNT_PAGE.min(max - count)).await?;
            count += i64::try_from(page.ids.len()).unwrap_or(i64::MAX);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(count)
    }
}
