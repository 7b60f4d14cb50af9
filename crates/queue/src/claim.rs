//! Claims, and the statements that guard claimed jobs by their lease token.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::handler::JobBatch;
use super::job::ClaimedJob;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::{Pool, Transaction};

pub type ClaimFuture<'a> = BoxFuture<'a, Result<Claim, sqlx::Error>>;

/// Claims jobs for a worker, by kind or by key.
pub trait Claimer: Send + Sync {
    /// Claims at most `room` batches, and the jobs among them that have to run isolated.
    fn claim<'a>(&'a self, pool: &'a Pool, worker: &'a str, room: usize, lease: Duration) -> ClaimFuture<'a>;
}

#[derive(Default)]
pub struct Claim {
    pub batches: Vec<JobBatch>,
    /// There are probably more jobs than were claimed.
    pub more: bool,
    /// Nothing can be claimed for this time.
    pub wait: Option<Duration>,
}

impl Claim {
    pub fn of(batch: JobBatch) -> Self {
        Self {
            batches: vec![batch],
            ..Self::default()
        }
    }

    pub fn jobs(&self) -> impl Iterator<Item = &ClaimedJob> {
        self.batches.iter().flat_map(|batch| &batch.jobs)
    }
}

/// Renews the leases of `jobs` that are still held. Rows that a transaction has locked are skipped: no claim can take them
/// either.
pub async fn renew(pool: &Pool, jobs: &[ClaimedJob], lease: Duration) -> Result<u64, sqlx::Error> {
    let (ids, tokens) = lease_tokens(jobs);
    let statement = sqlx::query!(
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
    );
    pool.execute(statement).await
}

/// Locks the jobs that are still held under their tokens, ordered by id, and returns their ids. Every apply begins with
/// this and handles only these jobs: a worker that lost its lease changes nothing.
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

pub(super) fn lease_tokens<'a>(jobs: impl IntoIterator<Item = &'a ClaimedJob>) -> (Vec<i64>, Vec<i64>) {
    jobs.into_iter().map(|job| (job.id, job.token)).unzip()
}
