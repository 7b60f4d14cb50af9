//! Ends the claims of jobs that were not finished. Every statement is guarded by the lease token, so it does nothing to a
//! job that another worker holds by now.

use std::collections::HashMap;
use std::time::Duration;

use super::claim::lease_tokens;
use super::job::ClaimedJob;
use crate::job_kind::JobKind;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Pool;

/// The longest failure text that is kept, in characters.
const REASON_CHARS: usize = 500;

/// The part of a reason that differs between jobs that died of the same.
const ATTEMPTS: &str = "^gave up after [0-9]+ attempts: ";

/// Records that isolated jobs begin. A crash from here on makes them suspected, or counts towards their death if they run `alone`: by
/// themselves, or as the one call of a key. `false`: their leases are lost.
pub async fn begin_isolated(pool: &Pool, jobs: &[ClaimedJob], alone: bool) -> Result<bool, sqlx::Error> {
    let (ids, tokens) = lease_tokens(jobs);
    let statement = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET isolated_since = clock_timestamp(), suspected = job.suspected OR $3
        FROM unnest($1::bigint[], $2::bigint[]) AS held (id, token)
        WHERE job.id = held.id AND job.lease_token = held.token
        "#,
        &ids,
        &tokens,
        alone,
    );
    Ok(pool.execute(statement).await? > 0)
}

/// A job that will run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescheduledJob {
    pub job: ClaimedJob,
    pub delay: Duration,
    pub counts_attempt: bool,
    /// The failure, or what the job waits for; none after contention.
    pub note: Option<String>,
}

/// Reschedules jobs. One that was served to an end is no longer isolated for having been taken over, nor suspected.
pub async fn reschedule(pool: &Pool, jobs: &[RescheduledJob]) -> Result<u64, sqlx::Error> {
    if jobs.is_empty() {
        return Ok(0);
    }
    let (ids, tokens) = lease_tokens(jobs.iter().map(|job| &job.job));
    let delays: Vec<_> = jobs.iter().map(|job| interval(job.delay)).collect();
    let counts: Vec<bool> = jobs.iter().map(|job| job.counts_attempt).collect();
    let notes: Vec<Option<String>> = jobs.iter().map(|job| job.note.as_deref().map(bounded)).collect();
    let statement = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = NULL, leased_by = NULL, isolated_since = NULL,
            isolated = job.isolated AND back.note IS NULL,
            suspected = job.suspected AND back.note IS NULL,
            due_at = clock_timestamp() + CASE
                WHEN back.note IS NOT NULL THEN back.delay
                -- Lasting contention is retried less and less often: every two seconds after forty.
                ELSE greatest(back.delay, least(interval '2 seconds', (clock_timestamp() - job.created_at) / 20))
            END,
            attempts = job.attempts - (NOT back.counts)::int,
            history = CASE
                -- A job that waits for the same thing again has it noted once.
                WHEN back.note IS NULL OR NOT back.counts AND job.history[cardinality(job.history)] = back.note
                    THEN job.history
                -- The last ten are enough to see why.
                ELSE (job.history || back.note)[greatest(1, cardinality(job.history) - 8):]
            END
        FROM unnest($1::bigint[], $2::bigint[], $3::interval[], $4::boolean[], $5::text[])
            AS back (id, token, delay, counts, note)
        WHERE job.id = back.id AND job.lease_token = back.token
        "#,
        &ids,
        &tokens,
        &delays,
        &counts,
        &notes as &[Option<String>],
    );
    pool.execute(statement).await
}

/// Returns the failures of jobs so far, oldest first, by job.
pub async fn histories(pool: &Pool, jobs: &[ClaimedJob]) -> Result<HashMap<i64, Vec<String>>, sqlx::Error> {
    let (ids, _) = lease_tokens(jobs);
    let statement = sqlx::query!("SELECT id, history FROM avinode_ingest.jobs WHERE id = ANY ($1)", &ids);
    let rows = pool.fetch_all(statement).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.history)).collect())
}

/// Releases unused leases: the jobs are available immediately, before those that came later, and lose no attempt.
pub async fn release(pool: &Pool, jobs: impl IntoIterator<Item = &ClaimedJob>) -> Result<u64, sqlx::Error> {
    let (ids, tokens) = lease_tokens(jobs);
    if ids.is_empty() {
        return Ok(0);
    }
    let statement = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = NULL, leased_by = NULL, isolated_since = NULL, due_at = job.created_at,
            attempts = attempts - 1
        FROM unnest($1::bigint[], $2::bigint[]) AS held (id, token)
        WHERE job.id = held.id AND job.lease_token = held.token
        "#,
        &ids,
        &tokens,
    );
    pool.execute(statement).await
}

/// Releases every lease of a process when it ends. The names of its workers begin with `process`.
pub async fn release_all(pool: &Pool, process: &str) -> Result<u64, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs
        SET lease_token = NULL, leased_by = NULL, isolated_since = NULL, due_at = clock_timestamp(),
            attempts = attempts - 1
        WHERE lease_token IS NOT NULL AND starts_with(leased_by, $1)
        "#,
        process
    );
    pool.execute(statement).await
}

/// Ends the leases of one worker now: its jobs are taken over as from a worker that died, isolated, and a crash that one of
/// them may have caused is counted.
pub async fn expire_leases(pool: &Pool, worker: &str) -> Result<u64, sqlx::Error> {
    let statement = sqlx::query!(
        "UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() WHERE leased_by = $1 AND lease_token IS NOT NULL",
        worker
    );
    pool.execute(statement).await
}

/// Releases the jobs of a worker that it served to an end without a failure, while the database still has them under its leases: a
/// crash of Postgres undid an asynchronous commit. `served` are the lease tokens of what the worker serves.
pub async fn release_undone(pool: &Pool, worker: &str, served: &[i64]) -> Result<u64, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs
        SET lease_token = NULL, leased_by = NULL, isolated_since = NULL, due_at = clock_timestamp(),
            attempts = attempts - 1
        WHERE leased_by = $1 AND lease_token IS NOT NULL AND lease_token <> ALL ($2)
        "#,
        worker,
        served,
    );
    pool.execute(statement).await
}

/// Ends the leases of all jobs of these kinds now, as [`expire_leases`] does.
pub async fn expire_kinds(pool: &Pool, kinds: &[JobKind]) -> Result<u64, sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let statement = sqlx::query!(
        "UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() WHERE kind = ANY ($1) AND lease_token IS NOT NULL",
        &kinds as &[&str]
    );
    pool.execute(statement).await
}

/// Moves a job to `dead_jobs` with its history, where an admin can retry it. `false`: its lease is lost.
///
/// Of the jobs of a key that die of the same reason, one without a delivery needs no dead letter of its own beside another: to
/// retry that one does all that it would do. Only its outcome says that it died.
pub async fn dead_letter(pool: &Pool, job: &ClaimedJob, reason: &str) -> Result<bool, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        WITH dead AS MATERIALIZED (
            DELETE FROM avinode_ingest.jobs WHERE id = $1 AND lease_token = $2 RETURNING *
        ), same AS MATERIALIZED (
            SELECT other.id, other.delivery_id
            FROM dead
            JOIN avinode_ingest.dead_jobs AS other ON other.key = dead.key
            WHERE regexp_replace(other.reason, $4, '') = regexp_replace($3, $4, '')
            ORDER BY other.id
            FOR UPDATE OF other
        ), replaced AS (
            DELETE FROM avinode_ingest.dead_jobs
            WHERE id IN (SELECT same.id FROM same CROSS JOIN dead WHERE same.delivery_id IS NULL AND dead.delivery_id IS NOT NULL)
        ), kept AS (
            INSERT INTO avinode_ingest.dead_jobs
                (id, kind, key, delivery_id, created_at, attempts, crashes, reason, history)
            SELECT id, kind, key, delivery_id, created_at, attempts, crashes, $3, history
            FROM dead
            WHERE dead.delivery_id IS NOT NULL OR NOT EXISTS (SELECT FROM same)
        )
        INSERT INTO avinode_ingest.outcomes
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs)
        SELECT id, kind, key, delivery_id, created_at, attempts, 'dead', concat_ws('; ', $3, admin_action), runs FROM dead
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), attempts = EXCLUDED.attempts, outcome = EXCLUDED.outcome,
            detail = EXCLUDED.detail, runs = EXCLUDED.runs
        "#,
        job.id,
        job.token,
        bounded(reason),
        ATTEMPTS,
    );
    Ok(pool.execute(statement).await? == 1)
}

fn bounded(reason: &str) -> String {
    reason
        .chars()
        .filter(|character| *character != '\0')
        .take(REASON_CHARS)
        .collect()
}
