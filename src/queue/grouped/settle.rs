//! What becomes of keys that were claimed: served alone, put back, given back.

use std::time::Duration;

use super::Group;
use crate::postgres::transaction::Pool;
use crate::queue::job::{Claimed, JobError};
use crate::queue::store::{bounded, fences, interval};

/// Notes that a key that runs alone begins, so that a crash from here on counts. `false`: its leases are lost.
pub async fn begin_alone(pool: &Pool, jobs: &[Claimed]) -> Result<bool, sqlx::Error> {
    let (ids, tokens) = fences(jobs);
    let mut tx = pool.begin().await?;
    let begun = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET alone_since = clock_timestamp()
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

/// What becomes of a job of a key: when it comes back, whether the attempt counts, and why.
#[derive(Debug, Clone)]
pub struct PutBack {
    /// The claim.
    pub job: Claimed,
    /// For how long it waits.
    pub delay: Duration,
    /// The attempt was its own fault.
    pub counts: bool,
    /// What went wrong, or what it waits for.
    pub error: JobError,
}

/// Puts jobs back. They were served to an end, so none of them runs alone the next time.
pub async fn put_back(pool: &Pool, jobs: &[PutBack]) -> Result<u64, sqlx::Error> {
    let claimed: Vec<Claimed> = jobs.iter().map(|it| it.job.clone()).collect();
    let (ids, tokens) = fences(&claimed);
    let delays: Vec<_> = jobs.iter().map(|it| interval(it.delay)).collect();
    let counts: Vec<bool> = jobs.iter().map(|it| it.counts).collect();
    let noted = jobs.iter().map(|it| match &it.error {
        JobError::Contention(_) => None,
        error => Some(bounded(&error.to_string())),
    });
    let noted: Vec<Option<String>> = noted.collect();
    let mut tx = pool.begin().await?;
    let put_back = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = NULL, leased_by = NULL, alone_since = NULL, alone = false,
            due_at = clock_timestamp() + back.delay,
            attempts = job.attempts - (NOT back.counts)::int,
            history = CASE
                -- What is waited for is noted once, however often it is looked at.
                WHEN back.noted IS NULL OR NOT back.counts AND job.history[cardinality(job.history)] = back.noted
                    THEN job.history
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

/// Gives keys back unserved, to be claimed before others: their jobs have lost no attempt.
pub async fn give_back(pool: &Pool, groups: &[Group]) -> Result<u64, sqlx::Error> {
    let jobs: Vec<Claimed> = groups.iter().flat_map(|group| group.jobs.iter().cloned()).collect();
    if jobs.is_empty() {
        return Ok(0);
    }
    let (ids, tokens) = fences(&jobs);
    let mut tx = pool.begin().await?;
    let given = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = NULL, leased_by = NULL, alone_since = NULL, due_at = created_at, attempts = attempts - 1
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
