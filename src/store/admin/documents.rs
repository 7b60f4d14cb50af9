//! Reads fetched documents for the admin commands.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::postgres::transaction::Pool;

#[derive(Debug, Clone, Serialize)]
pub struct DocumentView {
    /// Ids rise in the order in which documents are stored.
    pub id: i64,
    pub resource: String,
    /// `rfqs`, `tripmsgs`, `quotes` or `trips`.
    pub kind: String,
    /// The time at which the last GET began.
    pub fetched_at: DateTime<Utc>,
    /// The number of consecutive fetches that returned the same content.
    pub times: i32,
    /// SHA-256 of the data in canonical form, in hex: equal for documents with the same content.
    pub sha256: String,
    /// The length of the body; `None` if it is not stored any more, or was too long.
    pub bytes: Option<i32>,
}

#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    pub resource: Option<String>,
    /// Only documents stored before this one.
    pub before: Option<i64>,
    pub limit: i64,
}

/// Lists documents, the last stored first.
pub async fn documents(pool: &Pool, filter: &DocumentFilter) -> Result<Vec<DocumentView>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query_as!(
        DocumentView,
        r#"
        SELECT id, resource_id AS resource, kind, fetch_began_at AS fetched_at, fetch_count AS times, encode(digest, 'hex') AS "sha256!",
            octet_length(body) AS bytes
        FROM avinode_ingest.documents
        WHERE ($1::text IS NULL OR resource_id = $1) AND ($2::bigint IS NULL OR id < $2)
        ORDER BY id DESC
        LIMIT $3
        "#,
        filter.resource,
        filter.before,
        filter.limit,
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(rows)
}

/// Reads one document, with its body if that is still stored.
pub async fn document(pool: &Pool, id: i64) -> Result<Option<(DocumentView, Option<Vec<u8>>)>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query!(
        r#"
        SELECT id, resource_id, kind, fetch_began_at, fetch_count, encode(digest, 'hex') AS "sha256!",
            octet_length(body) AS bytes, body
        FROM avinode_ingest.documents
        WHERE id = $1
        "#,
        id
    )
    .fetch_optional(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(row.map(|row| {
        let view = DocumentView {
            id: row.id,
            resource: row.resource_id,
            kind: row.kind,
            fetched_at: row.fetch_began_at,
            times: row.fetch_count,
            sha256: row.sha256,
            bytes: row.bytes,
        };
        (view, row.body)
    }))
}
