//! Documents as they were fetched: kept for audit, and so that nothing that fails afterwards makes them be fetched again.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::postgres::interval::interval;
use crate::postgres::transaction::{Pool, Transaction};

/// Documents of one resource that are kept.
const KEPT: i64 = 5;
/// The longest body that is kept; Avinode's are a few kilobytes.
const LONGEST_BODY: usize = 1024 * 1024;
/// Rows that one transaction prunes.
const CHUNK: i64 = 5_000;

/// The newest document of a resource.
#[derive(Debug, Clone)]
pub struct StoredDocument {
    /// By the database's clock, before its GET began.
    pub asked_at: DateTime<Utc>,
    /// When its GET began, by the worker's clock.
    pub began_at: DateTime<Utc>,
    /// The body; gone once it is old, or where it was too long.
    pub body: Option<Vec<u8>>,
}

/// A document just fetched.
#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    /// The resource's id.
    pub resource: &'a str,
    /// `rfqs`, `tripmsgs`, `quotes` or `trips`.
    pub kind: &'a str,
    /// By the database's clock, before its GET began.
    pub asked_at: DateTime<Utc>,
    /// When its GET began, by the worker's clock.
    pub began_at: DateTime<Utc>,
    /// SHA-256 of what it says.
    pub digest: [u8; 32],
    /// The body.
    pub body: &'a [u8],
}

/// The newest document of a resource.
pub async fn newest(tx: &mut Transaction<'_>, resource: &str) -> Result<Option<StoredDocument>, sqlx::Error> {
    sqlx::query_as!(
        StoredDocument,
        r#"
        SELECT asked_at, began_at, body
        FROM avinode_ingest.documents
        WHERE resource_id = $1
        ORDER BY asked_at DESC, id DESC
        LIMIT 1
        "#,
        resource
    )
    .fetch_optional(tx)
    .await
}

/// Keeps a document; one that says the same as the last is the same row, with later times. Returns whether it does.
pub async fn keep(tx: &mut Transaction<'_>, fetched: &NewDocument<'_>) -> Result<bool, sqlx::Error> {
    let body = (fetched.body.len() <= LONGEST_BODY).then_some(fetched.body);
    let row = sqlx::query!(
        r#"
        WITH newest AS MATERIALIZED (
            SELECT id, digest
            FROM avinode_ingest.documents
            WHERE resource_id = $1
            ORDER BY asked_at DESC, id DESC
            LIMIT 1
        ), again AS (
            UPDATE avinode_ingest.documents AS document
            SET asked_at = greatest(document.asked_at, $3), began_at = greatest(document.began_at, $4),
                kept_at = clock_timestamp(), times = document.times + 1, body = $6
            FROM newest
            WHERE document.id = newest.id AND newest.digest = $5
            RETURNING document.id
        ), new AS (
            INSERT INTO avinode_ingest.documents (resource_id, kind, asked_at, began_at, digest, body)
            SELECT $1, $2, $3, $4, $5, $6
            WHERE NOT EXISTS (SELECT FROM newest WHERE digest = $5)
        ), too_many AS (
            DELETE FROM avinode_ingest.documents
            WHERE id IN (
                SELECT id FROM avinode_ingest.documents
                WHERE resource_id = $1
                ORDER BY asked_at DESC, id DESC
                -- A new one comes on top of these.
                OFFSET $7::bigint - CASE WHEN EXISTS (SELECT FROM newest WHERE digest = $5) THEN 0 ELSE 1 END
            )
        )
        SELECT id FROM again
        "#,
        fetched.resource,
        fetched.kind,
        fetched.asked_at,
        fetched.began_at,
        &fetched.digest[..],
        body,
        KEPT,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.is_some())
}

/// Which of these resources have been fetched, since then or ever.
pub async fn fetched(
    tx: &mut Transaction<'_>,
    resources: &[String],
    since: Option<DateTime<Utc>>,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"
        SELECT asked.id AS "id!"
        FROM unnest($1::text[]) AS asked (id)
        WHERE EXISTS (
            SELECT FROM avinode_ingest.documents AS document
            WHERE document.resource_id = asked.id AND ($2::timestamptz IS NULL OR document.asked_at > $2)
        )
        "#,
        resources,
        since,
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().collect())
}

/// Takes what is older than `keep` away, in chunks: documents, but of the newest of each resource its body only. Returns how
/// many.
pub async fn prune(pool: &Pool, keep: Duration) -> Result<u64, sqlx::Error> {
    let mut pruned = 0;
    loop {
        let mut tx = pool.begin().await?;
        let chunk = sqlx::query!(
            r#"
            WITH old AS MATERIALIZED (
                SELECT document.id, EXISTS (
                    SELECT FROM avinode_ingest.documents AS newer
                    WHERE newer.resource_id = document.resource_id
                        AND (newer.asked_at, newer.id) > (document.asked_at, document.id)
                ) AS replaced
                FROM avinode_ingest.documents AS document
                WHERE document.kept_at < clock_timestamp() - $1::interval AND document.body IS NOT NULL
                LIMIT $2
            ), gone AS (
                DELETE FROM avinode_ingest.documents WHERE id IN (SELECT id FROM old WHERE replaced)
            ), emptied AS (
                UPDATE avinode_ingest.documents SET body = NULL WHERE id IN (SELECT id FROM old WHERE NOT replaced)
            )
            SELECT count(*) AS "count!" FROM old
            "#,
            interval(keep),
            CHUNK,
        )
        .fetch_one(&mut tx)
        .await?
        .count;
        tx.commit().await?;
        pruned += chunk.unsigned_abs();
        if chunk < CHUNK {
            return Ok(pruned);
        }
    }
}
