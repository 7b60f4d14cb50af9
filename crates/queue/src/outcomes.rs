//! The outcomes of finished jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};

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
pub async fn complete(tx: &mut Transaction<'_>, outcomes: &[JobOutcome]) -> Result<u64, sqlx::Error> {
    let ids: Vec<i64> = outcomes.iter().map(|outcome| outcome.job).collect();
    let words: Vec<String> = outcomes.iter().map(|outcome| outcome.outcome.to_owned()).collect();
    let details: Vec<String> = outcomes.iter().map(|outcome| outcome.detail.clone()).collect();
    let warnings: Vec<Option<String>> = outcomes.iter().map(|outcome| outcome.warning.clone()).collect();
    let finished = sqlx::query!(
        r#"
        WITH finished AS (
            DELETE FROM avinode_ingest.jobs WHERE id = ANY ($1) RETURNING *
        )
        INSERT INTO avinode_ingest.outcomes
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs, warning)
        SELECT finished.id, kind, key, delivery_id, created_at, attempts, result.outcome, nullif(result.detail, ''), runs,
            result.warning
        FROM finished
        JOIN unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
            AS result (id, outcome, detail, warning) ON result.id = finished.id
        ORDER BY finished.id
        -- A dead job that an admin retried has an outcome already.
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), attempts = EXCLUDED.attempts, outcome = EXCLUDED.outcome,
            detail = EXCLUDED.detail, runs = EXCLUDED.runs, warning = EXCLUDED.warning
        "#,
        &ids,
        &words,
        &details,
        &warnings as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(finished.rows_affected())
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
