//! The queue's SQL on the workers' way: claim, extend, hold, finish. Rows are guarded by their lease token.

use std::time::Duration;

use super::job::{ClaimedJob, JobOutcome};
use crate::domain::job_kind::JobKind;
use crate::postgres::interval::interval;
use crate::postgres::transaction::{Pool, Transaction};

/// Claims due jobs for `worker`: of the first of the `wanted` kinds that has any, up to as many as stand beside it. Due
/// are available ones, retries whose time has come, and jobs whose lease ran out. The claim counts the attempt; a job
/// taken over is marked to run alone.
pub async fn claim(
    pool: &Pool,
    wanted: &[(JobKind, i64)],
    worker: &str,
    lease: Duration,
) -> Result<Vec<ClaimedJob>, sqlx::Error> {
    let (kinds, limits): (Vec<&str>, Vec<i64>) = wanted.iter().map(|(kind, limit)| (kind.as_str(), *limit)).unzip();
    // A claim that went with a transaction left open would be fenced out at its end.
    pool.fetch_autocommit(sqlx::query_as!(
        ClaimedJob,
        r#"
        WITH urgent AS MATERIALIZED (
            SELECT wanted.kind, wanted.size
            FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted (kind, size, place)
            WHERE EXISTS (
                SELECT FROM avinode_ingest.jobs AS job
                -- statement_timestamp() may be an index condition, clock_timestamp() may not.
                WHERE job.kind = wanted.kind AND job.due_at <= statement_timestamp()
            )
            ORDER BY wanted.place
            LIMIT 1
        ), due AS MATERIALIZED ( -- The limit stands in a CTE: in a FROM-subquery the planner may ignore it.
            SELECT id
            FROM avinode_ingest.jobs
            WHERE kind = (SELECT kind FROM urgent) AND due_at <= statement_timestamp()
            ORDER BY due_at, id
            LIMIT (SELECT size FROM urgent)
            FOR UPDATE SKIP LOCKED
        ), claim AS MATERIALIZED (
            SELECT nextval('avinode_ingest.lease_tokens') AS token,
                -- A claim that a crash of Postgres takes back is a job that is due again: nothing is lost by not waiting.
                set_config('synchronous_commit', 'off', true) AS unhurried
        )
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = claim.token,
            leased_by = $3,
            due_at = clock_timestamp() + $4,
            attempts = job.attempts + 1,
            -- A lease that is still set has run out: its worker died, or was too slow.
            isolated = job.isolated OR job.lease_token IS NOT NULL,
            crashes = job.crashes + (job.lease_token IS NOT NULL AND job.isolated_since IS NOT NULL)::int,
            isolated_since = NULL
        FROM due, claim
        WHERE job.id = due.id
        RETURNING job.id, job.kind AS "kind: _", job.lease_token AS "token!", job.key, job.delivery_id, job.created_at, job.attempts,
            job.crashes, job.isolated
        "#,
        &kinds as &[&str],
        &limits,
        worker,
        interval(lease),
    ))
    .await
}

/// Extends the leases of `jobs` that are still held. Rows that a transaction has locked are passed over: no claim can
/// take them either.
pub async fn renew(pool: &Pool, jobs: &[ClaimedJob], lease: Duration) -> Result<u64, sqlx::Error> {
    let (ids, tokens) = lease_tokens(jobs);
    let mut tx = pool.begin().await?;
    let extended = sqlx::query!(
        r#"
        WITH held AS MATERIALIZED (
            SELECT job.id
            FROM avinode_ingest.jobs AS job
            JOIN unnest($1::bigint[], $2::bigint[]) AS held (id, token)
                ON job.id = held.id AND job.lease_token = held.token
            ORDER BY job.id
            FOR UPDATE OF job SKIP LOCKED
        )
        UPDATE avinode_ingest.jobs AS job
        SET due_at = clock_timestamp() + $3
        FROM held
        WHERE job.id = held.id
        "#,
        &ids,
        &tokens,
        interval(lease),
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(extended.rows_affected())
}

/// Locks the jobs that are still held under their tokens, in order of id, and returns their ids. Every apply begins
/// with this and decides only for what it returns: a worker that lost its lease changes nothing.
pub async fn lock_held(tx: &mut Transaction<'_>, jobs: &[ClaimedJob]) -> Result<Vec<i64>, sqlx::Error> {
    let (ids, tokens) = lease_tokens(jobs);
    sqlx::query_scalar!(
        r#"
        SELECT job.id
        FROM avinode_ingest.jobs AS job
        JOIN unnest($1::bigint[], $2::bigint[]) AS held (id, token)
            ON job.id = held.id AND job.lease_token = held.token
        ORDER BY job.id
        FOR UPDATE OF job
        "#,
        &ids,
        &tokens,
    )
    .fetch_all(tx)
    .await
}

/// Finishes jobs that [`lock_held`] locked in this transaction: they leave `jobs`, their outcomes stay.
pub async fn complete(tx: &mut Transaction<'_>, outcomes: &[JobOutcome]) -> Result<u64, sqlx::Error> {
    let ids: Vec<i64> = outcomes.iter().map(|outcome| outcome.job).collect();
    let words: Vec<String> = outcomes.iter().map(|outcome| outcome.outcome.to_owned()).collect();
    let details: Vec<String> = outcomes.iter().map(|outcome| outcome.detail.clone()).collect();
    let finished = sqlx::query!(
        r#"
        WITH finished AS (
            DELETE FROM avinode_ingest.jobs WHERE id = ANY ($1) RETURNING *
        )
        INSERT INTO avinode_ingest.outcomes
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs)
        SELECT finished.id, kind, key, delivery_id, created_at, attempts, result.outcome, nullif(result.detail, ''), runs
        FROM finished
        JOIN unnest($1::bigint[], $2::text[], $3::text[]) AS result (id, outcome, detail) ON result.id = finished.id
        ORDER BY finished.id
        -- A dead job that an operator sent back has an outcome already.
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), attempts = EXCLUDED.attempts, outcome = EXCLUDED.outcome,
            detail = EXCLUDED.detail, runs = EXCLUDED.runs
        "#,
        &ids,
        &words,
        &details,
    )
    .execute(tx)
    .await?;
    Ok(finished.rows_affected())
}

pub(super) fn lease_tokens(jobs: &[ClaimedJob]) -> (Vec<i64>, Vec<i64>) {
    jobs.iter().map(|job| (job.id, job.token)).unzip()
}
