//! Queueing jobs: by whoever has the reason for them, in its own transaction where there is one.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use crate::domain::job_kind::JobKind;
use crate::postgres::interval::interval;
use crate::postgres::transaction::{Pool, Transaction};

/// A job to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    pub kind: JobKind,
    /// What it is about.
    pub key: Option<String>,
    /// The delivery it came with.
    pub delivery_id: Option<Uuid>,
    /// How long until it becomes due, by the database's clock; `None`: at once. A time span and not a moment, because
    /// the clocks of workers and database differ.
    pub due_in: Option<Duration>,
}

/// New jobs as the arrays that a statement takes.
struct Columns {
    kinds: Vec<&'static str>,
    keys: Vec<Option<String>>,
    deliveries: Vec<Option<Uuid>>,
    due: Vec<PgInterval>,
}

impl Columns {
    fn of(jobs: &[NewJob]) -> Self {
        Self {
            kinds: jobs.iter().map(|job| job.kind.as_str()).collect(),
            keys: jobs.iter().map(|job| job.key.clone()).collect(),
            deliveries: jobs.iter().map(|job| job.delivery_id).collect(),
            due: jobs
                .iter()
                .map(|job| interval(job.due_in.unwrap_or_default()))
                .collect(),
        }
    }
}

/// Queues jobs inside the caller's transaction.
pub async fn enqueue(tx: &mut Transaction<'_>, jobs: &[NewJob]) -> Result<(), sqlx::Error> {
    let columns = Columns::of(jobs);
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key, delivery_id, due_at)
        SELECT kind, key, delivery_id, clock_timestamp() + due_in
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::interval[]) AS new (kind, key, delivery_id, due_in)
        "#,
        &columns.kinds as &[&str],
        &columns.keys as &[Option<String>],
        &columns.deliveries as &[Option<Uuid>],
        &columns.due,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues jobs inside the caller's transaction, each unless one of its kind waits for the same key already, held by nobody:
/// that one will do. Callers that may want the same one have met at a lock before, or both may queue it.
pub async fn enqueue_each_unless_live(tx: &mut Transaction<'_>, jobs: &[NewJob]) -> Result<(), sqlx::Error> {
    let columns = Columns::of(jobs);
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key, delivery_id, due_at)
        SELECT kind, key, delivery_id, clock_timestamp() + due_in
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::interval[]) AS new (kind, key, delivery_id, due_in)
        WHERE NOT EXISTS (
            SELECT FROM avinode_ingest.jobs AS live
            WHERE live.kind = new.kind AND live.key = new.key AND live.lease_token IS NULL
        )
        "#,
        &columns.kinds as &[&str],
        &columns.keys as &[Option<String>],
        &columns.deliveries as &[Option<Uuid>],
        &columns.due,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues jobs that follow from others, inside the transaction that finishes those: whoever waits for a job waits for what
/// follows from it in its kind as well.
pub async fn enqueue_following(tx: &mut Transaction<'_>, jobs: &[NewJob], from: &[i64]) -> Result<(), sqlx::Error> {
    let columns = Columns::of(jobs);
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key, delivery_id, due_at, runs)
        SELECT kind, key, delivery_id, clock_timestamp() + due_in, (
            SELECT array_agg(DISTINCT run)
            FROM avinode_ingest.jobs AS before
            CROSS JOIN LATERAL unnest(before.runs) AS run
            WHERE before.id = ANY ($5) AND before.kind = new.kind
        )
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::interval[]) AS new (kind, key, delivery_id, due_in)
        "#,
        &columns.kinds as &[&str],
        &columns.keys as &[Option<String>],
        &columns.deliveries as &[Option<Uuid>],
        &columns.due,
        from,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues a job unless one of these kinds waits for the same key already, held by nobody: that one will do.
pub async fn enqueue_unless_live(tx: &mut Transaction<'_>, kinds: &[JobKind], job: &NewJob) -> Result<(), sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key, delivery_id, due_at)
        SELECT $1, $2, $3, clock_timestamp() + $4
        WHERE NOT EXISTS (
            SELECT FROM avinode_ingest.jobs WHERE kind = ANY ($5) AND key = $2 AND lease_token IS NULL
        )
        "#,
        job.kind.as_str(),
        job.key,
        job.delivery_id,
        interval(job.due_in.unwrap_or_default()),
        &kinds as &[&str],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues a job of `kind` for each key that has none live. Returns how many were queued.
pub async fn enqueue_missing(pool: &Pool, kind: JobKind, keys: &[String]) -> Result<u64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let queued = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key)
        SELECT $1, asked.key
        FROM unnest($2::text[]) AS asked (key)
        WHERE NOT EXISTS (SELECT FROM avinode_ingest.jobs WHERE kind = $1 AND key = asked.key)
        "#,
        kind.as_str(),
        keys
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(queued.rows_affected())
}

/// For which of these keys there is a job of one of these kinds, held by a worker or not.
pub async fn live(tx: &mut Transaction<'_>, kinds: &[JobKind], keys: &[String]) -> Result<Vec<String>, sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    sqlx::query_scalar!(
        r#"SELECT DISTINCT key AS "key!" FROM avinode_ingest.jobs WHERE kind = ANY ($1) AND key = ANY ($2)"#,
        &kinds as &[&str],
        keys
    )
    .fetch_all(tx)
    .await
}

/// Queues a job of `kind` for each key, in a run that waits for all of them. A job that nobody holds yet serves this run too;
/// one that is being worked on began before it was asked for. Returns how many were queued.
pub async fn enqueue_in_run(pool: &Pool, kind: JobKind, keys: &[String], run: Uuid) -> Result<u64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let queued = sqlx::query!(
        r#"
        WITH live AS MATERIALIZED (
            SELECT id FROM avinode_ingest.jobs
            WHERE kind = $1 AND key = ANY ($2) AND lease_token IS NULL
            ORDER BY id
            FOR UPDATE
        ), joined AS (
            UPDATE avinode_ingest.jobs AS job
            SET runs = array_append(job.runs, $3)
            FROM live
            WHERE job.id = live.id
            RETURNING job.key
        )
        INSERT INTO avinode_ingest.jobs (kind, key, runs)
        SELECT $1, asked.key, ARRAY[$3]
        FROM unnest($2::text[]) AS asked (key)
        WHERE NOT EXISTS (SELECT FROM joined WHERE joined.key = asked.key)
        "#,
        kind.as_str(),
        keys,
        run,
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(queued.rows_affected())
}
