//! Claiming by key: all jobs of a key at once, so that one call serves all of them, and as many keys as there are slots.
//!
//! A key is served by one worker at a time; jobs that come meanwhile wait for their turn and then have one of their own,
//! which begins after they came. Claims of one limiter take turns at its row, so two cannot choose one key, and the plain
//! claim beside them is as it was.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::job::{ClaimedJob, JobError};
use super::limit::Free;
use super::limiter::slot::Slot;
use super::limiter::{Limiter, Seen};

use crate::domain::job_kind::JobKind;
use crate::postgres::interval::interval;
use crate::postgres::transaction::{Pool, Transaction};

/// Due jobs of one kind among which keys are looked for, so that one key's flood does not make a claim slow.
const LOOK_AT: i64 = 1_000;
/// The most jobs of a key that are served at once; the others have the next turn.
const MOST_OF_A_KEY: i64 = 256;

/// A key under a lease, with its jobs and the slot for the call that serves them.
#[derive(Debug)]
pub struct KeyBatch {
    /// What the jobs are about.
    pub key: String,
    /// The jobs, oldest first.
    pub jobs: Vec<ClaimedJob>,
    /// By the database's clock, after the last of the jobs was queued and before anything is called for them.
    pub claimed_at: DateTime<Utc>,
    /// Leave to call.
    pub slot: Slot,
}

impl KeyBatch {
    /// Some of its jobs were taken over from a worker that died: it is served while nothing else is.
    pub fn is_isolated(&self) -> bool {
        self.jobs.iter().any(|job| job.isolated)
    }
}

/// Serves claimed keys.
pub trait KeyHandler: Send + Sync {
    /// The kinds of jobs that it serves together, the most urgent first.
    fn kinds(&self) -> &'static [JobKind];

    /// Serves the jobs of a key by at most one call, which begins with [`Slot::start`]. As for
    /// [`super::job::JobHandler`]: what it finished it finished in its own fenced transaction, `Ok` names what was left
    /// unfinished, `Err` says that nothing was changed, and what becomes of all of them.
    fn perform<'a>(&'a self, group: &'a KeyBatch) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>>;
}

/// What a claim brought.
#[derive(Debug, Default)]
pub struct KeyClaim {
    /// The keys.
    pub groups: Vec<KeyBatch>,
    /// Jobs are due, and there is no slot for so long.
    pub wait: Option<Duration>,
}

/// Claims up to `most` keys that have a due job of one of `kinds`, the most urgent kind and the longest due first, and takes
/// a slot for each.
pub async fn claim(
    pool: &Pool,
    limiter: &Limiter,
    kinds: &[JobKind],
    most: u32,
    worker: &str,
    lease: Duration,
) -> Result<KeyClaim, sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let told = limiter.ended.tell();
    let Some(seen) = limiter.peek(pool, &kinds).await? else {
        limiter.register(pool).await?;
        return Ok(KeyClaim::default());
    };
    if told.is_empty() {
        if !seen.due {
            return Ok(KeyClaim::default());
        }
        if let Free::After(wait) = seen.state.free(seen.now, &limiter.caller) {
            return Ok(KeyClaim::waiting(wait));
        }
    }
    let asked = Instant::now();
    let Some((mut tx, Seen { mut state, now, .. })) = limiter.lock(pool).await? else {
        return Ok(KeyClaim::default());
    };
    told.say(&mut state, now, asked);
    let (free, wait) = match state.free(now, &limiter.caller) {
        Free::Slots(free) => (free.min(most), None),
        Free::After(wait) => (0, Some(wait)),
    };
    let jobs = if seen.due && free > 0 {
        lease_keys(&mut tx, &kinds, free, worker, lease).await?
    } else {
        Vec::new()
    };
    let mut keys: Vec<(String, DateTime<Utc>, Vec<ClaimedJob>)> = Vec::new();
    for (job, claimed_at) in jobs {
        let Some(key) = job.key.clone() else { continue };
        match keys.iter_mut().find(|(known, ..)| *known == key) {
            Some((_, _, jobs)) => jobs.push(job),
            None => keys.push((key, claimed_at, vec![job])),
        }
    }
    let slots = limiter.take(&mut state, keys.len(), now, asked);
    limiter.write(&mut tx, &state).await?;
    tx.commit().await?;
    told.done();
    let groups = keys.into_iter().zip(slots).map(|((key, claimed_at, mut jobs), slot)| {
        jobs.sort_unstable_by_key(|job| job.id);
        KeyBatch {
            key,
            jobs,
            claimed_at,
            slot,
        }
    });
    Ok(KeyClaim {
        groups: groups.collect(),
        wait: wait.filter(|_| seen.due),
    })
}

impl KeyClaim {
    fn waiting(wait: Duration) -> Self {
        Self {
            groups: Vec::new(),
            wait: Some(wait),
        }
    }
}

async fn lease_keys(
    tx: &mut Transaction<'_>,
    kinds: &[&str],
    most: u32,
    worker: &str,
    lease: Duration,
) -> Result<Vec<(ClaimedJob, DateTime<Utc>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH busy AS MATERIALIZED (
            SELECT DISTINCT key
            FROM avinode_ingest.jobs
            WHERE kind = ANY ($1) AND lease_token IS NOT NULL AND key IS NOT NULL AND due_at > statement_timestamp()
        ), due AS MATERIALIZED (
            SELECT wanted.place, job.due_at, job.key
            FROM unnest($1::text[]) WITH ORDINALITY AS wanted (kind, place)
            CROSS JOIN LATERAL (
                SELECT job.due_at, job.key
                FROM avinode_ingest.jobs AS job
                WHERE job.kind = wanted.kind AND job.due_at <= statement_timestamp() AND job.key IS NOT NULL
                    AND NOT EXISTS (SELECT FROM busy WHERE busy.key = job.key)
                ORDER BY job.due_at, job.id
                LIMIT $5
            ) AS job
        ), chosen AS MATERIALIZED (
            SELECT key, min(place) AS place, min(due_at) AS due_at
            FROM due
            GROUP BY key
            ORDER BY 2, 3, 1
            LIMIT $2
        ), taken AS MATERIALIZED (
            -- Waiting retries are taken along: what serves one serves all.
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
            SELECT nextval('avinode_ingest.lease_tokens') AS token
        ), leased AS (
            UPDATE avinode_ingest.jobs AS job
            SET lease_token = claim.token,
                leased_by = $3,
                due_at = clock_timestamp() + $4,
                attempts = job.attempts + 1,
                -- As in the plain claim: a lease that is still set has run out.
                isolated = job.isolated OR job.lease_token IS NOT NULL,
                crashes = job.crashes + (job.lease_token IS NOT NULL AND job.isolated_since IS NOT NULL)::int,
                isolated_since = NULL
            FROM taken, claim
            WHERE job.id = taken.id
            RETURNING job.*, taken.place, taken.due_at AS was_due_at
        )
        SELECT id AS "id!", kind AS "kind!: JobKind", lease_token AS "token!", key, delivery_id, created_at AS "created_at!",
            attempts AS "attempts!", crashes AS "crashes!", isolated AS "isolated!", clock_timestamp() AS "now!"
        FROM leased
        ORDER BY place, was_due_at, key, id
        "#,
        kinds as &[&str],
        i64::from(most),
        worker,
        interval(lease),
        LOOK_AT,
        MOST_OF_A_KEY,
    )
    .fetch_all(tx)
    .await?;
    let claimed = rows.into_iter().map(|row| {
        let job = ClaimedJob {
            id: row.id,
            kind: row.kind,
            token: row.token,
            key: row.key,
            delivery_id: row.delivery_id,
            created_at: row.created_at,
            attempts: row.attempts,
            crashes: row.crashes,
            isolated: row.isolated,
        };
        (job, row.now)
    });
    Ok(claimed.collect())
}
