//! The deliveries, jobs and documents of a trace.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::facts::MAX_ROWS;
use crate::postgres::transaction::{Pool, Transaction};
use crate::store::admin::subject_filter::{DeliveryRange, SubjectFilter, SubjectScope};

/// The waiting and dead deliveries whose bytes are searched, each: those that came last.
const SEARCHED: i64 = 2_000;

/// A delivery, its subject and its jobs.
#[derive(Debug, Clone, Serialize)]
pub struct TracedDelivery {
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    pub verified_by: String,
    pub bytes: i32,
    pub is_redacted: bool,
    /// `None` until a job has read it.
    pub kind: Option<String>,
    pub event_id: Option<String>,
    pub trip: Option<String>,
    pub rfqs: Vec<String>,
    pub quotes: Vec<String>,
    pub sessions: Vec<Uuid>,
    /// Oldest first.
    pub jobs: Vec<TracedJob>,
}

/// A job: done, dead or waiting.
#[derive(Debug, Clone, Serialize)]
pub struct TracedJob {
    pub id: i64,
    pub kind: String,
    pub key: Option<String>,
    /// The outcome, or `queued`.
    pub outcome: String,
    /// The time at which it was inserted.
    pub created_at: DateTime<Utc>,
    /// The time at which it was done, or is due.
    pub at: DateTime<Utc>,
    pub attempts: i32,
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TracedDocument {
    pub id: i64,
    pub resource: String,
    pub kind: String,
    /// The time before the last GET, by the database's clock.
    pub requested_at: DateTime<Utc>,
    /// The time at which the last GET began.
    pub fetched_at: DateTime<Utc>,
    /// The number of consecutive fetches with the same data.
    pub times: i32,
    pub is_applied: bool,
}

/// Returns the deliveries about the ids of a filter, the newest of them.
pub async fn about(pool: &Pool, filter: &SubjectFilter) -> Result<Vec<Uuid>, sqlx::Error> {
    let scope = SubjectScope::read(pool, filter).await?;
    let mut query = QueryBuilder::new("SELECT DISTINCT id FROM (");
    scope.push_deliveries(&mut query, &DeliveryRange::default(), None);
    query.push(") AS named ORDER BY id DESC LIMIT ").push_bind(MAX_ROWS);
    let mut tx = pool.begin().await?;
    let rows = query.build().persistent(false).fetch_all(&mut tx).await?;
    tx.commit().await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Waiting and dead deliveries with one of these texts in their bytes: nothing has read them, or could. Returned with their bodies,
/// because a text may be a part of another id.
pub async fn unread(pool: &Pool, texts: &[String]) -> Result<Vec<(Uuid, Vec<u8>)>, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        SELECT DISTINCT ON (stored.id) stored.id, stored.body
        FROM (
            (SELECT delivery_id FROM avinode_ingest.dead_jobs WHERE delivery_id IS NOT NULL ORDER BY died_at DESC LIMIT $2)
            UNION ALL
            (SELECT delivery_id FROM avinode_ingest.jobs WHERE delivery_id IS NOT NULL ORDER BY id DESC LIMIT $2)
        ) AS waiting
        JOIN avinode_ingest.deliveries AS stored ON stored.id = waiting.delivery_id
        WHERE EXISTS (
            SELECT FROM unnest($1::text[]) AS wanted (text) WHERE position(convert_to(wanted.text, 'UTF8') IN stored.body) > 0
        )
        ORDER BY stored.id DESC
        LIMIT 50
        "#,
        texts,
        SEARCHED,
    );
    let rows = pool.fetch_all(query).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.body)).collect())
}

/// Reads deliveries, oldest first.
pub async fn read(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<Vec<TracedDelivery>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT stored.id, stored.received_at, stored.verified_by, octet_length(stored.body) AS "bytes!",
            EXISTS (SELECT FROM avinode_ingest.redactions WHERE delivery_id = stored.id) AS "is_redacted!",
            subject.kind AS "kind?", subject.event_id AS "event_id?", subject.trip_key AS "trip?", subject.rfqs AS "rfqs?",
            subject.quotes AS "quotes?", subject.sessions AS "sessions?"
        FROM unnest($1::uuid[]) AS wanted (id)
        JOIN avinode_ingest.deliveries AS stored ON stored.id = wanted.id
        LEFT JOIN LATERAL (
            SELECT kind, event_id, trip_key, rfqs, quotes, sessions
            FROM avinode_ingest.delivery_subjects
            WHERE delivery_id = wanted.id
            ORDER BY id DESC
            LIMIT 1
        ) AS subject ON true
        ORDER BY stored.id
        "#,
        ids
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut jobs = jobs(tx, ids).await?;
    let deliveries = rows.into_iter().map(|row| {
        let jobs = jobs.remove(&row.id).unwrap_or_default();
        TracedDelivery {
            id: row.id,
            received_at: row.received_at,
            verified_by: row.verified_by,
            bytes: row.bytes,
            is_redacted: row.is_redacted,
            kind: row.kind,
            event_id: row.event_id,
            trip: row.trip,
            rfqs: row.rfqs.unwrap_or_default(),
            quotes: row.quotes.unwrap_or_default(),
            sessions: row.sessions.unwrap_or_default(),
            jobs,
        }
    });
    Ok(deliveries.collect())
}

/// The jobs of deliveries.
async fn jobs(tx: &mut Transaction<'_>, deliveries: &[Uuid]) -> Result<HashMap<Uuid, Vec<TracedJob>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT delivery_id AS "delivery!", id AS "id!", kind AS "kind!", key, outcome AS "outcome!",
            created_at AS "created_at!", at AS "at!", attempts AS "attempts!", detail
        FROM (
            SELECT delivery_id, id, kind, key, 'queued' AS outcome, created_at, due_at AS at, attempts,
                history[cardinality(history)] AS detail
            FROM avinode_ingest.jobs
            WHERE delivery_id = ANY ($1)
            UNION ALL
            SELECT delivery_id, job_id, kind, key, outcome, created_at, finished_at, attempts, detail
            FROM avinode_ingest.outcomes
            -- A dead job that was retried.
            WHERE delivery_id = ANY ($1) AND NOT EXISTS (SELECT FROM avinode_ingest.jobs AS job WHERE job.id = job_id)
        ) AS job
        ORDER BY id
        "#,
        deliveries
    )
    .fetch_all(tx)
    .await?;
    let mut jobs: HashMap<Uuid, Vec<TracedJob>> = HashMap::new();
    for row in rows {
        jobs.entry(row.delivery).or_default().push(TracedJob {
            id: row.id,
            kind: row.kind,
            key: row.key,
            outcome: row.outcome,
            created_at: row.created_at,
            at: row.at,
            attempts: row.attempts,
            detail: row.detail,
        });
    }
    Ok(jobs)
}

/// The waiting and dead jobs without a delivery that have one of these keys, oldest first.
pub async fn jobs_of_keys(tx: &mut Transaction<'_>, keys: &[String]) -> Result<Vec<TracedJob>, sqlx::Error> {
    sqlx::query_as!(
        TracedJob,
        r#"
        SELECT id AS "id!", kind AS "kind!", key, outcome AS "outcome!", created_at AS "created_at!", at AS "at!",
            attempts AS "attempts!", detail
        FROM (
            SELECT id, kind, key, 'queued' AS outcome, created_at, due_at AS at, attempts,
                history[cardinality(history)] AS detail
            FROM avinode_ingest.jobs
            WHERE key = ANY ($1) AND delivery_id IS NULL
                AND kind IN ('rematch', 'fetch_follow_up', 'reconcile', 'fetch_speculative')
            UNION ALL
            SELECT id, kind, key, 'dead', created_at, died_at, attempts, reason
            FROM avinode_ingest.dead_jobs
            WHERE key = ANY ($1) AND delivery_id IS NULL
        ) AS job
        ORDER BY id
        LIMIT $2
        "#,
        keys,
        MAX_ROWS,
    )
    .fetch_all(tx)
    .await
}

/// The stored documents of these resources, of which each has a few, in the order of their fetches; of too many the newest.
pub async fn documents(tx: &mut Transaction<'_>, resources: &[String]) -> Result<Vec<TracedDocument>, sqlx::Error> {
    sqlx::query_as!(
        TracedDocument,
        r#"
        SELECT id AS "id!", resource_id AS "resource!", kind AS "kind!", requested_at AS "requested_at!",
            fetch_began_at AS "fetched_at!", fetch_count AS "times!", applied AS "is_applied!"
        FROM (
            SELECT id, resource_id, kind, requested_at, fetch_began_at, fetch_count, applied
            FROM avinode_ingest.documents
            WHERE resource_id = ANY ($1)
            ORDER BY fetch_began_at DESC, id DESC
            LIMIT $2
        ) AS newest
        ORDER BY fetch_began_at, id
        "#,
        resources,
        MAX_ROWS,
    )
    .fetch_all(tx)
    .await
}
