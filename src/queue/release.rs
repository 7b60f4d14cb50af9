//! What becomes of claimed jobs that were not finished: put back, given back, let go, buried. Guarded by the lease token like
//! everything else, so it does nothing to a job that another worker has by now.

use std::collections::HashMap;
use std::time::Duration;

use super::claim::lease_tokens;
use super::job::ClaimedJob;
use crate::postgres::interval::interval;
use crate::postgres::transaction::Pool;

/// A failure text is kept up to this many characters.
const REASON_CHARS: usize = 500;

/// Notes that jobs that run alone begin, so that a crash from here on counts towards their death. `false`: their leases are
/// lost.
pub async fn begin_isolated(pool: &Pool, jobs: &[ClaimedJob]) -> Result<bool, sqlx::Error> {
    let (ids, tokens) = lease_tokens(jobs);
    let mut tx = pool.begin().await?;
    let begun = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET isolated_since = clock_timestamp()
        FROM unnest($1::bigint[], $2::bigint[]) AS held (id, token)
        WHERE job.id = held.id AND job.lease_token = held.token
        "#,
        &ids,
        &tokens,
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(begun.rows_affected() > 0)
}

/// A job that is to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescheduledJob {
    /// The claim.
    pub job: ClaimedJob,
    /// For how long it waits.
    pub delay: Duration,
    /// The attempt was its own fault.
    pub counts: bool,
    /// What went wrong, or what it waits for; nothing where it only met others' locks.
    pub noted: Option<String>,
}

/// Puts jobs back. One that was served to an end need not run alone the next time for having been taken over.
pub async fn reschedule(pool: &Pool, jobs: &[RescheduledJob]) -> Result<u64, sqlx::Error> {
    let ids: Vec<i64> = jobs.iter().map(|back| back.job.id).collect();
    let tokens: Vec<i64> = jobs.iter().map(|back| back.job.token).collect();
    let delays: Vec<_> = jobs.iter().map(|back| interval(back.delay)).collect();
    let counts: Vec<bool> = jobs.iter().map(|back| back.counts).collect();
    let noted: Vec<Option<String>> = jobs.iter().map(|back| back.noted.as_deref().map(bounded)).collect();
    let mut tx = pool.begin().await?;
    let put_back = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = NULL, leased_by = NULL, isolated_since = NULL,
            isolated = job.isolated AND back.noted IS NULL,
            due_at = clock_timestamp() + CASE
                WHEN back.noted IS NOT NULL THEN back.delay
                -- Contention that lasts is met less and less often: up to two seconds apart after forty.
                ELSE greatest(back.delay, least(interval '2 seconds', (clock_timestamp() - job.created_at) / 20))
            END,
            attempts = job.attempts - (NOT back.counts)::int,
            history = CASE
                -- What is waited for is noted once, however often it is looked at.
                WHEN back.noted IS NULL OR NOT back.counts AND job.history[cardinality(job.history)] = back.noted
                    THEN job.history
                -- The last ten are enough to see why.
                ELSE (job.history || back.noted)[greatest(1, cardinality(job.history) - 8):]
            END
        FROM unnest($1::bigint[], $2::bigint[], $3::interval[], $4::boolean[], $5::text[])
            AS back (id, token, delay, counts, noted)
        WHERE job.id = back.id AND job.lease_token = back.token
        "#,
        &ids,
        &tokens,
        &delays,
        &counts,
        &noted as &[Option<String>],
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(put_back.rows_affected())
}

/// What went wrong with jobs so far, or what they waited for, oldest first; by job.
pub async fn histories(pool: &Pool, jobs: &[ClaimedJob]) -> Result<HashMap<i64, Vec<String>>, sqlx::Error> {
    let (ids, _) = lease_tokens(jobs);
    let mut tx = pool.begin().await?;
    let rows = sqlx::query!("SELECT id, history FROM avinode_ingest.jobs WHERE id = ANY ($1)", &ids)
        .fetch_all(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|row| (row.id, row.history)).collect())
}

/// Gives leases back unused: the jobs are available at once, before those that came later, and have lost no attempt.
pub async fn release(pool: &Pool, jobs: &[ClaimedJob]) -> Result<u64, sqlx::Error> {
    if jobs.is_empty() {
        return Ok(0);
    }
    let (ids, tokens) = lease_tokens(jobs);
    let mut tx = pool.begin().await?;
    let given = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = NULL, leased_by = NULL, isolated_since = NULL, due_at = job.created_at,
            attempts = attempts - 1
        FROM unnest($1::bigint[], $2::bigint[]) AS held (id, token)
        WHERE job.id = held.id AND job.lease_token = held.token
        "#,
        &ids,
        &tokens,
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(given.rows_affected())
}

/// Lets the leases of one worker run out now, instead of in their time: what it could not settle is taken over as from a
/// worker that died, alone, and a crash that it may have caused is counted.
pub async fn expire_leases(pool: &Pool, worker: &str) -> Result<u64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let let_go = sqlx::query!(
        "UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() WHERE leased_by = $1 AND lease_token IS NOT NULL",
        worker
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(let_go.rows_affected())
}

/// Ends a job for good: it moves to `dead_jobs` with its history, where an operator can send it back.
pub async fn dead_letter(pool: &Pool, job: &ClaimedJob, reason: &str) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let buried = sqlx::query!(
        r#"
        WITH dead AS (
            DELETE FROM avinode_ingest.jobs WHERE id = $1 AND lease_token = $2 RETURNING *
        ), kept AS (
            INSERT INTO avinode_ingest.dead_jobs
                (id, kind, key, delivery_id, created_at, attempts, crashes, reason, history)
            SELECT id, kind, key, delivery_id, created_at, attempts, crashes, $3, history FROM dead
        )
        INSERT INTO avinode_ingest.outcomes
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs)
        SELECT id, kind, key, delivery_id, created_at, attempts, 'dead', $3, runs FROM dead
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), attempts = EXCLUDED.attempts, outcome = EXCLUDED.outcome,
            detail = EXCLUDED.detail, runs = EXCLUDED.runs
        "#,
        job.id,
        job.token,
        bounded(reason),
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(buried.rows_affected() == 1)
}

fn bounded(reason: &str) -> String {
    reason
        .chars()
        .filter(|character| *character != '\0')
        .take(REASON_CHARS)
        .collect()
}
