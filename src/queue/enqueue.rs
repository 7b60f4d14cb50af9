//! Queueing jobs: always by whoever has the reason for them, in its own transaction where there is one.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use crate::postgres::span::interval;
use crate::postgres::transaction::{Pool, Transaction};

/// A job to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Which handler it is for.
    pub kind: &'static str,
    /// What it is about.
    pub key: Option<String>,
    /// The delivery it came with.
    pub delivery_id: Option<Uuid>,
    /// How long until it becomes due, by the database's clock; `None`: at once. A time span and not a moment, because
    /// the clocks of workers and database differ.
    pub due_in: Option<Duration>,
}

/// Queues jobs inside the caller's transaction.
pub async fn enqueue(tx: &mut Transaction<'_>, jobs: &[NewJob]) -> Result<(), sqlx::Error> {
    let kinds: Vec<String> = jobs.iter().map(|job| job.kind.to_owned()).collect();
    let keys: Vec<Option<String>> = jobs.iter().map(|job| job.key.clone()).collect();
    let deliveries: Vec<Option<Uuid>> = jobs.iter().map(|job| job.delivery_id).collect();
    let due: Vec<PgInterval> = jobs
        .iter()
        .map(|job| interval(job.due_in.unwrap_or_default()))
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key, delivery_id, due_at)
        SELECT kind, key, delivery_id, clock_timestamp() + due_in
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::interval[]) AS new (kind, key, delivery_id, due_in)
        "#,
        &kinds,
        &keys as &[Option<String>],
        &deliveries as &[Option<Uuid>],
        &due,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues a job unless one of these kinds waits for the same key already, held by nobody: that one will do.
pub async fn enqueue_unless_live(tx: &mut Transaction<'_>, kinds: &[&str], job: &NewJob) -> Result<(), sqlx::Error> {
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key, delivery_id, due_at)
        SELECT $1, $2, $3, clock_timestamp() + $4
        WHERE NOT EXISTS (
            SELECT FROM avinode_ingest.jobs WHERE kind = ANY ($5) AND key = $2 AND lease_token IS NULL
        )
        "#,
        job.kind,
        job.key,
        job.delivery_id,
        interval(job.due_in.unwrap_or_default()),
        &kinds,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues a job of `kind` for each key that has none live. Returns how many were queued.
pub async fn enqueue_missing(pool: &Pool, kind: &str, keys: &[String]) -> Result<u64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let queued = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key)
        SELECT $1, asked.key
        FROM unnest($2::text[]) AS asked (key)
        WHERE NOT EXISTS (SELECT FROM avinode_ingest.jobs WHERE kind = $1 AND key = asked.key)
        "#,
        kind,
        keys
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(queued.rows_affected())
}
