//! Claims batches of jobs of one kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use super::claim::{Claim, ClaimFuture, Claimer};
use super::handler::{JobBatch, JobHandler};
use super::job::ClaimedJob;
use super::settle::part_size;
use crate::job_kind::JobKind;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Pool;

/// A kind of job, how many of it are claimed at a time, and their handler.
pub struct KindHandler {
    pub kind: JobKind,
    pub batch_size: i64,
    pub handler: Arc<dyn JobHandler>,
}

/// Claims one batch at a time. The kinds take turns, the most urgent first, so that a flood of one kind holds up the others
/// for one batch at a time. A claim is empty also where another worker is just claiming the only job of the kind whose turn it is;
/// the next claim then begins with the most urgent kind.
pub struct ClaimByKind {
    handlers: Vec<KindHandler>,
    /// The first kind of the next claim.
    next: AtomicUsize,
    one_per_key: bool,
}

impl ClaimByKind {
    pub fn new(handlers: Vec<KindHandler>) -> Self {
        Self {
            handlers,
            next: AtomicUsize::new(0),
            one_per_key: false,
        }
    }

    /// Leaves jobs alone while another one of their key is running. For kinds that are claimed one job at a time.
    pub fn one_per_key(self) -> Self {
        Self {
            one_per_key: true,
            ..self
        }
    }

    async fn claim_next(&self, pool: &Pool, worker: &str, lease: Duration) -> Result<Claim, sqlx::Error> {
        let from = self.next.load(Ordering::Relaxed);
        let (before, after) = self.handlers.split_at(from);
        let wanted: Vec<_> = after.iter().chain(before).map(|it| (it.kind, it.batch_size)).collect();
        let mut jobs = claim(pool, &wanted, worker, lease, self.one_per_key).await?;
        jobs.sort_unstable_by_key(|job| job.id);
        let first = jobs.first();
        let Some(place) = first.and_then(|job| self.handlers.iter().position(|it| it.kind == job.kind)) else {
            self.next.store(0, Ordering::Relaxed);
            return Ok(Claim::default());
        };
        self.next.store((place + 1) % self.handlers.len(), Ordering::Relaxed);
        let KindHandler {
            batch_size, handler, ..
        } = &self.handlers[place];
        let more = i64::try_from(jobs.len()).unwrap_or(i64::MAX) >= *batch_size;
        let (isolated, together): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.isolated);
        let batches = std::iter::once(together)
            .chain(isolated_batches(isolated))
            .filter(|jobs| !jobs.is_empty())
            .map(|jobs| JobBatch {
                handler: handler.clone(),
                jobs,
                permit: None,
            });
        Ok(Claim {
            batches: batches.collect(),
            more,
            wait: None,
        })
    }
}

impl Claimer for ClaimByKind {
    fn claim<'a>(&'a self, pool: &'a Pool, worker: &'a str, _room: usize, lease: Duration) -> ClaimFuture<'a> {
        self.claim_next(pool, worker, lease).boxed()
    }
}

/// Divides jobs that are taken over into small batches: a crash leaves hundreds, and only one of them may have caused it. Suspected
/// jobs run alone, and last.
fn isolated_batches(jobs: Vec<ClaimedJob>) -> Vec<Vec<ClaimedJob>> {
    let (mut alone, together): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.suspected);
    alone.sort_by_key(|job| job.crashes);
    together
        .chunks(part_size(together.len()))
        .chain(alone.chunks(1))
        .map(<[_]>::to_vec)
        .collect()
}

/// Claims due jobs for `worker`: of the first of the `wanted` kinds that has any, up to the number beside it. Due are
/// available jobs, retries, and jobs of expired leases. The claim counts the attempt; a job that is
/// taken over is isolated.
///
/// The oldest jobs come first, each with the waiting jobs of its `batch_key`: what a batch reads and locks is counted by that
/// key. Keys that another worker is handling are left out: it would be waited for. Where more are due than fit, up to half of the
/// claim are jobs of the last ten seconds, the newest first, so that a new event does not wait for a backlog.
pub async fn claim(
    pool: &Pool,
    wanted: &[(JobKind, i64)],
    worker: &str,
    lease: Duration,
    one_per_key: bool,
) -> Result<Vec<ClaimedJob>, sqlx::Error> {
    let (kinds, limits): (Vec<&str>, Vec<i64>) = wanted.iter().map(|(kind, limit)| (kind.as_str(), *limit)).unzip();
    // In a transaction that was left open this claim would be rolled back, and its work fenced out.
    pool.fetch_autocommit(sqlx::query_as!(
        ClaimedJob,
        r#"
        WITH busy AS MATERIALIZED (
            SELECT DISTINCT batch_key
            FROM avinode_ingest.jobs
            -- Claimed or renewed in the last two seconds: a worker that died keeps no other away for the length of its lease.
            WHERE batch_key IS NOT NULL AND lease_token IS NOT NULL
                AND due_at > statement_timestamp() + $4 - interval '2 seconds'
        ), running AS MATERIALIZED (
            SELECT key
            FROM avinode_ingest.jobs
            WHERE $5::boolean AND kind = ANY ($1) AND key IS NOT NULL AND lease_token IS NOT NULL
                AND due_at > statement_timestamp()
        ), urgent AS MATERIALIZED (
            SELECT wanted.kind, wanted.size
            FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted (kind, size, place)
            -- A scalar subquery with an order, so that each kind is one look-up in the index jobs_due. EXISTS may become a join
            -- that reads all jobs.
            WHERE (
                SELECT true
                FROM avinode_ingest.jobs AS job
                -- statement_timestamp() can be an index condition, clock_timestamp() cannot.
                WHERE job.kind = wanted.kind AND job.due_at <= statement_timestamp()
                    AND (batch_key IS NULL OR batch_key NOT IN (SELECT batch_key FROM busy))
                    AND (NOT $5 OR key IS NULL OR key NOT IN (SELECT key FROM running))
                ORDER BY job.due_at
                LIMIT 1
            )
            ORDER BY wanted.place
            LIMIT 1
        ), oldest AS MATERIALIZED ( -- The limit is in a CTE: in a FROM subquery the planner may ignore it.
            SELECT id, due_at,
                -- A job that is taken over runs isolated.
                CASE WHEN lease_token IS NULL THEN batch_key END AS batch_key
            FROM avinode_ingest.jobs
            WHERE kind = (SELECT kind FROM urgent) AND due_at <= statement_timestamp()
                AND (batch_key IS NULL OR batch_key NOT IN (SELECT batch_key FROM busy))
            ORDER BY due_at, id
            LIMIT (SELECT size FROM urgent)
        ), newest AS MATERIALIZED (
            SELECT ctid AS place
            FROM avinode_ingest.jobs
            WHERE kind = (SELECT kind FROM urgent)
                AND due_at BETWEEN statement_timestamp() - interval '10 seconds' AND statement_timestamp()
                AND (batch_key IS NULL OR batch_key NOT IN (SELECT batch_key FROM busy))
                AND (SELECT count(*) FROM oldest) = (SELECT size FROM urgent)
            ORDER BY due_at DESC, id DESC
            LIMIT (SELECT size / 2 FROM urgent)
            FOR UPDATE SKIP LOCKED
        ), alone AS MATERIALIZED (
            SELECT ctid AS place
            FROM avinode_ingest.jobs
            WHERE kind = (SELECT kind FROM urgent)
                -- Behind the oldest jobs as well if none of them has a key: another claim may be taking those.
                AND due_at <= (
                    SELECT CASE WHEN count(batch_key) = 0 THEN statement_timestamp() ELSE max(due_at) END
                    FROM oldest
                )
                AND (
                    batch_key IS NULL
                    OR lease_token IS NOT NULL AND batch_key NOT IN (SELECT batch_key FROM busy)
                )
                AND (NOT $5 OR key IS NULL OR key NOT IN (SELECT key FROM running))
            ORDER BY due_at, id
            LIMIT (SELECT size FROM urgent) - (SELECT count(*) FROM newest)
            FOR UPDATE SKIP LOCKED
        ), together AS MATERIALIZED (
            SELECT job.place
            FROM (
                SELECT batch_key
                FROM oldest
                WHERE batch_key IS NOT NULL
                GROUP BY batch_key
                ORDER BY min(due_at), min(id)
                OFFSET 0
            ) AS head
            CROSS JOIN LATERAL (
                SELECT job.ctid AS place
                FROM avinode_ingest.jobs AS job
                -- Expressions, so that only the index jobs_by_batch_key applies: with the statistics of an empty table the
                -- planner would read all due jobs for each key.
                WHERE job.batch_key = head.batch_key AND job.lease_token IS NULL
                    AND job.kind || '' = (SELECT kind FROM urgent)
                    AND job.due_at + interval '0' <= statement_timestamp()
                LIMIT (SELECT size FROM urgent)
                FOR UPDATE SKIP LOCKED
            ) AS job
            -- Until this claim is visible as busy, another one leaves the key alone.
            WHERE pg_try_advisory_xact_lock(hashtextextended('avinode_ingest.batch ' || head.batch_key, 0))
            LIMIT (SELECT size FROM urgent) - (SELECT count(*) FROM newest) - (SELECT count(*) FROM alone)
        ), due AS MATERIALIZED (
            SELECT place FROM newest
            UNION ALL
            SELECT place FROM alone
            UNION ALL
            SELECT place FROM together
        ), claim AS MATERIALIZED (
            SELECT nextval('avinode_ingest.lease_tokens') AS token, clock_timestamp() AS claimed_at,
                -- A claim that a crash of Postgres undoes is a job that is due again: nothing is lost by not waiting.
                set_config('synchronous_commit', 'off', true) AS asynchronous
        )
        UPDATE avinode_ingest.jobs AS job
        SET lease_token = claim.token,
            leased_by = $3,
            due_at = clock_timestamp() + $4,
            attempts = job.attempts + 1,
            -- A lease that is still set has run out: its worker died, or was too slow.
            isolated = job.isolated OR job.lease_token IS NOT NULL,
            -- Only the crash of a run alone counts. A restart of the whole server during the run is no crash of the job.
            crashes = job.crashes + (
                job.suspected AND job.lease_token IS NOT NULL AND coalesce(job.isolated_since > pg_postmaster_start_time(), false)
            )::int,
            suspected = job.suspected
                OR job.lease_token IS NOT NULL AND coalesce(job.isolated_since > pg_postmaster_start_time(), false),
            isolated_since = NULL
        FROM claim
        -- Places of rows that this statement has locked: nothing moves them, and no index is read for them again.
        WHERE job.ctid = ANY (ARRAY(SELECT place FROM due))
        RETURNING job.id, job.kind AS "kind: _", job.lease_token AS "token!", job.key, job.delivery_id, job.created_at,
            claim.claimed_at AS "claimed_at!", job.attempts, job.crashes, job.isolated, job.suspected
        "#,
        &kinds as &[&str],
        &limits,
        worker,
        interval(lease),
        one_per_key,
    ))
    .await
}
