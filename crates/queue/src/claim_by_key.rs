//! Claims keys: all jobs of a key together, so that one call serves all of them, and at most as many keys as the rate limit
//! has permits.
//!
//! A key is served once at a time. Jobs that come meanwhile wait for a batch of their own, which is claimed after they came.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::claim::{Claim, ClaimFuture, Claimer};
use super::handler::{JobBatch, JobHandler};
use super::job::ClaimedJob;
use super::leader::LeaderLease;
use super::rate_limit::limiter::{AcquiredPermits, RateLimiter};
use crate::job_kind::JobKind;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Pool;

/// The most keys of one claim: their calls begin at about the same time.
pub const MAX_KEYS: usize = 8;
/// Due jobs of one kind that are looked through for keys, so that a flood for one key does not make a claim slow.
const LOOK_AHEAD: i64 = 1_000;
/// The most jobs of a key in one batch; the others come next.
const MAX_JOBS_PER_KEY: i64 = 256;

/// As [`ClaimByKey::claim_keys`] needs them: planned once, with indexes, whatever the statistics say.
const SETTINGS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan; ";

/// Claims keys for the leader.
pub struct ClaimByKey {
    /// The kinds that are served together, the most urgent first.
    pub kinds: &'static [JobKind],
    pub handler: Arc<dyn JobHandler>,
    pub limiter: Arc<RateLimiter>,
    pub lease: LeaderLease,
    /// The most keys with a failure that are served at the same time: if each of their calls hangs, there is room for others.
    pub max_failed: usize,
    /// The most speculative keys that are served at the same time.
    pub max_speculative: usize,
    /// Permits that speculative keys leave to those that become due next.
    pub spare_permits: usize,
}

impl Claimer for ClaimByKey {
    fn claim<'a>(&'a self, pool: &'a Pool, worker: &'a str, room: usize, lease: Duration) -> ClaimFuture<'a> {
        async move {
            let acquired = match self.limiter.try_acquire(room.min(MAX_KEYS)) {
                Ok(acquired) => acquired,
                Err(wait) => {
                    return Ok(Claim {
                        wait: Some(wait),
                        ..Claim::default()
                    });
                }
            };
            let jobs = self.claim_keys(pool, &acquired, worker, lease).await?;
            if jobs.is_empty() && acquired.untried_only {
                self.limiter.nothing_untried();
            }
            let mut keys: Vec<Vec<ClaimedJob>> = Vec::new();
            for job in jobs {
                match keys.iter_mut().find(|jobs| jobs[0].key == job.key) {
                    Some(jobs) => jobs.push(job),
                    None => keys.push(vec![job]),
                }
            }
            let batches = keys.into_iter().zip(acquired.permits).map(|(mut jobs, permit)| {
                jobs.sort_unstable_by_key(|job| job.id);
                JobBatch {
                    handler: self.handler.clone(),
                    jobs,
                    permit: Some(permit),
                }
            });
            Ok(Claim {
                batches: batches.collect(),
                ..Claim::default()
            })
        }
        .boxed()
    }
}

/// Returns whether a key that is none of `failed` has a due job without an attempt.
pub async fn is_untried_due(pool: &Pool, kinds: &[JobKind], failed: &[String]) -> Result<bool, sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let statement = sqlx::query!(
        r#"
        SELECT EXISTS (
            SELECT FROM avinode_ingest.jobs
            WHERE kind = ANY ($1) AND due_at <= clock_timestamp() AND attempts = 0 AND key IS NOT NULL
                AND NOT key = ANY ($2)
        ) AS "due!"
        "#,
        &kinds as &[&str],
        failed,
    );
    Ok(pool.fetch_one(statement).await?.due)
}

impl ClaimByKey {
    /// Claims the jobs of a key that has a due job for each permit, the most urgent kind and the longest due first. A key with
    /// a failure comes after all others, except for those of the least urgent kinds: however many fail, they delay no other.
    /// Speculative keys take only permits that are to spare.
    /// From a failure to the next success, and while only keys without a failure are tried, the key without a failure that became
    /// due last is tried first: those before it are as likely to fail as the ones that did.
    /// A process that no longer leads claims nothing, whatever it believes.
    async fn claim_keys(
        &self,
        pool: &Pool,
        acquired: &AcquiredPermits,
        worker: &str,
        lease: Duration,
    ) -> Result<Vec<ClaimedJob>, sqlx::Error> {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        let max_failed = if acquired.untried_only { 0 } else { self.max_failed };
        let max_failed = i64::try_from(max_failed).unwrap_or(i64::MAX);
        // One key at a time is tried then, and whichever it is shows whether the server answers.
        let spare = if acquired.untried_only { 0 } else { self.spare_permits };
        let speculative = acquired.permits.len().saturating_sub(spare);
        let speculative = i64::try_from(speculative).unwrap_or(i64::MAX);
        let max_speculative = i64::try_from(self.max_speculative).unwrap_or(i64::MAX);
        // Speculative keys are as urgent as the kind before them.
        let others = self.kinds.iter().filter(|kind| **kind != JobKind::FetchSpeculative);
        let least_urgent = i64::try_from(others.count()).unwrap_or(i64::MAX);
        let mut tx = pool.begin_with(SETTINGS).await?;
        let jobs = sqlx::query_as!(
            ClaimedJob,
            r#"
            WITH busy AS MATERIALIZED (
                -- A claim counts the attempt, so a second attempt follows a failure.
                SELECT key, max(attempts) > 1 AS failed, bool_and(kind = $12) AS speculative
                FROM avinode_ingest.jobs
                WHERE kind = ANY ($1) AND lease_token IS NOT NULL AND key IS NOT NULL AND due_at > statement_timestamp()
                GROUP BY key
            ), leads AS MATERIALIZED (
                SELECT
                FROM avinode_ingest.leader_leases AS leader
                WHERE leader.name = $7 AND leader.holder = $8 AND leader.held_until > clock_timestamp()
            ), due AS MATERIALIZED (
                SELECT wanted.place, job.due_at, job.key
                FROM unnest($1::text[]) WITH ORDINALITY AS wanted (kind, place)
                CROSS JOIN LATERAL (
                    SELECT job.due_at, job.key
                    FROM avinode_ingest.jobs AS job
                    WHERE job.kind = wanted.kind AND job.due_at <= statement_timestamp() AND job.key IS NOT NULL
                        AND (job.attempts = 0 OR job.lease_token IS NOT NULL)
                        AND NOT EXISTS (SELECT FROM busy WHERE busy.key = job.key)
                    ORDER BY job.due_at, job.id
                    LIMIT $5
                ) AS job
                WHERE EXISTS (SELECT FROM leads)
                UNION ALL
                -- The retries apart, so that they do not take the place of the others.
                SELECT wanted.place, job.due_at, job.key
                FROM unnest($1::text[]) WITH ORDINALITY AS wanted (kind, place)
                CROSS JOIN LATERAL (
                    SELECT job.due_at, job.key
                    FROM avinode_ingest.jobs AS job
                    WHERE job.kind = wanted.kind AND job.due_at <= statement_timestamp() AND job.key IS NOT NULL
                        AND job.attempts > 0 AND job.lease_token IS NULL
                        AND NOT EXISTS (SELECT FROM busy WHERE busy.key = job.key)
                    ORDER BY job.due_at, job.id
                    LIMIT $5
                ) AS job
                WHERE EXISTS (SELECT FROM leads)
            ), keys AS MATERIALIZED (
                SELECT due.key, min(due.place) AS place, min(due.due_at) AS due_at, array_position($10::text[], due.key) AS failed_at,
                    due.key = ANY ($10) OR EXISTS (
                        SELECT FROM avinode_ingest.jobs AS job
                        WHERE job.kind = ANY ($1) AND job.key = due.key AND job.attempts > 0 AND job.lease_token IS NULL
                    ) AS failed
                FROM due
                GROUP BY due.key
            ), ranked AS MATERIALIZED (
                SELECT key, due_at, failed, failed_at, speculative,
                    CASE WHEN failed THEN CASE WHEN speculative THEN $15::bigint + 0.5 ELSE $15 - 0.5 END ELSE least(place, $15) END AS rank,
                    row_number() OVER (PARTITION BY failed ORDER BY failed_at NULLS FIRST, place, due_at, key) AS nth,
                    row_number() OVER (PARTITION BY speculative ORDER BY failed, due_at, key) AS nth_speculative
                FROM keys
                CROSS JOIN LATERAL (SELECT place IS NOT DISTINCT FROM array_position($1::text[], $12) AS speculative) AS of
            ), chosen AS MATERIALIZED (
                SELECT key, rank AS place, due_at
                FROM ranked
                WHERE (NOT failed OR nth <= $9 - (SELECT count(*) FROM busy WHERE busy.failed))
                    AND (
                        NOT speculative
                        OR nth_speculative <= least($13, $14 - (SELECT count(*) FROM busy WHERE busy.speculative))
                    )
                ORDER BY rank, failed_at NULLS FIRST, CASE WHEN $11 AND NOT failed THEN due_at END DESC, due_at, key
                LIMIT $2
            ), taken AS MATERIALIZED (
                -- Retries that are not due yet are taken along: one call serves all of the key.
                SELECT job.id, chosen.place, chosen.due_at
                FROM chosen
                CROSS JOIN LATERAL (
                    SELECT job.id
                    FROM avinode_ingest.jobs AS job
                    WHERE job.kind = ANY ($1) AND job.key = chosen.key
                    ORDER BY job.id
                    LIMIT $6
                    FOR UPDATE SKIP LOCKED
                ) AS job
            ), claim AS MATERIALIZED (
                SELECT nextval('avinode_ingest.lease_tokens') AS token, clock_timestamp() AS claimed_at
            ), leased AS (
                UPDATE avinode_ingest.jobs AS job
                SET lease_token = claim.token,
                    leased_by = $3,
                    due_at = clock_timestamp() + $4,
                    attempts = job.attempts + 1,
                    -- As in the claim by kind: a lease that is still set has run out, and only the crash of a run alone counts.
                    isolated = job.isolated OR job.lease_token IS NOT NULL,
                    crashes = job.crashes + (
                        job.suspected AND job.lease_token IS NOT NULL
                        AND coalesce(job.isolated_since > pg_postmaster_start_time(), false)
                    )::int,
                    suspected = job.suspected
                        OR job.lease_token IS NOT NULL AND coalesce(job.isolated_since > pg_postmaster_start_time(), false),
                    isolated_since = NULL
                FROM taken, claim
                WHERE job.id = taken.id
                RETURNING job.*, claim.claimed_at, taken.place, taken.due_at AS was_due_at
            )
            SELECT id AS "id!", kind AS "kind!: _", lease_token AS "token!", key, delivery_id, created_at AS "created_at!",
                claimed_at AS "claimed_at!", attempts AS "attempts!", crashes AS "crashes!", isolated AS "isolated!",
                suspected AS "suspected!"
            FROM leased
            ORDER BY place, was_due_at, key, id
            "#,
            &kinds as &[&str],
            i64::try_from(acquired.permits.len()).unwrap_or(i64::MAX),
            worker,
            interval(lease),
            LOOK_AHEAD,
            MAX_JOBS_PER_KEY,
            &*self.lease.name,
            self.lease.holder,
            max_failed,
            &acquired.failed[..],
            // Some have failed since the last success: those that became due before are as likely to fail.
            acquired.untried_only || !acquired.failed.is_empty(),
            JobKind::FetchSpeculative.as_str(),
            speculative,
            max_speculative,
            least_urgent,
        )
        .fetch_all(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(jobs)
    }
}
