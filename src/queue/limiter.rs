//! The row of a limit that all workers share: read, locked, written.
//!
//! What its columns mean, and every rule, is in [`super::limit`]; here is only the row. Whoever takes slots holds its lock
//! until their commit, so two claims cannot take the same slot. Its commits wait for the disk, as the database is set to: a
//! slot that was taken stays taken whatever crashes.

pub mod slot;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use self::slot::{Ended, START_WITHIN, Slot};
use super::limit::pace::{Limit, Pace};
use super::limit::{Heard, Left, State, Verdict};
use crate::postgres::transaction::{Pool, Transaction};

/// A claim waits no longer for another one, and no claim is open for longer if its process stands still.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '1s'; SET LOCAL idle_in_transaction_session_timeout = '10s'; \
                     SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan";

/// A limit by its name, as one process is to keep it.
#[derive(Debug, Clone)]
pub struct Limiter {
    /// `limiters.name`.
    pub name: &'static str,
    /// The limit, which this process writes down when it starts.
    pub limit: Limit,
    /// A digest of the credentials that it calls with.
    pub caller: String,
    /// The longest that a call takes: whoever calls gives it up after that.
    pub call_within: Duration,
    /// Slots of this process that are over, of which the others do not know yet.
    pub ended: Arc<Ended>,
}

/// The row at a moment of the database's.
pub(super) struct Seen {
    pub(super) state: State,
    pub(super) now: DateTime<Utc>,
    /// Whether a job of the kinds asked about is due.
    pub(super) due: bool,
}

impl Limiter {
    /// Writes down the limit and that somebody keeps it; to be repeated at least every [`GONE_AFTER`](super::standing::GONE_AFTER). Another
    /// limit than before begins with every slot taken.
    pub async fn register(&self, pool: &Pool) -> Result<(), sqlx::Error> {
        let mut tx = pool.begin().await?;
        sqlx::query!(
            r#"
            INSERT INTO avinode_ingest.limiters AS known (name, per_second, burst, caller)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (name) DO UPDATE
            SET caller = EXCLUDED.caller, seen_at = clock_timestamp(), per_second = EXCLUDED.per_second,
                burst = EXCLUDED.burst,
                full_at = CASE
                    WHEN known.per_second = EXCLUDED.per_second AND known.burst = EXCLUDED.burst THEN known.full_at
                    ELSE clock_timestamp() + make_interval(secs => EXCLUDED.burst / EXCLUDED.per_second)
                END
            "#,
            self.name,
            self.limit.per_second,
            i32::try_from(self.limit.burst).unwrap_or(i32::MAX),
            self.caller,
        )
        .execute(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Looks without locking: how it stands, and whether a job of these kinds is due. `None`: never registered.
    pub(super) async fn peek(&self, pool: &Pool, kinds: &[&str]) -> Result<Option<Seen>, sqlx::Error> {
        let mut tx = pool.begin().await?;
        let row = sqlx::query_as!(
            Row,
            r#"
            SELECT per_second, burst, full_at, under_way, slow_until, paused_until, failures, failed_key, opened, open_until,
                probing_until, stops, stopped_until, stopped_because, stopped_caller, clock_timestamp() AS "now!",
                EXISTS (
                    SELECT FROM unnest($2::text[]) AS wanted (kind)
                    WHERE EXISTS (
                        SELECT FROM avinode_ingest.jobs AS job
                        WHERE job.kind = wanted.kind AND job.due_at <= statement_timestamp()
                    )
                ) AS "due!"
            FROM avinode_ingest.limiters
            WHERE name = $1
            "#,
            self.name,
            kinds as &[&str],
        )
        .fetch_optional(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(row.map(Row::seen))
    }

    /// Begins a transaction that holds the row. `None`: never registered.
    pub(super) async fn lock(&self, pool: &Pool) -> Result<Option<(Transaction<'static>, Seen)>, sqlx::Error> {
        let mut tx = pool.begin_with(BEGIN).await?;
        let row = sqlx::query_as!(
            Row,
            r#"
            -- In a CTE, so that the clock is read once the lock is there.
            WITH locked AS MATERIALIZED (
                SELECT * FROM avinode_ingest.limiters WHERE name = $1 FOR UPDATE
            )
            SELECT per_second AS "per_second!", burst AS "burst!", full_at AS "full_at!",
                under_way AS "under_way!", slow_until, paused_until,
                failures AS "failures!", failed_key, opened AS "opened!", open_until, probing_until, stops AS "stops!", stopped_until,
                stopped_because, stopped_caller, clock_timestamp() AS "now!", true AS "due!"
            FROM locked
            "#,
            self.name,
        )
        .fetch_optional(&mut tx)
        .await?;
        Ok(row.map(|row| (tx, row.seen())))
    }

    /// Writes the row that [`Self::lock`] holds.
    pub(super) async fn write(&self, tx: &mut Transaction<'_>, state: &State) -> Result<(), sqlx::Error> {
        sqlx::query!(
            r#"
            UPDATE avinode_ingest.limiters
            SET full_at = $2, slow_until = $3, paused_until = $4, failures = $5, opened = $6, open_until = $7,
                probing_until = $8, stops = $9, stopped_until = $10, stopped_because = $11, stopped_caller = $12,
                under_way = $13, failed_key = $14, seen_at = clock_timestamp()
            WHERE name = $1
            "#,
            self.name,
            state.pace.full_at,
            state.slow_until,
            state.paused_until,
            state.failures,
            state.opened,
            state.open_until,
            state.probing_until,
            state.stops,
            state.stopped_until,
            state.stopped_because,
            state.stopped_caller,
            &state.pace.under_way,
            state.failed_key,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Tells all workers what came of a call. What people should know of it is told once, to whoever hears it first.
    pub async fn hear(&self, pool: &Pool, verdict: &Verdict, left: Left) -> Result<Heard, sqlx::Error> {
        let Some((mut tx, Seen { mut state, now, .. })) = self.lock(pool).await? else {
            return Ok(Heard::default());
        };
        let before = state.clone();
        let heard = state.hear(verdict, left, now, &self.caller);
        if state != before {
            self.write(&mut tx, &state).await?;
        }
        tx.commit().await?;
        Ok(heard)
    }

    /// Takes slots of the row that [`Self::lock`] holds, and which was asked for at `asked` or later.
    pub(super) fn take(&self, state: &mut State, slots: usize, now: DateTime<Utc>, asked: Instant) -> Vec<Slot> {
        let watched = state.is_watched(&self.caller);
        let count = u32::try_from(slots).unwrap_or(u32::MAX);
        let taken = state.take(count, now, &self.caller, START_WITHIN + self.call_within);
        let slot = |by| Slot::new(by, asked, self.ended.clone(), watched);
        taken.into_iter().map(slot).collect()
    }

    /// Tells all of this process's slots that are over, where no claim will.
    pub async fn tell(&self, pool: &Pool) -> Result<(), sqlx::Error> {
        let told = self.ended.tell();
        if told.is_empty() {
            return Ok(());
        }
        let asked = Instant::now();
        if let Some((mut tx, Seen { mut state, now, .. })) = self.lock(pool).await? {
            told.say(&mut state, now, asked);
            self.write(&mut tx, &state).await?;
            tx.commit().await?;
        }
        told.done();
        Ok(())
    }
}

type Moment = Option<DateTime<Utc>>;

struct Row {
    per_second: f64,
    burst: i32,
    full_at: DateTime<Utc>,
    under_way: Vec<DateTime<Utc>>,
    slow_until: Moment,
    paused_until: Moment,
    failures: i32,
    failed_key: Option<String>,
    opened: i32,
    open_until: Moment,
    probing_until: Moment,
    stops: i32,
    stopped_until: Moment,
    stopped_because: Option<String>,
    stopped_caller: Option<String>,
    now: DateTime<Utc>,
    due: bool,
}

impl Row {
    fn seen(self) -> Seen {
        let limit = Limit {
            per_second: self.per_second,
            burst: u32::try_from(self.burst).unwrap_or(1),
        };
        let mut state = State {
            pace: Pace {
                limit,
                full_at: self.full_at,
                under_way: self.under_way,
            },
            slow_until: self.slow_until,
            paused_until: self.paused_until,
            failures: self.failures,
            failed_key: self.failed_key,
            opened: self.opened,
            open_until: self.open_until,
            probing_until: self.probing_until,
            stops: self.stops,
            stopped_until: self.stopped_until,
            stopped_because: self.stopped_because,
            stopped_caller: self.stopped_caller,
        };
        state.pass(self.now);
        Seen {
            state,
            now: self.now,
            due: self.due,
        }
    }
}
