//! Actions on many rows that a filter selects: the question before them, the steps with progress, and the summary.

pub mod progress;

use std::io::{BufRead, IsTerminal, stdin};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use self::progress::BatchProgress;
use super::actor;
use super::error::{CliError, Context, EXIT_INTERRUPTED};
use super::output::{print, print_json};
use super::table::counted;
use crate::admin::batches::work::BatchWork;
use crate::admin::batches::{self, DEFAULT_LIMIT, NewBatch, StepsBy, runner};
use crate::admin::selection::RowSelection;
use crate::clock::Clock;
use crate::config::value_parsers::integer_in;
use crate::domain::actor::{Acting, ActionNote};
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::jobs::apply::JobApplier;
use crate::postgres::transaction::Pool;
use crate::shutdown;
use crate::stderr;
use crate::store::batches::{BatchRow, BatchState};
use crate::store::session_changes::SessionChanges;

#[derive(Debug, Clone, clap::Args)]
pub struct BulkArgs {
    /// Count what the filters select, and change nothing. Recorded as a batch and in the audit log.
    #[arg(long)]
    pub dry_run: bool,

    /// Maximum number of rows that the filters select (1 to 1000000).
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_LIMIT, value_parser = integer_in::<i64>(1, 1_000_000))]
    pub limit: i64,

    /// Act on what the filters select without asking. Needed where standard input is no terminal.
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,

    /// Why it is done: one line for the audit log, and for the outcomes of discarded jobs.
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub note: Option<ActionNote>,
}

impl BulkArgs {
    pub fn acting(&self) -> Acting {
        Acting::new(actor::current(), self.note.clone())
    }
}

pub fn note(text: &str) -> Result<ActionNote, String> {
    ActionNote::parse(text).map_err(|error| error.to_string())
}

/// The rows that a command acts on: given ones, or selected ones.
pub enum Chosen {
    Ids,
    Filters,
}

/// Refuses a command without ids and filters, and one with both.
pub fn chosen(ids: usize, has_filter: bool, noun: &str) -> Result<Chosen, CliError> {
    match (ids > 0, has_filter) {
        (true, false) => Ok(Chosen::Ids),
        (false, true) => Ok(Chosen::Filters),
        (true, true) => Err(CliError::setting(format!(
            "ids and filters exclude each other: name the {noun}, or select them by filters"
        ))),
        (false, false) => Err(CliError::setting(format!(
            "no {noun} are named or selected: give ids, or filters such as --since 7d"
        ))),
    }
}

/// Runs a batch after the question.
pub async fn run(
    pool: &Pool,
    work: BatchWork,
    bulk: &BulkArgs,
    policy: PrimaryQuotePolicy,
    json: bool,
) -> Result<ExitCode, CliError> {
    if !bulk.dry_run {
        let selected = work.selection().count(pool, bulk.limit.saturating_add(1)).await;
        let selected = selected.context("count the selection")?;
        if selected == 0 {
            print_nothing(json)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !bulk.yes && !is_confirmed(&question(&work, selected, bulk.limit))? {
            print("nothing was changed")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    let new = NewBatch {
        work,
        dry_run: bulk.dry_run,
        limit: bulk.limit,
        acting: bulk.acting(),
    };
    let id = batches::begin(pool, &new, StepsBy::Caller).await;
    let id = id.context("begin the batch")?;
    steps(pool, id, policy, json).await
}

/// Makes the steps of a batch, and prints its result.
pub async fn steps(pool: &Pool, id: Uuid, policy: PrimaryQuotePolicy, json: bool) -> Result<ExitCode, CliError> {
    let stop = shutdown::on_signals().context("watch for signals")?;
    let applier = Arc::new(JobApplier {
        pool: pool.clone(),
        policy,
        clock: Clock::System,
        changes: SessionChanges::default(),
    });
    let progress = BatchProgress::new(stop);
    let ended = runner::run(&applier, id, &progress).await;
    progress.finish();
    let batch = ended.map_err(|error| {
        CliError::to(format!("finish batch {id}"), error)
            .hint(format!("`batches resume {id}` continues after the last finished step"))
    })?;
    match json {
        true => print_json(&batch)?,
        false => print(summary(&batch))?,
    }
    match batch.state.parse() {
        Ok(BatchState::Finished) => Ok(ExitCode::SUCCESS),
        _ => {
            stderr::line(format_args!("error: interrupted; `batches resume {id}` continues it"));
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
    }
}

/// The batch in a few lines.
pub fn summary(batch: &BatchRow) -> String {
    let noun = |count: i64| match batch.action.as_str() {
        "replay" => counted(count, "delivery", "deliveries"),
        _ => counted(count, "job", "jobs"),
    };
    let done = match (batch.action.as_str(), batch.dry_run) {
        ("retry", false) => "made available",
        ("retry", true) => "would be made available",
        ("discard", false) => "discarded",
        ("discard", true) => "would be discarded",
        (_, false) => "enqueued",
        (_, true) => "would be enqueued",
    };
    let mut lines = vec![format!(
        "{} {done}, of {} selected",
        noun(batch.changed),
        batch.selected
    )];
    if batch.selected >= batch.row_limit {
        lines.push(format!(
            "the limit of {} rows is reached: there may be more",
            batch.row_limit
        ));
    }
    if batch.skipped > 0 {
        lines.push(format!(
            "{} left as they are: their state allows or needs no change",
            batch.skipped
        ));
    }
    if batch.failed > 0 {
        lines.push(format!(
            "{} redacted or deleted: there is nothing left to process",
            batch.failed
        ));
    }
    if batch.dry_run && batch.action == "replay" {
        lines.extend(preview(batch));
    }
    lines.push(format!("batch {}", batch.id));
    lines.join("\n")
}

fn preview(batch: &BatchRow) -> Vec<String> {
    let result = &batch.result;
    let count = |name: &str| result[name].as_i64().unwrap_or(0);
    let mut lines = vec![format!(
        "{} would change",
        counted(count("sessions_changed"), "session", "sessions")
    )];
    let named = result["sessions"].as_array().into_iter().flatten();
    lines.extend(
        named
            .filter_map(|session| session.as_str())
            .map(|session| format!("  {session}")),
    );
    for (name, text) in [
        (
            "would_be_fetched",
            "would be fetched: what that changes is not known before",
        ),
        ("would_be_dead", "would be dead-lettered"),
        ("undecided", "could not be applied here: the database refused them"),
    ] {
        if count(name) > 0 {
            lines.push(format!("{} {text}", counted(count(name), "delivery", "deliveries")));
        }
    }
    lines
}

fn question(work: &BatchWork, selected: i64, limit: i64) -> String {
    let noun = match work.selection() {
        RowSelection::Jobs(_) => counted(selected.min(limit), "job", "jobs"),
        RowSelection::Deliveries(_) => counted(selected.min(limit), "delivery", "deliveries"),
    };
    let more = match selected > limit {
        true => format!(" (more are selected, --limit is {limit})"),
        false => String::new(),
    };
    format!("{} {noun}{more}", work.action())
}

/// Asks on standard error, so that the output stays what scripts expect.
fn is_confirmed(question: &str) -> Result<bool, CliError> {
    if !stdin().is_terminal() {
        return Err(CliError::setting(format!(
            "this would {question}: add --yes, or look first with --dry-run"
        )));
    }
    stderr::line(format_args!("This will {question}. Go on? [y/N]"));
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("read standard input")?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

pub fn print_nothing(json: bool) -> Result<(), CliError> {
    match json {
        true => print_json(&json!({"selected": 0, "changed": 0})),
        false => print("nothing is selected"),
    }
}
