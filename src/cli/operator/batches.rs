//! Batches: through the API workers of the service run them, and on the database this process does.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use super::Operator;
use super::api_client::{ApiCall, ApiClient};
use crate::admin::batches::error::BatchError;
use crate::admin::batches::observer::BatchObserver;
use crate::admin::batches::work::BatchWork;
use crate::cli::bulk::progress::BatchProgress;
use crate::cli::bulk::{self, BulkArgs};
use crate::cli::error::{CliError, Context, EXIT_INTERRUPTED};
use crate::cli::output::{print, print_json};
use crate::domain::actor::ActionNote;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::http::v1::admin::batches::{BatchAction, BatchListParams, NewBatchRequest};
use crate::http::v1::admin::cursors::BatchCursor;
use crate::http::v1::cursor;
use crate::http::v1::response::ListResponse;
use crate::shutdown;
use crate::stderr;
use crate::store::batches::{BatchFilter, BatchRow, BatchState};

/// The pause between two looks at a batch that workers run.
const POLL: Duration = Duration::from_millis(300);

impl Operator {
    pub async fn batches(&self, filter: &BatchFilter) -> Result<ListResponse<BatchRow>, CliError> {
        let attempt = "list the batches";
        match self {
            Self::Database(_, service) => {
                let mut data = service.batches(filter).await.context(attempt)?;
                let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
                let has_more = data.len() > limit;
                data.truncate(limit);
                let last = data.last().filter(|_| has_more);
                let next_cursor = last.map(|last| cursor::encode(&BatchCursor(last.id)));
                Ok(ListResponse { data, next_cursor })
            }
            Self::Api(api) => {
                let params = BatchListParams::from(filter);
                api.list(attempt, "batches", &params, filter.limit).await
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
            Self::Api(api) => api.find(attempt, &["batches", &id.to_string()]).await,
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

async fn run(api: &ApiClient, work: &BatchWork, args: &BulkArgs, json: bool) -> Result<ExitCode, CliError> {
    if !args.dry_run && !args.yes {
        return Err(CliError::setting(
            "through the operator API a selection is not shown before it is changed: look first with --dry-run, then add --yes",
        ));
    }
    let stop = shutdown::on_signals().context("watch for signals")?;
    let call = ApiCall::post(&["batches"], json!(request(work, args)));
    let begun: BatchRow = api.read("begin the batch", call).await?;
    let progress = BatchProgress::new(stop);
    let ended = wait(api, begun.id, &progress).await;
    progress.finish();
    let batch = ended?;
    let is_finished = matches!(batch.state.parse(), Ok(BatchState::Finished));
    if is_finished && !args.dry_run && batch.selected == 0 {
        bulk::print_nothing(json)?;
        return Ok(ExitCode::SUCCESS);
    }
    match json {
        true => print_json(&batch)?,
        false => print(bulk::summary(&batch))?,
    }
    match batch.state.parse() {
        Ok(BatchState::Finished) => Ok(ExitCode::SUCCESS),
        Ok(BatchState::Running) => {
            stderr::line(format_args!(
                "error: stopped waiting; the service goes on with batch {}",
                batch.id
            ));
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
        _ => Err(CliError::plain(format!(
            "batch {} is {}: {}",
            batch.id,
            batch.state,
            batch.result["error"].as_str().unwrap_or("it was stopped")
        ))),
    }
}

/// Waits until the batch has ended, or this process is to end.
async fn wait(api: &ApiClient, id: Uuid, progress: &BatchProgress) -> Result<BatchRow, CliError> {
    let id = id.to_string();
    loop {
        let batch: BatchRow = api.read("read the batch", ApiCall::get(&["batches", &id])).await?;
        progress.stepped(&batch, false);
        let is_running = matches!(batch.state.parse(), Ok(BatchState::Running));
        if !is_running || progress.stops() {
            return Ok(batch);
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
