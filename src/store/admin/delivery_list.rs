//! Lists deliveries by any combination of filters. As the list of sessions, the statement is built of fixed parts with bound values:
//! each filter, or the rarest of several, finds its rows by an index.

mod view;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::view::DeliveryView;
use self::view::{DECISIVE_FIRST, push_view, view};
use super::subject_filter::{DeliveryRange, SubjectFilter, SubjectScope};
use crate::domain::subject::SubjectKind;
use crate::postgres::transaction::{Pool, Transaction};

/// The deliveries that one page with a text looks through at most: no index finds a text.
pub const TEXT_WINDOW: i64 = 20_000;

/// The outcome of a delivery: that of its newest job. One that was applied stays `applied` after a replay without new facts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString, VariantArray, Serialize, Deserialize, ToSchema,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// A job of it is not done.
    Queued,
    Applied,
    Duplicate,
    /// It had no new facts.
    Nothing,
    Ignored,
    /// Avinode no longer has the resource.
    Gone,
    Dead,
    Discarded,
}

impl DeliveryOutcome {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    pub subject: SubjectFilter,
    pub kind: Option<SubjectKind>,
    pub outcome: Option<DeliveryOutcome>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// In the body as received, or in the detail of an outcome; letters as written.
    pub text: Option<String>,
    /// Only deliveries received before this one.
    pub before: Option<Uuid>,
    pub limit: i64,
}

#[derive(Debug, Clone)]
pub struct DeliveryPage {
    pub data: Vec<DeliveryView>,
    /// The next page begins before this one; `None` on the last page.
    pub next: Option<Uuid>,
}

/// Lists deliveries, the newest first.
pub async fn list(pool: &Pool, filter: &DeliveryFilter) -> Result<DeliveryPage, sqlx::Error> {
    let (rows, window) = rows(pool, filter, statement).await?;
    let mut data = rows.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let next = truncate(&mut data, filter.limit, window, |delivery| delivery.id);
    Ok(DeliveryPage { data, next })
}

/// Returns the ids of the page that [`list`] shows, and that before which the next page begins.
pub async fn ids(pool: &Pool, filter: &DeliveryFilter) -> Result<(Vec<Uuid>, Option<Uuid>), sqlx::Error> {
    let (rows, window) = rows(pool, filter, id_statement).await?;
    let mut ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<_>, _>>()?;
    let next = truncate(&mut ids, filter.limit, window, |id| *id);
    Ok((ids, next))
}

/// Returns these deliveries, the newest first.
pub async fn of_ids(pool: &Pool, ids: &[Uuid]) -> Result<Vec<DeliveryView>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Postgres>::new("WITH page AS MATERIALIZED (SELECT id FROM unnest(");
    query.push_bind(ids).push(") AS asked (id)");
    push_view(&mut query);
    let mut tx = pool.begin().await?;
    let rows = query.build().persistent(false).fetch_all(&mut tx).await?;
    tx.commit().await?;
    rows.iter().map(view).collect()
}

/// Reads a page with one more row, and the end of the window of a text.
async fn rows(
    pool: &Pool,
    filter: &DeliveryFilter,
    statement: impl FnOnce(&DeliveryFilter, &SubjectScope, &DeliveryRange) -> QueryBuilder<Postgres>,
) -> Result<(Vec<PgRow>, Option<Uuid>), sqlx::Error> {
    let scope = SubjectScope::read(pool, &filter.subject).await?;
    let mut tx = pool.begin().await?;
    let mut range = DeliveryRange {
        since: filter.since,
        until: filter.until,
        before: filter.before,
        after: None,
    };
    let mut window = None;
    if filter.text.is_some() {
        window = window_end(&mut tx, &range).await?;
        range.after = window;
    }
    let mut query = statement(filter, &scope, &range);
    let rows = query.build().persistent(false).fetch_all(&mut tx).await?;
    tx.commit().await?;
    Ok((rows, window))
}

/// Removes the row that is one too many, and returns that before which the next page begins.
fn truncate<T>(rows: &mut Vec<T>, limit: i64, window: Option<Uuid>, id: impl Fn(&T) -> Uuid) -> Option<Uuid> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    match has_more {
        true => rows.last().map(id),
        // The window of a text begins with this one.
        false => window,
    }
}

/// The last delivery before the window of a text; `None` if the window reaches the oldest one.
async fn window_end(tx: &mut Transaction<'_>, range: &DeliveryRange) -> Result<Option<Uuid>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT id FROM avinode_ingest.deliveries WHERE true");
    range.push(&mut query, "id");
    query.push(" ORDER BY id DESC LIMIT 1 OFFSET ").push_bind(TEXT_WINDOW);
    let row = query.build().persistent(false).fetch_optional(tx).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// The statement of a page with one more row; tests run EXPLAIN on it.
pub fn statement(filter: &DeliveryFilter, scope: &SubjectScope, range: &DeliveryRange) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH page AS MATERIALIZED (");
    push_ids(&mut query, filter, scope, range);
    push_view(&mut query);
    query
}

/// The statement of the ids of a page with one more row.
fn id_statement(filter: &DeliveryFilter, scope: &SubjectScope, range: &DeliveryRange) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::default();
    push_ids(&mut query, filter, scope, range);
    query
}

fn push_ids(query: &mut QueryBuilder<Postgres>, filter: &DeliveryFilter, scope: &SubjectScope, range: &DeliveryRange) {
    query.push("SELECT found.id FROM (");
    let kind = filter.kind.map(SubjectKind::as_str);
    let rare = filter.outcome.filter(|outcome| *outcome != DeliveryOutcome::Applied);
    // A condition that the rows are not found by. Scalar subqueries: no plan joins a whole table for them.
    let mut has_kind = kind;
    let mut has_outcome = filter.outcome;
    if !filter.subject.is_empty() {
        query.push("SELECT DISTINCT id FROM (");
        scope.push_deliveries(query, range, kind);
        query.push(") AS named");
        has_kind = None;
    } else if let Some(DeliveryOutcome::Queued) = rare {
        query.push("SELECT DISTINCT delivery_id AS id FROM avinode_ingest.jobs WHERE delivery_id IS NOT NULL");
        range.push(query, "delivery_id");
        has_outcome = None;
    } else if let Some(outcome) = rare {
        // A word of ours, as a literal: the index has the condition that it is not 'applied'.
        query
            .push("SELECT outcome.delivery_id AS id FROM avinode_ingest.outcomes AS outcome WHERE outcome.outcome = '");
        query.push(outcome.as_str()).push("' AND outcome.delivery_id IS NOT NULL AND ").push(
            "outcome.job_id = (SELECT max(newest.job_id) FROM avinode_ingest.outcomes AS newest WHERE newest.delivery_id = outcome.delivery_id)",
        );
        range.push(query, "outcome.delivery_id");
    } else if let Some(kind) = kind {
        query.push(
            "SELECT subject.delivery_id AS id FROM avinode_ingest.delivery_subjects AS subject WHERE subject.kind = ",
        );
        query.push_bind(kind).push(
            " AND subject.id = (SELECT max(newest.id) FROM avinode_ingest.delivery_subjects AS newest \
             WHERE newest.delivery_id = subject.delivery_id)",
        );
        range.push(query, "subject.delivery_id");
        has_kind = None;
    } else {
        query.push("SELECT id FROM avinode_ingest.deliveries WHERE true");
        range.push(query, "id");
    }
    query.push(") AS found WHERE true");
    if let Some(kind) = has_kind {
        query.push(
            " AND (SELECT subject.kind FROM avinode_ingest.delivery_subjects AS subject WHERE subject.delivery_id = found.id \
             ORDER BY subject.id DESC LIMIT 1) = ",
        );
        query.push_bind(kind);
    }
    if let Some(outcome) = has_outcome {
        let is_queued = outcome == DeliveryOutcome::Queued;
        query.push(if is_queued {
            " AND found.id IN"
        } else {
            " AND found.id NOT IN"
        });
        query.push(" (SELECT delivery_id FROM avinode_ingest.jobs WHERE delivery_id IS NOT NULL)");
        if !is_queued {
            query.push(
                " AND (SELECT outcome.outcome FROM avinode_ingest.outcomes AS outcome WHERE outcome.delivery_id = found.id ORDER BY ",
            );
            query
                .push(DECISIVE_FIRST)
                .push(" LIMIT 1) = ")
                .push_bind(outcome.as_str());
        }
    }
    if let Some(text) = &filter.text {
        query.push(" AND ((SELECT position(convert_to(");
        query.push_bind(text.clone());
        query.push(", 'UTF8') IN stored.body) > 0 FROM avinode_ingest.deliveries AS stored WHERE stored.id = found.id) OR EXISTS (SELECT FROM avinode_ingest.outcomes AS said WHERE said.delivery_id = found.id AND strpos(said.detail, ");
        query.push_bind(text.clone()).push(") > 0))");
    }
    query.push(" ORDER BY found.id DESC LIMIT ").push_bind(filter.limit + 1);
}
