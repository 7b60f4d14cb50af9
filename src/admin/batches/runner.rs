//! Runs a batch from this process to its end. A running service is not needed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::ending::{fail, interrupt};
use super::error::BatchError;
use super::observer::BatchObserver;
use super::record::get;
use super::{BatchStep, StepsBy, dry_run, step};
use crate::jobs::apply::JobApplier;
use crate::postgres::sqlstate::{is_contention, sqlstate};
use crate::queue::job::JobError;
use crate::store::batches::BatchRow;

/// The longest pause between two steps.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// The pause before it is looked again whether fewer jobs wait.
const WAIT_PAUSE: Duration = Duration::from_millis(200);
/// The pause before a step is tried again that found a lock taken.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// The tries of a step that needs a lock.
const BUSY_TRIES: u32 = 200;

/// Makes the steps of a batch, each followed by a pause as long as the step was, and returns the batch at its end: finished, or
/// interrupted.
///
/// # Errors
/// A step failed, and changed nothing; the batch is recorded as failed where the database can be reached.
pub async fn run(applier: &Arc<JobApplier>, id: Uuid, observer: &dyn BatchObserver) -> Result<BatchRow, BatchError> {
    match steps(applier, id, observer).await {
        Ok(()) => get(&applier.pool, id).await,
        Err(error) => {
            // The first error is the one to report.
            let _ = fail(&applier.pool, id, &error).await;
            Err(error)
        }
    }
}

async fn steps(applier: &Arc<JobApplier>, id: Uuid, observer: &dyn BatchObserver) -> Result<(), BatchError> {
    let pool = &applier.pool;
    if get(pool, id).await?.dry_run {
        return match dry_run::run(applier, id, observer).await? {
            true => Ok(()),
            false => interrupt(pool, id).await,
        };
    }
    let mut tries = 1;
    loop {
        if observer.stops() {
            return interrupt(pool, id).await;
        }
        let began = Instant::now();
        let made = match step(pool, id, StepsBy::Caller).await {
            Err(error) if tries < BUSY_TRIES && is_busy(&error) => {
                tries += 1;
                sleep(BUSY_PAUSE).await;
                continue;
            }
            made => made?,
        };
        tries = 1;
        let pause = match made {
            BatchStep::Waits => WAIT_PAUSE,
            BatchStep::Done | BatchStep::Finished | BatchStep::Stopped => began.elapsed().min(MAX_PAUSE),
        };
        observer.stepped(&get(pool, id).await?, made == BatchStep::Waits);
        if matches!(made, BatchStep::Finished | BatchStep::Stopped) {
            return Ok(());
        }
        sleep(pause).await;
    }
}

fn is_busy(error: &BatchError) -> bool {
    match error {
        BatchError::Database(error) => sqlstate(error).is_some_and(|code| is_contention(&code)),
        BatchError::Job(error) => matches!(error, JobError::Contention(_)),
        _ => false,
    }
}
