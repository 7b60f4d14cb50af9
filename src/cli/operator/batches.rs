//! Batches: through the API workers of the service run them, and on the database this process does.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Operator;
use super::api_client::{ApiCall, ApiClient};
use crate::admin::batches::error::BatchError;
use crate::admin::batches::observer::BatchObserver;
use crate::admin::batches::work::BatchWork;
use crate::admin::batches::{self, StepsBy};
use crate::cli::actor;
use crate::cli::bulk::progress::BatchProgress;
use crate::cli::bulk::{self, BulkArgs};
use crate::cli::error::{CliError, Context, EXIT_INTERRUPTED};
use crate::cli::output::{print, print_json};
use crate::domain::actor::{Acting, ActionNote};
use crate::domain::chat_session::page::Page;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::http::v1::admin::batches::{BatchAction, BatchListParams, NewBatchRequest};
use crate::http::v1::admin::cursors::BatchCursor;
use crate::http::v1::response::ListResponse;
use crate::shutdown;
use crate::stderr;
use crate::store::batches::{BatchFilter, BatchRow, BatchState};

/// The problems of a batch that is not there, and of one that has nothing left to do.
const UNKNOWN: &str = "batch-not-found";
const FINISHED: &str = "batch-finished";
/// The pause between two looks at a batch that workers run.
const POLL: Duration = Duration::from_millis(300);
/// A batch without a step for this time is reported.
const PATIENCE: Duration = Duration::from_secs(20);

impl Operator {
    pub async fn batches(&self, filter: &BatchFilter) -> Result<ListResponse<BatchRow>, CliError> {
        let attempt = "list the batches";
        match self {
            Self::Database(_, service) => {
                let rows = service.batches(filter).await.context(attempt)?;
                Ok(Page::from_rows(rows, filter.limit, |batch| BatchCursor(batch.id)).into())
            }
            Self::Api(api) => {
                let params = BatchListParams::from(filter);
                api.list(attempt, &["admin", "batches"], &params, filter.limit).await
            }
        }
    }

    pub async fn batch(&self, id: Uuid) -> Result<Option<BatchRow>, CliError> {
        let attempt = "read the batch";
        match self {
            Self::Database(_, service) => match service.batch(id).await {
                Err(BatchError::Unknown(_)) => Ok(None),
                batch => batch.map(Some).context(attempt),
            },
            Self::Api(api) => api.find(attempt, &["admin", "batches", &id.to_string()]).await,
        }
    }

    /// Continues a batch, and prints its result.
    pub async fn resume_batch(&self, id: Uuid, policy: PrimaryQuotePolicy, json: bool) -> Result<ExitCode, CliError> {
        match self {
            Self::Database(database, _) => {
                let acting = Acting::new(actor::current(), None);
                let resumed = batches::resume(&database.pool, id, &acting, StepsBy::Caller).await;
                resumed.map_err(failed)?;
                bulk::steps(&database.pool, id, policy, json).await
            }
            Self::Api(api) => resume(api, id, json).await,
        }
    }

    /// Acts on what filters select, and prints the result.
    pub async fn run_batch(
        &self,
        work: BatchWork,
        args: &BulkArgs,
        policy: PrimaryQuotePolicy,
        json: bool,
    ) -> Result<ExitCode, CliError> {
        match self {
            Self::Database(database, _) => bulk::run(&database.pool, work, args, policy, json).await,
            Self::Api(api) => run(api, &work, args, json).await,
        }
    }
}

fn failed(error: BatchError) -> CliError {
    match error {
        BatchError::Unknown(_) | BatchError::Finished(_) => CliError::plain(error.to_string()),
        error => CliError::to("resume the batch", error),
    }
}

async fn run(api: &ApiClient, work: &BatchWork, args: &BulkArgs, json: bool) -> Result<ExitCode, CliError> {
    if !args.dry_run && !args.yes {
        return Err(CliError::setting(
            "through the operator API a selection is not shown before it is changed: look first with --dry-run, then add --yes",
        ));
    }
    let stop = shutdown::on_signals().context("watch for signals")?;
    let call = ApiCall::post(&["admin", "batches"], json!(request(work, args)));
    let begun: BatchRow = api.read("begin the batch", call).await?;
    follow(api, begun.id, stop, json, true).await
}

async fn resume(api: &ApiClient, id: Uuid, json: bool) -> Result<ExitCode, CliError> {
    let stop = shutdown::on_signals().context("watch for signals")?;
    let id_text = id.to_string();
    let path = ["admin", "batches", &id_text, "resume"];
    let resumed = api
        .call::<BatchRow>("resume the batch", ApiCall::post(&path, json!({})))
        .await?;
    match resumed {
        Ok(_) => follow(api, id, stop, json, false).await,
        Err(refusal) if refusal.problem == FINISHED => Err(failed(BatchError::Finished(id))),
        Err(refusal) if refusal.problem == UNKNOWN => Err(failed(BatchError::Unknown(id))),
        Err(refusal) => Err(CliError::plain(format!(
            "could not resume the batch: {}",
            refusal.detail
        ))),
    }
}

/// Shows the progress of a batch that workers run, and prints its result. `prints_nothing`: where nothing was selected, that is all.
async fn follow(
    api: &ApiClient,
    id: Uuid,
    stop: CancellationToken,
    json: bool,
    prints_nothing: bool,
) -> Result<ExitCode, CliError> {
    let progress = BatchProgress::new(stop.clone());
    let ended = tokio::select! {
        ended = wait(api, id, &progress) => Some(ended),
        () = stop.cancelled() => None,
    };
    progress.finish();
    let Some(ended) = ended else {
        stderr::line(format_args!(
            "error: stopped waiting; the service goes on with batch {id}"
        ));
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    };
    let batch = ended?;
    let is_finished = matches!(batch.state.parse(), Ok(BatchState::Finished));
    if is_finished && prints_nothing && !batch.dry_run && batch.selected == 0 {
        bulk::print_nothing(json)?;
        return Ok(ExitCode::SUCCESS);
    }
    match json {
        true => print_json(&batch)?,
        false => print(bulk::summary(&batch))?,
    }
    match is_finished {
        true => Ok(ExitCode::SUCCESS),
        false => Err(CliError::plain(format!(
            "batch {} is {}: {}",
            batch.id,
            batch.state,
            batch.result["error"].as_str().unwrap_or("it was stopped")
        ))),
    }
}

/// Waits until the batch has ended.
async fn wait(api: &ApiClient, id: Uuid, progress: &BatchProgress) -> Result<BatchRow, CliError> {
    let id = id.to_string();
    let (mut position, mut moved_at, mut is_reported) = (None, Instant::now(), false);
    loop {
        let batch: BatchRow = api
            .read("read the batch", ApiCall::get(&["admin", "batches", &id]))
            .await?;
        progress.stepped(&batch, false);
        if !matches!(batch.state.parse(), Ok(BatchState::Running)) {
            return Ok(batch);
        }
        if batch.position != position {
            (position, moved_at) = (batch.position, Instant::now());
        }
        if moved_at.elapsed() > PATIENCE && !is_reported {
            is_reported = true;
            stderr::line(format_args!(
                "no step was made for {} s: a process of the role both or work makes them; see avinode-ingest jobs list --kind run_batch",
                PATIENCE.as_secs()
            ));
        }
        sleep(POLL).await;
    }
}

fn request(work: &BatchWork, args: &BulkArgs) -> NewBatchRequest {
    let (action, jobs, deliveries, force) = match work {
        BatchWork::Retry(jobs) => (BatchAction::Retry, Some(jobs), None, false),
        BatchWork::Discard { jobs, timers } => (BatchAction::Discard, Some(jobs), None, *timers),
        BatchWork::Replay(deliveries) => (BatchAction::Replay, None, Some(deliveries), false),
    };
    NewBatchRequest {
        action,
        jobs: jobs.map(Into::into),
        deliveries: deliveries.map(Into::into),
        force,
        dry_run: args.dry_run,
        limit: Some(args.limit),
        note: args.note.as_ref().map(ActionNote::as_str).map(str::to_owned),
    }
}
