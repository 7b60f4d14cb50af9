//! The queue's SQL on the workers' way: claim, hold, finish, put back. Rows are guarded by their lease token.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::job::{Claimed, Outcome};
use crate::postgres::transaction::{Pool, Transaction};

/// A failure text is kept up to this many characters, and this many failures of a job.
const REASON_CHARS: usize = 500;

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

/// Claims due jobs for `worker`: of the first of the `wanted` kinds that has any, up to as many as stand beside it. Due
/// are available ones, retries whose time has come, and jobs whose lease ran out. The claim counts the attempt; a job
/// taken over is marked to run alone.
pub async fn claim(
    pool: &Pool,
    wanted: &[(&str, i64)],
    worker: &str,
    lease: Duration,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let (kinds, limits): (Vec<String>, Vec<i64>) =
        wanted.iter().map(|(kind, limit)| ((*kind).to_owned(), *limit)).unzip();
    // A claim that went with a transaction left open would be fenced out at its end.
    pool.fetch_alone(sqlx::query_as!(
        Claimed,
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
            alone = job.alone OR job.lease_token IS NOT NULL,
            crashes = job.crashes + (job.lease_token IS NOT NULL AND job.alone_since IS NOT NULL)::int,
            alone_since = NULL
        FROM due, claim
        WHERE job.id = due.id
        RETURNING job.id, job.kind, job.lease_token AS "token!", job.key, job.delivery_id, job.created_at, job.attempts,
            job.crashes, job.alone
        "#,
        &kinds,
        &limits,
        worker,
        interval(lease),
    ))
    .await
}

/// Notes that a job that runs alone begins, so that a crash from here on counts towards its death.
pub async fn begin_alone(pool: &Pool, job: &Claimed) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let begun = sqlx::query!(
        "UPDATE avinode_ingest.jobs SET alone_since = clock_timestamp() WHERE id = $1 AND lease_token = $2",
        job.id,
        job.token
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(begun.rows_affected() == 1)
}

/// Extends the leases of `jobs` that are still held. Rows that a transaction has locked are passed over: no claim can
/// take them either.
pub async fn extend(pool: &Pool, jobs: &[Claimed], lease: Duration) -> Result<u64, sqlx::Error> {
    let (ids, tokens) = fences(jobs);
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
pub async fn hold(tx: &mut Transaction<'_>, jobs: &[Claimed]) -> Result<Vec<i64>, sqlx::Error> {
    let (ids, tokens) = fences(jobs);
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

/// Finishes jobs that [`hold`] locked in this transaction: they leave `jobs`, their outcomes stay.
pub async fn finish(tx: &mut Transaction<'_>, outcomes: &[Outcome]) -> Result<u64, sqlx::Error> {
    let ids: Vec<i64> = outcomes.iter().map(|outcome| outcome.job).collect();
    let words: Vec<String> = outcomes.iter().map(|outcome| outcome.outcome.to_owned()).collect();
    let details: Vec<String> = outcomes.iter().map(|outcome| outcome.detail.clone()).collect();
    let finished = sqlx::query!(
        r#"
        WITH finished AS (
            DELETE FROM avinode_ingest.jobs WHERE id = ANY ($1) RETURNING *
        )
        INSERT INTO avinode_ingest.outcomes
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail)
        SELECT finished.id, kind, key, delivery_id, created_at, attempts, result.outcome, nullif(result.detail, '')
        FROM finished
        JOIN unnest($1::bigint[], $2::text[], $3::text[]) AS result (id, outcome, detail) ON result.id = finished.id
        ORDER BY finished.id
        -- A dead job that an operator sent back has an outcome already.
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), attempts = EXCLUDED.attempts, outcome = EXCLUDED.outcome,
            detail = EXCLUDED.detail
        "#,
        &ids,
        &words,
        &details,
    )
    .execute(tx)
    .await?;
    Ok(finished.rows_affected())
}

/// Puts a job back until `delay` has passed. `counts`: the attempt was its own fault and is counted.
pub async fn put_back(
    pool: &Pool,
    job: &Claimed,
    delay: Duration,
    counts: bool,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let put_back = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs
        SET lease_token = NULL, leased_by = NULL, alone_since = NULL,
            -- Contention that lasts is met less and less often: up to two seconds apart after forty.
            due_at = clock_timestamp() + CASE
                WHEN $4 THEN $3
                ELSE greatest($3, least(interval '2 seconds', (clock_timestamp() - created_at) / 20))
            END,
            attempts = attempts - (NOT $4::boolean)::int,
            -- The last ten failures are enough to see why.
            history = CASE WHEN $4 THEN (history || $5::text)[greatest(1, cardinality(history) - 8):] ELSE history END
        WHERE id = $1 AND lease_token = $2
        "#,
        job.id,
        job.token,
        interval(delay),
        counts,
        bounded(reason),
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(put_back.rows_affected() == 1)
}

/// Gives leases back unused, at shutdown: the jobs are available at once and have lost no attempt.
pub async fn give_back(pool: &Pool, jobs: &[Claimed]) -> Result<u64, sqlx::Error> {
    let (ids, tokens) = fences(jobs);
    let mut tx = pool.begin().await?;
    let given = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = NULL, leased_by = NULL, alone_since = NULL, due_at = clock_timestamp(),
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
pub async fn let_go(pool: &Pool, worker: &str) -> Result<u64, sqlx::Error> {
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
pub async fn bury(pool: &Pool, job: &Claimed, reason: &str) -> Result<bool, sqlx::Error> {
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
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail)
        SELECT id, kind, key, delivery_id, created_at, attempts, 'dead', $3 FROM dead
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), attempts = EXCLUDED.attempts, outcome = EXCLUDED.outcome,
            detail = EXCLUDED.detail
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

pub(super) fn fences(jobs: &[Claimed]) -> (Vec<i64>, Vec<i64>) {
    jobs.iter().map(|job| (job.id, job.token)).unzip()
}

pub(super) fn interval(duration: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
    }
}

pub(super) fn bounded(reason: &str) -> String {
    reason
        .chars()
        .filter(|character| *character != '\0')
        .take(REASON_CHARS)
        .collect()
}
