//! The list of jobs, page by page.

use super::selection::JobSelection;
use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::admin::{self, JobFilter, JobPosition, JobView};

#[derive(Debug, Clone, Default)]
pub struct JobListFilter {
    pub selection: JobSelection,
    /// Only jobs after this position.
    pub after: Option<JobPosition>,
    pub limit: i64,
}

#[derive(Debug, Clone)]
pub struct JobPage {
    pub data: Vec<JobView>,
    /// The next page begins after this position; `None` on the last page.
    pub next: Option<JobPosition>,
}

/// Lists jobs: dead ones first, then in the order in which they are due.
pub async fn list(pool: &Pool, filter: &JobListFilter) -> Result<JobPage, sqlx::Error> {
    // One more shows that there is another page.
    let selected = filter.selection.filter(pool, filter.limit + 1).await?;
    let selected = JobFilter {
        after: filter.after,
        ..selected
    };
    let mut data = admin::list(pool, &selected).await?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let has_more = data.len() > limit;
    data.truncate(limit);
    let next = data.last().filter(|_| has_more).map(JobView::position);
    Ok(JobPage { data, next })
}

/// Reads one job, if it is unfinished or dead.
pub async fn get(pool: &Pool, id: i64) -> Result<Option<JobView>, sqlx::Error> {
    let filter = JobFilter {
        ids: Some(vec![id]),
        limit: 1,
        blocked: status::blocked_kinds(pool).await?,
        ..JobFilter::default()
    };
    Ok(admin::list(pool, &filter).await?.pop())
}
