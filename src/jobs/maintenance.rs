//! Upkeep: what one process at a time does now and then: retention, the sweep for missed notes, the archive.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{kinds, reconcile};
use crate::heartbeat::Heartbeat;
use crate::postgres::transaction::Pool;
use crate::queue::enqueue::{self, InsertOptions, NewJob, UniqueOptions};
use crate::queue::leader;
use crate::store::chat_sessions::aggregate;
use crate::store::trip_lookup::ReconcileScope;
use crate::store::{documents, resync};

/// The duty's name in `duties`.
const DUTY: &str = "maintenance";
/// The duty of archiving, which nobody keeps up: it runs out, and then it is time again.
const ARCHIVE: &str = "archive";
/// The duty of having active trips fetched anew, which comes round by a setting.
const RECONCILE: &str = "reconcile";
/// How often sessions are archived.
const ARCHIVE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How often it is looked after; the duty is held for four times that.
pub const EVERY: Duration = Duration::from_secs(30);
/// When the first turn comes.
const FIRST: Duration = Duration::from_secs(5);
/// Rounds between two whole sweeps, which read all sessions: ten minutes.
const SWEEP_ROUNDS: u32 = 20;
/// Rounds between two prunings of outcomes: an hour, and a whole number of sweeps.
const PRUNE_ROUNDS: u32 = 120;

/// For how long documents are kept whole.
const KEEP_DOCUMENTS: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is done, and how often.
#[derive(Debug, Clone, Copy)]
pub struct MaintenanceConfig {
    /// For how long outcomes are kept.
    pub keep_outcomes: Duration,
    /// How often the trips of active sessions are fetched anew, if ever.
    pub reconcile_every: Option<Duration>,
}

/// Keeps up until `shutdown`, in whichever process holds the duty.
pub async fn run(
    pool: Pool,
    process: String,
    duties: MaintenanceConfig,
    pulse: Heartbeat,
    shutdown: CancellationToken,
) {
    let keep_outcomes = duties.keep_outcomes;
    let mut round: u32 = 0;
    // What was just written has its notes already: the first turn need not compete with them.
    tokio::select! {
        () = tokio::time::sleep(FIRST) => {}
        () = shutdown.cancelled() => return,
    }
    loop {
        pulse.beat();
        let done = if round.is_multiple_of(SWEEP_ROUNDS) {
            turn(&pool, &process, keep_outcomes, round.is_multiple_of(PRUNE_ROUNDS)).await
        } else {
            small_turn(&pool, &process).await
        };
        if let Err(error) = done {
            tracing::warn!(%error, "upkeep failed; it is tried again");
        }
        if let Some(every) = duties.reconcile_every
            && let Err(error) = reconcile(&pool, &process, every).await
        {
            tracing::warn!(%error, "active trips could not be put up for fetching; it is tried again");
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => break,
        }
    }
    if let Err(error) = leader::leave_duty(&pool, DUTY, &process).await {
        tracing::debug!(%error, "the duty of upkeep runs out by itself");
    }
}

/// What is done between two whole turns, if the duty is ours: quotes that can be shown by now.
async fn small_turn(pool: &Pool, process: &str) -> Result<(), sqlx::Error> {
    if leader::try_acquire_leadership(pool, DUTY, process, EVERY * 4).await? {
        match_again(pool, &resync::unshown(pool).await?).await?;
    }
    Ok(())
}

async fn match_again(pool: &Pool, sessions: &[Uuid]) -> Result<(), sqlx::Error> {
    if sessions.is_empty() {
        return Ok(());
    }
    let jobs: Vec<NewJob> = sessions.iter().copied().map(kinds::rematch).collect();
    let options = InsertOptions::unique(UniqueOptions::LIVE);
    let mut tx = pool.begin().await?;
    let queued = enqueue::insert(&mut tx, &jobs, options).await?;
    tx.commit().await?;
    tracing::info!(sessions = queued, "sessions are to be matched again");
    Ok(())
}

/// One whole turn, if the duty is ours: the sweep, sometimes the pruning, and once a day the archive.
///
/// # Errors
/// What was done so far stays done.
pub async fn turn(pool: &Pool, process: &str, keep_outcomes: Duration, prune: bool) -> Result<(), sqlx::Error> {
    if !leader::try_acquire_leadership(pool, DUTY, process, EVERY * 4).await? {
        return Ok(());
    }
    match_again(pool, &resync::sweep(pool).await?).await?;
    if prune {
        let pruned = leader::prune_outcomes(pool, keep_outcomes).await?;
        if pruned > 0 {
            tracing::info!(outcomes = pruned, "old outcomes were pruned");
        }
        let pruned = documents::prune(pool, KEEP_DOCUMENTS).await?;
        if pruned > 0 {
            tracing::info!(documents = pruned, "old documents were pruned");
        }
    }
    if let Err(error) = archive(pool, process).await {
        // The function may be the application's own, and fail by its own rules: nothing else is to wait for it.
        tracing::warn!(%error, "archiving old sessions failed; it is tried again");
    }
    Ok(())
}

/// Has the trips of active sessions fetched anew, if nobody has done so for so long.
///
/// # Errors
/// Nothing was queued, or it is taken for done.
pub async fn reconcile(pool: &Pool, process: &str, every: Duration) -> Result<(), sqlx::Error> {
    let asked = when_it_is_time(
        pool,
        RECONCILE,
        process,
        every,
        reconcile::ask(pool, &ReconcileScope::Active),
    )
    .await?;
    let Some(asked) = asked else { return Ok(()) };
    tracing::info!(
        trips = asked.targets.len(),
        queued = asked.queued,
        "trips of active sessions are fetched anew"
    );
    Ok(())
}

/// Archives the sessions that are old enough, if nobody has done so for a day.
async fn archive(pool: &Pool, process: &str) -> Result<(), sqlx::Error> {
    let archived = when_it_is_time(pool, ARCHIVE, process, ARCHIVE_EVERY, aggregate::archive(pool)).await?;
    if let Some(sessions) = archived {
        tracing::info!(sessions, "old sessions were archived");
    }
    Ok(())
}

/// Does the work of a duty that nobody keeps up, if it is time; it stays to be done where the work fails.
async fn when_it_is_time<T>(
    pool: &Pool,
    duty: &str,
    process: &str,
    every: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<Option<T>, sqlx::Error> {
    // Another name each time: what its holder could keep up would never run out.
    let holder = format!("{process}/{}", Uuid::now_v7().simple());
    if !leader::take_in_turn(pool, duty, &holder, every).await? {
        return Ok(None);
    }
    let done = work.await;
    if done.is_err() {
        leader::leave_duty(pool, duty, &holder).await?;
    }
    done.map(Some)
}
