//! `batches`: lists, shows and resumes actions on many rows.

use std::process::ExitCode;

use clap::Subcommand;
use uuid::Uuid;

use super::age::{age, moment_and_age};
use super::error::CliError;
use super::list_page::{ListPage, RowNames, page_cursor, print_page};
use super::operator::{Operator, OperatorCommandArgs};
use super::output::{print, print_json};
use super::table::{TextTable, moment, or_dash};
use crate::config::value_parsers::{integer_in, one_of};
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::http::v1::admin::cursors::BatchCursor;
use crate::store::batches::{BatchFilter, BatchRow, BatchState};

#[derive(Debug, Subcommand)]
pub enum BatchesCommand {
    /// List batches, the newest first
    ///
    /// A batch is an action on many rows: `jobs retry` and `jobs discard` with filters, `deliveries replay` with filters.
    List(ListBatchesArgs),
    /// Show a batch with its filter and counts
    Show(ShowBatchArgs),
    /// Continue a batch that was interrupted, failed or killed
    ///
    /// Begins after the last finished step: no row is changed twice.
    Resume(ResumeBatchArgs),
}

#[derive(Debug, clap::Args)]
pub struct ListBatchesArgs {
    /// Only batches in this state: running, interrupted, finished or failed.
    #[arg(long, value_name = "STATE", value_parser = one_of::<BatchState>)]
    pub state: Option<BatchState>,

    /// Maximum number of batches (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor::<BatchCursor>)]
    pub cursor: Option<BatchCursor>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

#[derive(Debug, clap::Args)]
pub struct ShowBatchArgs {
    /// Id of the batch.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

#[derive(Debug, clap::Args)]
pub struct ResumeBatchArgs {
    /// Id of the batch.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    /// Policy that selects the primary quote of a session, unless a person chose one. The workers of a service have their own.
    #[arg(
        long,
        env = "INGEST_PRIMARY_QUOTE_POLICY",
        value_name = "POLICY",
        default_value = "latest"
    )]
    pub primary_quote_policy: PrimaryQuotePolicy,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub async fn run(command: BatchesCommand) -> Result<ExitCode, CliError> {
    match command {
        BatchesCommand::List(args) => list(args).await?,
        BatchesCommand::Show(args) => show(args).await?,
        BatchesCommand::Resume(args) => return resume(args).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: ListBatchesArgs) -> Result<(), CliError> {
    let filter = BatchFilter {
        state: args.state,
        before: args.cursor.map(|cursor| cursor.0),
        limit: args.limit,
        ..BatchFilter::default()
    };
    let operator = Operator::open(&args.common.target).await?;
    let page = operator.batches(&filter).await;
    operator.close().await?;
    let page = page?;
    let headings = [
        "batch", "begun", "age", "actor", "action", "state", "selected", "changed", "skipped", "failed",
    ];
    let table = TextTable::new(headings)
        .numbers(&[6, 7, 8, 9])
        .states(&[5])
        .optional(&[1, 9, 8]);
    let names = RowNames {
        none: "no batches",
        one: "batch",
        many: "batches",
    };
    let page = ListPage::of(page, async |_| None).await;
    print_page(args.common.json, page, names, table, cells)
}

fn cells(batch: BatchRow) -> [String; 10] {
    [
        batch.id.to_string(),
        moment(batch.begun_at),
        age(batch.begun_at),
        batch.actor,
        action(&batch.action, batch.dry_run),
        batch.state,
        batch.selected.to_string(),
        batch.changed.to_string(),
        batch.skipped.to_string(),
        batch.failed.to_string(),
    ]
}

fn action(action: &str, dry_run: bool) -> String {
    let suffix = if dry_run { " (dry run)" } else { "" };
    format!("{action}{suffix}")
}

async fn show(args: ShowBatchArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let batch = operator.batch(args.id).await;
    operator.close().await?;
    let Some(batch) = batch? else {
        return Err(CliError::plain(format!("there is no batch {}", args.id)));
    };
    if args.common.json {
        return print_json(&batch);
    }
    let properties = [
        ("actor", batch.actor.clone()),
        ("action", action(&batch.action, batch.dry_run)),
        ("filter", batch.filter.to_string()),
        ("note", or_dash(batch.note.clone())),
        ("limit", batch.row_limit.to_string()),
        ("state", batch.state.clone()),
        ("begun", moment_and_age(batch.begun_at)),
        ("finished", or_dash(batch.finished_at.map(moment_and_age))),
        ("selected", batch.selected.to_string()),
        ("changed", batch.changed.to_string()),
        ("skipped", batch.skipped.to_string()),
        ("failed", batch.failed.to_string()),
        ("result", batch.result.to_string()),
    ];
    print(TextTable::properties("batch", batch.id, properties))
}

async fn resume(args: ResumeBatchArgs) -> Result<ExitCode, CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let ended = operator
        .resume_batch(args.id, args.primary_quote_policy, args.common.json)
        .await;
    operator.close().await?;
    ended
}
