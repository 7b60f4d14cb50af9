//! Bodies of fetched documents. A redacted one is not parsed any more: a job that needs its resource fetches it again.

use super::BODIES_PER_STEP;
use super::scope::RedactionScope;
use crate::postgres::columns::column;
use crate::postgres::transaction::Pool;

struct Document {
    id: i64,
    resource_id: String,
    body: Vec<u8>,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, Default)]
pub struct DocumentStep {
    /// The last document that was read; `None` after the last one of all.
    pub last: Option<i64>,
    pub rows: u64,
}

/// Redacts documents after this one.
pub async fn step(pool: &Pool, scope: &RedactionScope, after: i64, dry_run: bool) -> Result<DocumentStep, sqlx::Error> {
    let query = sqlx::query_as!(
        Document,
        r#"
        SELECT id, resource_id, body AS "body!"
        FROM avinode_ingest.documents
        WHERE id > $1 AND body IS NOT NULL
        ORDER BY id
        LIMIT $2
        "#,
        after,
        BODIES_PER_STEP,
    );
    let page = pool.fetch_all(query).await?;
    let is_in_scope = |document: &Document| match &scope.trips {
        None => true,
        Some(trips) => trips.material.has(&document.resource_id) || trips.material.is_named_in(&document.body),
    };
    let changes: Vec<(i64, Vec<u8>)> = page
        .iter()
        .filter(|document| is_in_scope(document))
        .filter_map(|document| Some((document.id, scope.redaction.body(&document.body)?)))
        .collect();
    let last = page.last().map(|document| document.id);
    if dry_run || changes.is_empty() {
        let rows = changes.len() as u64;
        return Ok(DocumentStep { last, rows });
    }
    let update = sqlx::query!(
        r#"
        UPDATE avinode_ingest.documents AS document
        SET body = change.body, redacted_at = clock_timestamp()
        FROM unnest($1::bigint[], $2::bytea[]) AS change (id, body)
        WHERE document.id = change.id AND document.body IS NOT NULL
        "#,
        &column(&changes, |(id, _)| *id),
        &column(&changes, |(_, body)| body.as_slice()) as &[&[u8]],
    );
    let rows = pool.execute(update).await?;
    Ok(DocumentStep { last, rows })
}
