//! Periodic work that one process at a time does: retention, resync, archiving, reconciliation.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::application_watch::{ApplicationWatch, TablesState};
use super::retention::{self, RetentionConfig};
use super::{kinds, reconcile};
use crate::domain::ids::QuoteId;
use crate::heartbeat::Heartbeat;
use crate::postgres::transaction::Pool;
use crate::queue::enqueue::{self, InsertOptions, NewJob, UniqueOptions};
use crate::queue::leader::{self, LeaderLease};
use crate::store::chat_sessions::{aggregate, tx};
use crate::store::{missing_expiries, resync};

/// The leader lease of maintenance, and the turns of periodic work.
pub const LEASE: &str = "maintenance";
const ARCHIVE_TURN: &str = "archive";
const RECONCILE_TURN: &str = "reconcile";
/// The names of work of each round, of which only the last run is recorded.
const RESYNC: &str = "resync";
const RETENTION: &str = "retention";

const ARCHIVE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// Time between two rounds; the lease is held for four of them.
pub const ROUND_EVERY: Duration = Duration::from_secs(30);
const FIRST_ROUND: Duration = Duration::from_secs(5);
/// Rounds between two full resyncs, which read all sessions: ten minutes.
const RESYNC_ROUNDS: u32 = 20;
/// Rounds between two runs of retention, if the last one finished: an hour.
const RETENTION_ROUNDS: u32 = 120;
/// The time of one run: less than a round.
const RETENTION_BUDGET: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy)]
pub struct MaintenanceConfig {
    pub retention: RetentionConfig,
    /// The interval at which the trips of active sessions are fetched again, if ever.
    pub reconcile_every: Option<Duration>,
}

/// Runs maintenance until `shutdown`, in the process that holds the lease.
pub async fn run(
    pool: Pool,
    process: String,
    config: MaintenanceConfig,
    heartbeat: Heartbeat,
    shutdown: CancellationToken,
) {
    let mut retention_is_due = true;
    let mut round: u32 = 0;
    let mut pause = FIRST_ROUND;
    let mut watch = ApplicationWatch::new();
    loop {
        heartbeat.beat();
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = ROUND_EVERY,
            () = shutdown.cancelled() => break,
        }
        heartbeat.beat();
        let tables = look(&pool, &process, &mut watch).await;
        let result = match &tables {
            Ok(TablesState::Missing) => Ok(()),
            Ok(TablesState::Complete) if !round.is_multiple_of(RESYNC_ROUNDS) => small_round(&pool, &process).await,
            Ok(TablesState::Complete | TablesState::Back) => full_round(&pool, &process).await,
            Err(_) => Ok(()),
        };
        if let Err(error) = tables.as_ref().map(|_| ()).and(result.as_ref().copied()) {
            tracing::warn!("maintenance failed, will retry: {error}");
        }
        if let Some(every) = config.reconcile_every
            && !matches!(tables, Ok(TablesState::Missing))
            && let Err(error) = reconcile(&pool, &process, every).await
        {
            tracing::warn!("failed to enqueue reconciliation of active trips, will retry: {error}");
        }
        retention_is_due |= round.is_multiple_of(RETENTION_ROUNDS);
        if retention_is_due {
            heartbeat.beat();
            retention_is_due = is_retention_unfinished(&pool, &process, &config.retention).await;
        }
        round = round.wrapping_add(1);
    }
    lease(&pool, &process).release(None).await;
}

fn lease(pool: &Pool, process: &str) -> LeaderLease {
    LeaderLease {
        pool: pool.clone(),
        name: LEASE.into(),
        holder: process.to_owned(),
    }
}

async fn lead(pool: &Pool, process: &str) -> Result<bool, sqlx::Error> {
    Ok(lease(pool, process).hold(ROUND_EVERY * 4, None).await?.is_some())
}

async fn look(pool: &Pool, process: &str, watch: &mut ApplicationWatch) -> Result<TablesState, sqlx::Error> {
    let leads = lead(pool, process).await?;
    watch.look(pool, leads).await
}

/// Records a run that did not fail, for those who watch: the round decides when the next one is due, and not this record.
async fn record_run(pool: &Pool, process: &str, task: &str) -> Result<(), sqlx::Error> {
    leader::claim_turn(pool, task, process, Duration::ZERO).await.map(drop)
}

/// Retention does not need the application's tables. Returns true if it has to run again in the next round.
async fn is_retention_unfinished(pool: &Pool, process: &str, config: &RetentionConfig) -> bool {
    let run = async {
        if !lead(pool, process).await? {
            return Ok(false);
        }
        let report = retention::run(pool, config, RETENTION_BUDGET).await?;
        record_run(pool, process, RETENTION).await?;
        Ok::<_, sqlx::Error>(report.is_unfinished)
    };
    run.await.unwrap_or_else(|error| {
        tracing::warn!("retention failed, will retry: {error}");
        true
    })
}

/// Rematches the sessions of quotes that can be projected by now.
async fn small_round(pool: &Pool, process: &str) -> Result<(), sqlx::Error> {
    if lead(pool, process).await? {
        rematch(pool, &resync::find_projectable_sessions(pool).await?).await?;
    }
    Ok(())
}

async fn rematch(pool: &Pool, sessions: &[Uuid]) -> Result<(), sqlx::Error> {
    if sessions.is_empty() {
        return Ok(());
    }
    let jobs: Vec<NewJob> = sessions.iter().copied().map(kinds::rematch).collect();
    let mut tx = pool.begin().await?;
    let inserted = enqueue::insert(&mut tx, &jobs, InsertOptions::unique(UniqueOptions::LIVE)).await?;
    tx.commit().await?;
    tracing::info!(
        sessions = inserted,
        "resync enqueued the rematch of {inserted} sessions"
    );
    Ok(())
}

/// Inserts the expiries of quotes that have none.
async fn restore_expiries(pool: &Pool) -> Result<(), sqlx::Error> {
    let missing = missing_expiries::find(pool).await?.into_iter().filter_map(|it| {
        let quote = QuoteId::parse(&it.quote).ok()?;
        Some(kinds::missing_quote_expiry(&it.trip, &quote, it.valid_until))
    });
    let jobs: Vec<NewJob> = missing.collect();
    if jobs.is_empty() {
        return Ok(());
    }
    let mut tx = pool.begin().await?;
    let inserted = enqueue::insert(&mut tx, &jobs, InsertOptions::unique(UniqueOptions::LIVE)).await?;
    tx.commit().await?;
    tracing::warn!(jobs = inserted, "resync enqueued {inserted} missing expiries of quotes");
    Ok(())
}

/// A full resync, and archiving once a day. Does nothing while another process leads.
///
/// # Errors
/// The parts before the failure stay done.
pub async fn full_round(pool: &Pool, process: &str) -> Result<(), sqlx::Error> {
    if !lead(pool, process).await? {
        return Ok(());
    }
    rematch(pool, &resync::find_missed_sessions(pool).await?).await?;
    restore_expiries(pool).await?;
    record_run(pool, process, RESYNC).await?;
    if let Err(error) = archive(pool, process).await {
        // The function may be the application's own, and fail by its own rules: the other parts must not wait for it.
        tracing::warn!("failed to archive old sessions, will retry: {error}");
    }
    Ok(())
}

/// Enqueues fetches of the trips of active sessions, if the last time was at least `every` ago.
///
/// # Errors
/// Nothing was inserted, or the turn counts as done.
pub async fn reconcile(pool: &Pool, process: &str, every: Duration) -> Result<(), sqlx::Error> {
    let work = reconcile::enqueue_active(pool);
    if let Some(plan) = in_turn(pool, RECONCILE_TURN, process, every, work).await? {
        let (trips, jobs) = (plan.targets.len(), plan.queued);
        tracing::info!(trips, jobs, "enqueued {jobs} fetches to reconcile {trips} active trips");
    }
    Ok(())
}

/// Archives the sessions that are old enough, once a day.
async fn archive(pool: &Pool, process: &str) -> Result<(), sqlx::Error> {
    let work = async {
        let mut tx = tx::writing_many(pool).await?;
        let archived = aggregate::archive(&mut tx).await?;
        tx.commit().await?;
        Ok(archived)
    };
    match in_turn(pool, ARCHIVE_TURN, process, ARCHIVE_EVERY, work).await? {
        Some(Some(sessions)) => tracing::info!(sessions, "archived {sessions} old sessions"),
        // The application's own function, which returns no number.
        Some(None) => tracing::info!("archived old sessions"),
        None => {}
    }
    Ok(())
}

/// Does periodic work if its turn has come. The turn is returned where the work fails.
async fn in_turn<T>(
    pool: &Pool,
    turn: &str,
    process: &str,
    every: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<Option<T>, sqlx::Error> {
    // A name of its own, so that only this turn is returned.
    let holder = format!("{process}/{}", Uuid::now_v7().simple());
    if !leader::claim_turn(pool, turn, &holder, every).await? {
        return Ok(None);
    }
    let result = work.await;
    if result.is_err() {
        leader::return_turn(pool, turn, &holder).await?;
    }
    result.map(Some)
}
