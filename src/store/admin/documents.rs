//! Reads fetched documents for the admin commands.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::postgres::transaction::Pool;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Document)]
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
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
}

/// Lists the documents, of one resource or of all, that were stored before this one: the last stored first, without bodies.
pub async fn documents(
    pool: &Pool,
    resource: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<DocumentView>, sqlx::Error> {
    read(pool, resource, before, limit, None).await
}

/// Reads one document, with its body if that is still stored.
pub async fn document(pool: &Pool, id: i64) -> Result<Option<DocumentView>, sqlx::Error> {
    Ok(read(pool, None, None, 1, Some(id)).await?.pop())
}

async fn read(
    pool: &Pool,
    resource: Option<&str>,
    before: Option<i64>,
    limit: i64,
    id: Option<i64>,
) -> Result<Vec<DocumentView>, sqlx::Error> {
    let query = sqlx::query_as!(
        DocumentView,
        r#"
        SELECT id, resource_id AS resource, kind, fetch_began_at AS fetched_at, fetch_count AS times,
            encode(digest, 'hex') AS "sha256!", octet_length(body) AS bytes, CASE WHEN id = $4 THEN body END AS body
        FROM avinode_ingest.documents
        WHERE ($1::text IS NULL OR resource_id = $1) AND ($2::bigint IS NULL OR id < $2)
            AND ($4::bigint IS NULL OR id = $4)
        ORDER BY id DESC
        LIMIT $3
        "#,
        resource,
        before,
        limit,
        id,
    );
    pool.fetch_all(query).await
}
