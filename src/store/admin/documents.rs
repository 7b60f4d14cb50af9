//! What operators read of fetched documents.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::postgres::transaction::Pool;

/// A document that was fetched.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentView {
    /// In the order of keeping.
    pub id: i64,
    /// The resource's id.
    pub resource: String,
    /// `rfqs`, `tripmsgs`, `quotes` or `trips`.
    pub kind: String,
    /// When its GET began, the last of them.
    pub fetched_at: DateTime<Utc>,
    /// How often in a row the same was returned.
    pub times: i32,
    /// SHA-256 of its data in canonical form, in hex: documents that say the same have the same.
    pub sha256: String,
    /// Bytes of the body; `None` where it is no longer kept, or was too long for that.
    pub bytes: Option<i32>,
}

/// Which documents to list.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// Only those of this resource.
    pub resource: Option<String>,
    /// Only those kept before this one.
    pub before: Option<i64>,
    /// At most this many.
    pub limit: i64,
}

/// Lists documents, the last kept first.
pub async fn documents(pool: &Pool, filter: &DocumentFilter) -> Result<Vec<DocumentView>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query_as!(
        DocumentView,
        r#"
        SELECT id, resource_id AS resource, kind, began_at AS fetched_at, times, encode(digest, 'hex') AS "sha256!",
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

/// Reads one document; its body is gone once it is old.
pub async fn document(pool: &Pool, id: i64) -> Result<Option<(DocumentView, Option<Vec<u8>>)>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query!(
        r#"
        SELECT id, resource_id, kind, began_at, times, encode(digest, 'hex') AS "sha256!", octet_length(body) AS bytes, body
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
            fetched_at: row.began_at,
            times: row.times,
            sha256: row.sha256,
            bytes: row.bytes,
        };
        (view, row.body)
    }))
}
