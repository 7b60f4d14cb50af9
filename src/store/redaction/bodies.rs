//! Bodies and headers of deliveries. A delivery that a live job needs is left as it is until the job is done.

use uuid::Uuid;

use super::BODIES_PER_STEP;
use super::scope::RedactionScope;
use crate::domain::redaction::bodies::REDACTED_BODY;
use crate::postgres::columns::column;
use crate::postgres::transaction::Pool;
use crate::store::deliveries::range;

/// A stored delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: Uuid,
    pub headers: String,
    pub body: Vec<u8>,
}

/// A new body, and new headers if they change.
#[derive(Debug, Clone)]
pub struct Change {
    pub id: Uuid,
    pub headers: Option<String>,
    pub body: Option<Vec<u8>>,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    pub rows: u64,
    /// Deliveries that a live job needs.
    pub needed: u64,
}

/// The deliveries after this one, in the order of their ids.
pub async fn page(pool: &Pool, after: Uuid) -> Result<Vec<Delivery>, sqlx::Error> {
    let query = sqlx::query_as!(
        Delivery,
        "SELECT id, headers, body FROM avinode_ingest.deliveries WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        BODIES_PER_STEP,
    );
    pool.fetch_all(query).await
}

impl Delivery {
    /// `None` if nothing in it is redacted.
    pub fn change(&self, scope: &RedactionScope) -> Option<Change> {
        if scope
            .trips
            .as_ref()
            .is_some_and(|trips| !trips.deliveries.contains(&self.id))
        {
            return None;
        }
        let change = Change {
            id: self.id,
            headers: scope.redaction.headers(&self.headers),
            body: scope.redaction.body(&self.body),
        };
        (change.headers.is_some() || change.body.is_some()).then_some(change)
    }

    /// True if it is about trips of the scope, and not redacted as a whole yet.
    pub fn is_about(&self, scope: &RedactionScope) -> bool {
        let trips = scope.trips.as_ref();
        self.body != REDACTED_BODY && trips.is_some_and(|trips| trips.material.is_named_in(&self.body))
    }
}

/// Writes changes, and records what was received. Nothing is written in a dry run.
pub async fn write(pool: &Pool, changes: &[Change], dry_run: bool) -> Result<Changed, sqlx::Error> {
    if changes.is_empty() {
        return Ok(Changed::default());
    }
    let ids = column(changes, |change| change.id);
    let all = ids.len() as u64;
    if dry_run {
        let needed = sqlx::query!(
            r#"SELECT count(DISTINCT delivery_id) AS "needed!" FROM avinode_ingest.jobs WHERE delivery_id = ANY ($1)"#,
            &ids
        );
        let needed = pool.fetch_one(needed).await?.needed.unsigned_abs();
        return Ok(Changed {
            rows: all - needed,
            needed,
        });
    }
    // A plan for any ids prunes partitions by the range, and not by the list.
    let (lowest, highest) = range(&ids);
    let update = sqlx::query!(
        r#"
        WITH change AS MATERIALIZED (
            SELECT change.id, change.headers, change.body
            FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS change (id, headers, body)
            WHERE NOT EXISTS (SELECT FROM avinode_ingest.jobs AS job WHERE job.delivery_id = change.id)
        ), proof AS (
            INSERT INTO avinode_ingest.redactions (delivery_id, body_sha256, body_bytes)
            SELECT delivery.id, sha256(delivery.body), octet_length(delivery.body)
            FROM avinode_ingest.deliveries AS delivery
            JOIN change ON change.id = delivery.id AND change.body IS NOT NULL
            WHERE delivery.id = ANY ($1) AND delivery.id BETWEEN $4 AND $5
            ON CONFLICT (delivery_id) DO NOTHING
        )
        UPDATE avinode_ingest.deliveries AS delivery
        SET headers = coalesce(change.headers, delivery.headers), body = coalesce(change.body, delivery.body)
        FROM change
        WHERE delivery.id = change.id AND delivery.id = ANY ($1) AND delivery.id BETWEEN $4 AND $5
        RETURNING delivery.id
        "#,
        &ids,
        &column(changes, |change| change.headers.as_deref()) as &[Option<&str>],
        &column(changes, |change| change.body.as_deref()) as &[Option<&[u8]>],
        lowest,
        highest,
    );
    let written = pool.fetch_all(update).await?;
    let rows = written.len() as u64;
    Ok(Changed {
        rows,
        needed: all - rows,
    })
}
