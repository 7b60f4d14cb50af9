//! The outcomes of finished jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Map;

use super::job::ClaimedJob;
use ingest_postgres::interval::interval;
use ingest_postgres::prune_step;
use ingest_postgres::prune_step::PruneStep;
use ingest_postgres::transaction::{Pool, Transaction};

/// The outcome of a finished job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutcome {
    pub job: i64,
    /// One word: `applied`, `duplicate`, `nothing`, `ignored`, `gone`.
    pub outcome: &'static str,
    /// The changes, or the delivery that it repeats.
    pub detail: String,
    /// The parts of the input that were not understood.
    pub warning: Option<String>,
}

impl JobOutcome {
    pub fn new(job: i64, outcome: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            job,
            outcome,
            detail,
            warning: None,
        }
    }

    /// The same outcome with a warning.
    #[must_use]
    pub fn with_warning(self, warning: Option<String>) -> Self {
        Self { warning, ..self }
    }
}

/// Finishes jobs that [`super::claim::lock_held`] locked in this transaction: they leave `jobs`, their outcomes stay.
pub async fn complete(tx: &mut Transaction<'_>, outcomes: &[JobOutcome]) -> Result<i64, sqlx::Error> {
    let tokens = vec![None; outcomes.len()];
    completion(outcomes, &tokens).fetch_one(tx).await
}

/// Finishes jobs whose handler writes nothing else, in one statement that is a transaction of its own. Jobs that lost their lease
/// are left out. Returns how many were finished.
pub async fn complete_held(
    pool: &Pool,
    jobs: &[ClaimedJob],
    outcome: impl Fn(&ClaimedJob) -> JobOutcome,
) -> Result<i64, sqlx::Error> {
    let outcomes: Vec<JobOutcome> = jobs.iter().map(outcome).collect();
    let tokens: Vec<Option<i64>> = jobs.iter().map(|job| Some(job.token)).collect();
    let finished = pool.fetch_autocommit(completion(&outcomes, &tokens)).await?;
    Ok(finished.into_iter().sum())
}

/// The statement that deletes jobs and inserts their outcomes. A job with a token is left out if its lease has another one.
fn completion(
    outcomes: &[JobOutcome],
    tokens: &[Option<i64>],
) -> Map<'static, Postgres, impl FnMut(PgRow) -> Result<i64, sqlx::Error> + Send, PgArguments> {
    let ids: Vec<i64> = outcomes.iter().map(|outcome| outcome.job).collect();
    let words: Vec<&str> = outcomes.iter().map(|outcome| outcome.outcome).collect();
    let details: Vec<&str> = outcomes.iter().map(|outcome| outcome.detail.as_str()).collect();
    let warnings: Vec<Option<&str>> = outcomes.iter().map(|outcome| outcome.warning.as_deref()).collect();
    sqlx::query!(
        r#"
        WITH result AS (
            SELECT *
            FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
                AS result (id, token, outcome, detail, warning)
        ), finished AS (
            DELETE FROM avinode_ingest.jobs AS job
            USING result
            WHERE job.id = result.id AND (result.token IS NULL OR job.lease_token = result.token)
            RETURNING job.id, job.kind, job.key, job.delivery_id, job.created_at, job.attempts, job.runs,
                job.history <> '{}' AS has_history, result.outcome, result.warning,
                nullif(concat_ws('; ', nullif(result.detail, ''), job.admin_action), '') AS detail
        ), repeated AS (
            -- A dead job that an admin retried has an outcome already, and a history. Not ON CONFLICT, which takes twice the time
            -- for all other jobs. Without such a job the table is not read.
            UPDATE avinode_ingest.outcomes AS earlier
            SET (finished_at, attempts, outcome, detail, runs, warning) = (
                SELECT clock_timestamp(), attempts, outcome, detail, runs, warning
                FROM finished
                WHERE id = earlier.job_id
            )
            WHERE EXISTS (SELECT FROM finished WHERE has_history)
                AND job_id = ANY (ARRAY(SELECT id FROM finished WHERE has_history))
            RETURNING earlier.job_id
        ), inserted AS (
            INSERT INTO avinode_ingest.outcomes
                (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs, warning)
            SELECT id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs, warning
            FROM finished
            WHERE id <> ALL (ARRAY(SELECT job_id FROM repeated))
            ORDER BY id
        )
        SELECT count(*) AS "count!" FROM finished
        "#,
        &ids,
        tokens as &[Option<i64>],
        &words as &[&str],
        &details as &[&str],
        &warnings as &[Option<&str>],
    )
    .map(|row| row.count)
}

/// Outcomes with a warning.
#[derive(Debug, Clone)]
pub struct OutcomeWarnings {
    pub count: i64,
    /// The newest warning.
    pub newest: String,
}

/// Counts the outcomes with a warning in the last `age`; `None` if there are none.
pub async fn warnings(pool: &Pool, age: Duration) -> Result<Option<OutcomeWarnings>, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        SELECT count(*) AS "count!", (array_agg(warning ORDER BY finished_at DESC, job_id DESC))[1] AS newest
        FROM avinode_ingest.outcomes
        WHERE warning IS NOT NULL AND finished_at > clock_timestamp() - $1::interval
        "#,
        interval(age),
    );
    let row = pool.fetch_one(query).await?;
    Ok(row.newest.map(|newest| OutcomeWarnings {
        count: row.count,
        newest,
    }))
}

/// Deletes outcomes that are older than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.outcomes", "finished_at", "true", retention, from).await
}
