//! Inserts jobs of a kind as far as bounds on its waiting jobs allow.

use sqlx::postgres::types::PgInterval;

use crate::enqueue::NewJob;
use crate::job_kind::JobKind;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Transaction;

/// The most jobs of a kind that wait or run, of those with a batch key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// With one batch key.
    pub per_batch_key: i64,
    pub in_all: i64,
}

/// The result of [`insert`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inserted {
    pub inserted: u64,
    /// The keys for which there was no room.
    pub left_out: Vec<String>,
}

/// Inserts jobs of this kind, each with a batch key, in the order given, as far as there is room.
/// A key that has a job of this kind or of `kinds` already is skipped. Transactions that insert jobs of a kind within
/// bounds wait for each other, so that the bounds hold.
pub async fn insert(
    tx: &mut Transaction<'_>,
    kind: JobKind,
    jobs: &[NewJob],
    kinds: &[JobKind],
    bounds: Bounds,
) -> Result<Inserted, sqlx::Error> {
    if jobs.is_empty() {
        return Ok(Inserted::default());
    }
    let keys: Vec<Option<&str>> = jobs.iter().map(|job| job.key.as_deref()).collect();
    let batch_keys: Vec<Option<&str>> = jobs.iter().map(|job| job.batch_key.as_deref()).collect();
    let delays: Vec<PgInterval> = jobs.iter().map(|job| interval(job.due_in)).collect();
    let kinds: Vec<&str> = kinds.iter().chain([&kind]).map(|kind| kind.as_str()).collect();
    // A statement of its own: the next one sees what was committed before the lock was granted.
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('avinode_ingest.bounded ' || $1, 0))",
        kind.as_str()
    )
    .execute(&mut *tx)
    .await?;
    let rows = sqlx::query!(
        r#"
        WITH new AS MATERIALIZED (
            SELECT DISTINCT ON (new.key) new.key, new.batch_key, new.due_in, new.place
            FROM unnest($2::text[], $3::text[], $4::interval[]) WITH ORDINALITY AS new (key, batch_key, due_in, place)
            WHERE NOT EXISTS (
                SELECT FROM avinode_ingest.jobs AS live
                WHERE live.kind = ANY ($5) AND live.key = new.key
            )
            ORDER BY new.key, new.place
        ), present AS MATERIALIZED (
            SELECT job.batch_key, count(*) AS jobs
            FROM avinode_ingest.jobs AS job
            WHERE job.kind = $1 AND job.batch_key IS NOT NULL
            GROUP BY job.batch_key
        ), numbered AS MATERIALIZED (
            SELECT new.key, new.batch_key, new.due_in, new.place,
                coalesce(present.jobs, 0) + row_number() OVER (PARTITION BY new.batch_key ORDER BY new.place) AS nth
            FROM new
            LEFT JOIN present ON present.batch_key = new.batch_key
        ), admitted AS MATERIALIZED (
            -- Each batch key in turn, so that the bound on all is shared.
            SELECT key, batch_key, due_in
            FROM numbered
            WHERE nth <= $6
            ORDER BY nth, place
            LIMIT greatest($7 - (SELECT coalesce(sum(jobs), 0)::bigint FROM present), 0)
        ), inserted AS (
            INSERT INTO avinode_ingest.jobs (kind, key, batch_key, due_at)
            SELECT $1, key, batch_key, clock_timestamp() + due_in
            FROM admitted
        )
        SELECT new.key AS "key!", EXISTS (SELECT FROM admitted WHERE admitted.key = new.key) AS "is_admitted!"
        FROM new
        ORDER BY new.place
        "#,
        kind.as_str(),
        &keys as &[Option<&str>],
        &batch_keys as &[Option<&str>],
        &delays,
        &kinds as &[&str],
        bounds.per_batch_key,
        bounds.in_all,
    )
    .fetch_all(tx)
    .await?;
    let (admitted, left_out): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_admitted);
    Ok(Inserted {
        inserted: admitted.len() as u64,
        left_out: left_out.into_iter().map(|row| row.key).collect(),
    })
}
