//! Upkeep: what one process at a time does now and then: retention, and the sweep for missed notes.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::rematch;
use crate::heartbeat::Pulse;
use crate::queue::{maintenance, store as queue};
use crate::store::sweep;

/// The duty's name in `duties`.
const DUTY: &str = "upkeep";
/// How often it is looked after; the duty is held for four times that.
pub const EVERY: Duration = Duration::from_secs(30);
/// When the first turn comes.
const FIRST: Duration = Duration::from_secs(5);
/// Rounds between two prunings of outcomes: an hour.
const PRUNE_ROUNDS: u32 = 120;

/// Keeps up until `shutdown`, in whichever process holds the duty.
pub async fn run(pool: PgPool, process: String, keep_outcomes: Duration, pulse: Pulse, shutdown: CancellationToken) {
    let mut round: u32 = 0;
    // What was just written has its notes already: the first turn need not compete with them.
    tokio::select! {
        () = tokio::time::sleep(FIRST) => {}
        () = shutdown.cancelled() => return,
    }
    loop {
        pulse.beat();
        match turn(&pool, &process, keep_outcomes, round.is_multiple_of(PRUNE_ROUNDS)).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "upkeep failed; it is tried again"),
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => break,
        }
    }
    if let Err(error) = maintenance::leave_duty(&pool, DUTY, &process).await {
        tracing::debug!(%error, "the duty of upkeep runs out by itself");
    }
}

/// One turn, if the duty is ours: the sweep, and sometimes the pruning.
///
/// # Errors
/// What was done so far stays done.
pub async fn turn(pool: &PgPool, process: &str, keep_outcomes: Duration, prune: bool) -> Result<(), sqlx::Error> {
    if !maintenance::take_duty(pool, DUTY, process, EVERY * 4).await? {
        return Ok(());
    }
    let missed: Vec<String> = sweep::sweep(pool).await?.iter().map(ToString::to_string).collect();
    if !missed.is_empty() {
        let queued = queue::enqueue_missing(pool, rematch::KIND, &missed).await?;
        tracing::info!(sessions = queued, "the sweep found sessions to match");
    }
    if prune {
        let pruned = maintenance::prune_outcomes(pool, keep_outcomes).await?;
        if pruned > 0 {
            tracing::info!(outcomes = pruned, "old outcomes were pruned");
        }
    }
    Ok(())
}
