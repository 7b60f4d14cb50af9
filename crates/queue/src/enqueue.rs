//! Inserts jobs, in the transaction of the change that calls for them.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use crate::job::ClaimedJob;
use crate::job_kind::JobKind;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Transaction;

/// A job to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    pub kind: JobKind,
    /// Jobs about the same thing have the same key: a resource id, a session id, a quote.
    pub key: Option<String>,
    /// Jobs with the same value are claimed together where possible.
    pub batch_key: Option<String>,
    pub delivery_id: Option<Uuid>,
    /// A delay and not a time, because the clocks of workers and database differ.
    pub due_in: Duration,
}

impl NewJob {
    /// A job that is due immediately.
    pub fn new(kind: JobKind, key: impl Into<String>) -> Self {
        Self {
            kind,
            key: Some(key.into()),
            batch_key: None,
            delivery_id: None,
            due_in: Duration::ZERO,
        }
    }

    #[must_use]
    pub fn due_in(self, due_in: Duration) -> Self {
        Self { due_in, ..self }
    }
}

/// Options for [`insert`].
#[derive(Debug, Clone, Copy, Default)]
pub struct InsertOptions<'a> {
    pub unique: Option<UniqueOptions<'a>>,
    pub runs: RunOption<'a>,
    /// The replay by an admin, for the outcomes of the jobs.
    pub admin_action: Option<&'a str>,
}

impl<'a> InsertOptions<'a> {
    pub fn unique(unique: UniqueOptions<'a>) -> Self {
        let unique = Some(unique);
        Self {
            unique,
            ..Self::default()
        }
    }

    pub fn runs(runs: RunOption<'a>) -> Self {
        Self {
            runs,
            ..Self::default()
        }
    }
}

/// Skips a job if another job has its key and batch key already. Two transactions that insert the same key at the same time may both
/// insert it, unless they hold a common lock.
#[derive(Debug, Clone, Copy, Default)]
pub struct UniqueOptions<'a> {
    /// The kinds that count, beside the new job's own.
    pub kinds: &'a [JobKind],
    /// Counts claimed jobs as well. A claimed job may have started before the change that calls for the new one.
    pub claimed: bool,
}

impl UniqueOptions<'_> {
    /// One live job of a kind and key, claimed or not.
    pub const LIVE: UniqueOptions<'static> = UniqueOptions {
        kinds: &[],
        claimed: true,
    };
}

/// The runs of a command that wait for the inserted jobs.
#[derive(Debug, Clone, Copy, Default)]
pub enum RunOption<'a> {
    #[default]
    None,
    /// This run. An unclaimed job of the same kind and key joins it instead of being inserted again.
    Join(Uuid),
    /// The runs of these jobs, where they have the same kind.
    InheritFrom(&'a [i64]),
}

/// Inserts jobs and returns how many were inserted.
pub async fn insert(tx: &mut Transaction<'_>, jobs: &[NewJob], options: InsertOptions<'_>) -> Result<u64, sqlx::Error> {
    if jobs.is_empty() {
        return Ok(0);
    }
    let (run, parents) = match options.runs {
        RunOption::None => (None, &[][..]),
        RunOption::Join(run) => (Some(run), &[][..]),
        RunOption::InheritFrom(parents) => (None, parents),
    };
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
    let keys: Vec<Option<&str>> = jobs.iter().map(|job| job.key.as_deref()).collect();
    let batch_keys: Vec<Option<&str>> = jobs.iter().map(|job| job.batch_key.as_deref()).collect();
    let deliveries: Vec<Option<Uuid>> = jobs.iter().map(|job| job.delivery_id).collect();
    let delays: Vec<PgInterval> = jobs.iter().map(|job| interval(job.due_in)).collect();
    let unique = options.unique.unwrap_or_default();
    let unique_kinds: Vec<&str> = unique.kinds.iter().map(|kind| kind.as_str()).collect();
    let inserted = sqlx::query!(
        r#"
        WITH new AS MATERIALIZED (
            SELECT *
            FROM unnest($1::text[], $2::text[], $3::uuid[], $4::interval[], $10::text[])
                AS new (kind, key, delivery_id, due_in, batch_key)
        ), waiting AS MATERIALIZED (
            -- A claimed job may have started before the run.
            SELECT job.id
            FROM new
            JOIN avinode_ingest.jobs AS job ON job.kind = new.kind AND job.key = new.key
            WHERE $8::uuid IS NOT NULL AND job.lease_token IS NULL
            ORDER BY job.id
            FOR UPDATE OF job
        ), joined AS (
            UPDATE avinode_ingest.jobs AS job
            SET runs = array_append(job.runs, $8)
            FROM waiting
            WHERE job.id = waiting.id
            RETURNING job.kind, job.key
        )
        INSERT INTO avinode_ingest.jobs (kind, key, batch_key, delivery_id, due_at, admin_action, runs)
        SELECT new.kind, new.key, new.batch_key, new.delivery_id, clock_timestamp() + new.due_in, $11,
            CASE
                WHEN $8::uuid IS NOT NULL THEN ARRAY[$8]
                ELSE (
                    SELECT array_agg(DISTINCT run)
                    FROM avinode_ingest.jobs AS parent
                    CROSS JOIN LATERAL unnest(parent.runs) AS run
                    WHERE parent.id = ANY ($9) AND parent.kind = new.kind
                )
            END
        FROM new
        WHERE NOT EXISTS (SELECT FROM joined WHERE joined.kind = new.kind AND joined.key = new.key)
            AND (NOT $5 OR NOT EXISTS (
                SELECT FROM avinode_ingest.jobs AS live
                WHERE live.kind = ANY (array_append($6::text[], new.kind)) AND live.key = new.key
                    AND live.batch_key IS NOT DISTINCT FROM new.batch_key
                    AND ($7 OR live.lease_token IS NULL)
            ))
        "#,
        &kinds as &[&str],
        &keys as &[Option<&str>],
        &deliveries as &[Option<Uuid>],
        &delays,
        options.unique.is_some(),
        &unique_kinds as &[&str],
        unique.claimed,
        run,
        parents,
        &batch_keys as &[Option<&str>],
        options.admin_action,
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected())
}

/// Inserts jobs as claimed ones, for a transaction that is rolled back: no worker sees them.
pub async fn insert_claimed(tx: &mut Transaction<'_>, jobs: &[NewJob]) -> Result<Vec<ClaimedJob>, sqlx::Error> {
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
    let keys: Vec<Option<&str>> = jobs.iter().map(|job| job.key.as_deref()).collect();
    let batch_keys: Vec<Option<&str>> = jobs.iter().map(|job| job.batch_key.as_deref()).collect();
    let deliveries: Vec<Option<Uuid>> = jobs.iter().map(|job| job.delivery_id).collect();
    sqlx::query_as!(
        ClaimedJob,
        r#"
        INSERT INTO avinode_ingest.jobs (kind, key, batch_key, delivery_id, lease_token, attempts)
        SELECT kind, key, batch_key, delivery_id, 0, 1
        FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) WITH ORDINALITY
            AS new (kind, key, batch_key, delivery_id, place)
        ORDER BY place
        RETURNING id, kind AS "kind: _", lease_token AS "token!", key, delivery_id, created_at,
            clock_timestamp() AS "claimed_at!", attempts, crashes, isolated, suspected
        "#,
        &kinds as &[&str],
        &keys as &[Option<&str>],
        &batch_keys as &[Option<&str>],
        &deliveries as &[Option<Uuid>],
    )
    .fetch_all(tx)
    .await
}

/// Returns when the newest dead-lettered job of these kinds was inserted, for each of these keys that has one.
pub async fn dead_jobs_of(
    tx: &mut Transaction<'_>,
    kinds: &[JobKind],
    keys: &[String],
) -> Result<HashMap<String, DateTime<Utc>>, sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let rows = sqlx::query!(
        r#"
        SELECT key AS "key!", max(created_at) AS "created_at!"
        FROM avinode_ingest.dead_jobs
        WHERE kind = ANY ($1) AND key = ANY ($2)
        GROUP BY key
        "#,
        &kinds as &[&str],
        keys
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key, row.created_at)).collect())
}

/// Returns which of these keys have a job of one of these kinds, claimed or not.
pub async fn keys_with_jobs(
    tx: &mut Transaction<'_>,
    kinds: &[JobKind],
    keys: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    sqlx::query_scalar!(
        r#"SELECT DISTINCT key AS "key!" FROM avinode_ingest.jobs WHERE kind = ANY ($1) AND key = ANY ($2)"#,
        &kinds as &[&str],
        keys
    )
    .fetch_all(tx)
    .await
}
