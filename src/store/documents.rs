//! The table `documents`: fetched documents, stored for audit, and so that a failure after the fetch does not need another
//! fetch.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::postgres::interval::interval;
use crate::postgres::prune_step;
use crate::postgres::prune_step::{PruneStep, ROWS_PER_STEP};
use crate::postgres::transaction::{Pool, Transaction};

/// The documents stored per resource.
const PER_RESOURCE: i64 = 5;
/// The longest body that is stored; Avinode's are a few kilobytes.
const MAX_BODY: usize = 1024 * 1024;

/// The newest document of a resource.
#[derive(Debug, Clone)]
pub struct StoredDocument {
    /// By the database's clock, before the GET began.
    pub requested_at: DateTime<Utc>,
    /// The time at which the GET began, by the worker's clock.
    pub fetch_began_at: DateTime<Utc>,
    /// `None` once it is old or redacted, or if it was too long.
    pub body: Option<Vec<u8>>,
    /// `rfqs`, `tripmsgs`, `quotes` or `trips`. A trip and the list of its RFQs have the same id.
    pub kind: String,
}

#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    pub resource_id: &'a str,
    /// `rfqs`, `tripmsgs`, `quotes` or `trips`.
    pub kind: &'a str,
    /// By the database's clock, before the GET began.
    pub requested_at: DateTime<Utc>,
    /// The time at which the GET began, by the worker's clock.
    pub fetch_began_at: DateTime<Utc>,
    /// SHA-256 of the content.
    pub digest: [u8; 32],
    pub body: &'a [u8],
}

/// The newest document of a resource.
pub async fn newest(tx: &mut Transaction<'_>, resource_id: &str) -> Result<Option<StoredDocument>, sqlx::Error> {
    sqlx::query_as!(
        StoredDocument,
        r#"
        SELECT requested_at, fetch_began_at, CASE WHEN redacted_at IS NULL THEN body END AS body, kind
        FROM avinode_ingest.documents
        WHERE resource_id = $1
        ORDER BY requested_at DESC, id DESC
        LIMIT 1
        "#,
        resource_id
    )
    .fetch_optional(tx)
    .await
}

/// Stores a document. If its content equals that of the newest one, that row gets the later times; returns true then.
pub async fn store(tx: &mut Transaction<'_>, fetched: &NewDocument<'_>) -> Result<bool, sqlx::Error> {
    let body = (fetched.body.len() <= MAX_BODY).then_some(fetched.body);
    let row = sqlx::query!(
        r#"
        WITH newest AS MATERIALIZED (
            SELECT id, digest
            FROM avinode_ingest.documents
            WHERE resource_id = $1
            ORDER BY requested_at DESC, id DESC
            LIMIT 1
        ), repeated AS (
            UPDATE avinode_ingest.documents AS document
            SET requested_at = greatest(document.requested_at, $3),
                fetch_began_at = greatest(document.fetch_began_at, $4), stored_at = clock_timestamp(),
                fetch_count = document.fetch_count + 1, body = $6, redacted_at = NULL
            FROM newest
            WHERE document.id = newest.id AND newest.digest = $5
            RETURNING document.id
        ), new AS (
            INSERT INTO avinode_ingest.documents (resource_id, kind, requested_at, fetch_began_at, digest, body, applied)
            SELECT $1, $2, $3, $4, $5, $6, false
            WHERE NOT EXISTS (SELECT FROM newest WHERE digest = $5)
        ), excess AS (
            DELETE FROM avinode_ingest.documents
            WHERE id IN (
                SELECT id FROM avinode_ingest.documents
                WHERE resource_id = $1
                ORDER BY requested_at DESC, id DESC
                -- The new one is added to these.
                OFFSET $7::bigint - CASE WHEN EXISTS (SELECT FROM newest WHERE digest = $5) THEN 0 ELSE 1 END
            )
        )
        SELECT id FROM repeated
        "#,
        fetched.resource_id,
        fetched.kind,
        fetched.requested_at,
        fetched.fetch_began_at,
        &fetched.digest[..],
        body,
        PER_RESOURCE,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.is_some())
}

/// The resources among these that have been fetched, since then or ever.
pub async fn fetched(
    tx: &mut Transaction<'_>,
    resources: &[String],
    since: Option<DateTime<Utc>>,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"
        SELECT resource.id AS "id!"
        FROM unnest($1::text[]) AS resource (id)
        WHERE EXISTS (
            SELECT FROM avinode_ingest.documents AS document
            WHERE document.resource_id = resource.id
                AND ($2::timestamptz IS NULL OR document.requested_at > $2)
        )
        "#,
        resources,
        since,
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().collect())
}

/// A document that a batch applies, with those of the resource before it.
#[derive(Debug, Clone, Copy)]
pub struct AppliedDocument<'a> {
    pub resource_id: &'a str,
    pub requested_until: DateTime<Utc>,
}

/// Marks documents as applied.
pub async fn mark_applied(tx: &mut Transaction<'_>, document: AppliedDocument<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.documents
        SET applied = true
        WHERE resource_id = $1 AND requested_at <= $2 AND NOT applied
        "#,
        document.resource_id,
        document.requested_until,
    )
    .execute(tx)
    .await
    .map(drop)
}

/// The newest document of a resource, without its body.
#[derive(Debug, Clone)]
pub struct DocumentState {
    pub resource_id: String,
    /// By the database's clock, before the GET began.
    pub requested_at: DateTime<Utc>,
    pub applied: bool,
}

/// The newest documents of those of these resources that were fetched.
pub async fn newest_states(tx: &mut Transaction<'_>, resources: &[String]) -> Result<Vec<DocumentState>, sqlx::Error> {
    sqlx::query_as!(
        DocumentState,
        r#"
        SELECT newest.resource_id, newest.requested_at, newest.applied
        FROM unnest($1::text[]) AS resource (id)
        CROSS JOIN LATERAL (
            SELECT document.resource_id, document.requested_at, document.applied
            FROM avinode_ingest.documents AS document
            WHERE document.resource_id = resource.id
            ORDER BY document.requested_at DESC, document.id DESC
            LIMIT 1
        ) AS newest
        "#,
        resources,
    )
    .fetch_all(tx)
    .await
}

/// Deletes documents that are older than `retention`, in one step that begins at the time `from`. Of the newest one of each resource
/// only the body is deleted: the row records that, and when, the resource was fetched.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    let statement = sqlx::query_as!(
        PruneStep,
        r#"
        WITH old AS MATERIALIZED (
            SELECT document.id, document.stored_at, EXISTS (
                SELECT FROM avinode_ingest.documents AS newer
                WHERE newer.resource_id = document.resource_id
                    AND (newer.requested_at, newer.id) > (document.requested_at, document.id)
            ) AS has_newer
            FROM avinode_ingest.documents AS document
            WHERE document.stored_at >= coalesce($2::timestamptz, '-infinity') AND document.stored_at < clock_timestamp() - $1::interval
                AND document.body IS NOT NULL
            ORDER BY document.stored_at
            LIMIT $3
        ), deleted AS (
            DELETE FROM avinode_ingest.documents WHERE id = ANY (ARRAY(SELECT id FROM old WHERE has_newer))
        ), emptied AS (
            UPDATE avinode_ingest.documents SET body = NULL
            WHERE id = ANY (ARRAY(SELECT id FROM old WHERE NOT has_newer))
                AND stored_at < clock_timestamp() - $1::interval
        )
        SELECT count(*) AS "rows!", max(stored_at) AS until FROM old
        "#,
        interval(retention),
        from,
        ROWS_PER_STEP,
    );
    pool.fetch_one(statement).await
}

/// Deletes the rows without a body that are older than `retention`, in one step that begins at the time `from`. A resource that a
/// later event names again is fetched again.
pub async fn prune_records(
    pool: &Pool,
    retention: Duration,
    from: Option<DateTime<Utc>>,
) -> Result<PruneStep, sqlx::Error> {
    prune_step!(
        pool,
        "avinode_ingest.documents",
        "stored_at",
        "body IS NULL",
        retention,
        from
    )
    .await
}
