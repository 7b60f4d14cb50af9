//! `jobs`: lists, shows, retries and discards jobs.

pub mod list;
pub mod summary;

use std::process::ExitCode;

use clap::Subcommand;

use super::age::moment_and_age;
use super::bulk::{self, BulkArgs, Chosen};
use super::error::CliError;
use super::filter_args::JobFilterArgs;
use super::operator::{Operator, OperatorCommandArgs};
use super::output::{print, print_json};
use super::table::{TextTable, counted, or_dash};
use crate::admin::actions::JobsChanged;
use crate::admin::batches::work::BatchWork;
use crate::admin::selection::JobSelection;
use crate::config::value_parsers::integer_in;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::queue::job_state::JobState;

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, dead ones first, then by due time
    ///
    /// All filters combine. If there are more than --limit, the last line has the --cursor of the next page.
    List(Box<list::ListJobsArgs>),
    /// Count jobs by kind, state and reason
    ///
    /// Dead ones first, by the first words of their reasons. Timers, which wait for a time, count as well.
    Summary(Box<OperatorCommandArgs>),
    /// Show a job with its failures
    Show(Box<ShowJobArgs>),
    /// Run dead, scheduled or retryable jobs now
    ///
    /// Takes ids, or the filters of `jobs list`, which all combine. What filters select is changed in steps, as a batch.
    Retry(Box<ChangeJobsArgs>),
    /// Take dead or unclaimed jobs out of the queue for good
    ///
    /// Takes ids, or the filters of `jobs list`, which all combine. What filters select is changed in steps, as a batch.
    /// Their deliveries are kept and can be worked on again with `deliveries replay`.
    /// A timer is refused (of a selection: skipped), since it is not work: it makes the service act at a time, as when a quote expires.
    Discard(Box<DiscardJobsArgs>),
}

#[derive(Debug, clap::Args)]
pub struct ShowJobArgs {
    /// Id of the job, as in `jobs list`.
    #[arg(value_name = "ID", value_parser = integer_in::<i64>(1, i64::MAX.unsigned_abs()))]
    pub id: i64,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

#[derive(Debug, clap::Args)]
pub struct ChangeJobsArgs {
    /// Ids of the jobs, as in `jobs list`. With ids no filter applies, and no --yes is needed.
    #[arg(value_name = "ID", value_parser = integer_in::<i64>(1, i64::MAX.unsigned_abs()))]
    pub ids: Vec<i64>,

    /// All dead jobs: the same as --state dead.
    #[arg(long, conflicts_with = "state")]
    pub dead: bool,

    #[command(flatten)]
    pub filter: JobFilterArgs,

    #[command(flatten)]
    pub bulk: BulkArgs,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

impl ChangeJobsArgs {
    fn selection(&self) -> JobSelection {
        let selection = self.filter.selection();
        JobSelection {
            state: selection.state.or(self.dead.then_some(JobState::Dead)),
            ..selection
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct DiscardJobsArgs {
    #[command(flatten)]
    pub jobs: ChangeJobsArgs,

    /// Discard timers as well. The service makes one again if it is still needed.
    #[arg(long)]
    pub force: bool,
}

pub async fn run(command: JobsCommand) -> Result<ExitCode, CliError> {
    match command {
        JobsCommand::List(args) => list::run(*args).await?,
        JobsCommand::Summary(args) => summary::run(*args).await?,
        JobsCommand::Show(args) => show(*args).await?,
        JobsCommand::Retry(args) => {
            let work = BatchWork::Retry(args.selection());
            return change(&args, work, "made available").await;
        }
        JobsCommand::Discard(args) => {
            let DiscardJobsArgs { jobs, force } = *args;
            let work = BatchWork::Discard {
                jobs: jobs.selection(),
                timers: force,
            };
            return change(&jobs, work, "discarded").await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(args: ShowJobArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let job = operator.job(args.id).await;
    operator.close().await?;
    let Some(job) = job? else {
        let missing = CliError::plain(format!("there is no unfinished or dead job {}", args.id));
        return Err(missing.hint("`deliveries show` shows the outcomes of finished jobs"));
    };
    if args.common.json {
        return print_json(&job);
    }
    let properties = [
        ("kind", job.kind),
        ("state", job.state.as_str().to_owned()),
        ("key", or_dash(job.key)),
        ("delivery", or_dash(job.delivery_id.map(|id| id.to_string()))),
        ("enqueued", moment_and_age(job.created_at)),
        ("due", moment_and_age(job.due_at)),
        ("attempts", job.attempts.to_string()),
        ("crashes", job.crashes.to_string()),
        ("leased by", or_dash(job.leased_by)),
        ("reason", or_dash(job.reason)),
    ];
    let failures = job.history.into_iter().enumerate();
    let failures = failures.map(|(index, failure)| [format!("failure {}", index + 1), failure]);
    print(TextTable::properties("job", job.id, properties).rows(failures))
}

/// Changes the named or selected jobs; `done` completes the summary.
async fn change(args: &ChangeJobsArgs, work: BatchWork, done: &str) -> Result<ExitCode, CliError> {
    let chosen = bulk::chosen(args.ids.len(), !work.is_unfiltered(), "jobs")?;
    let operator = Operator::open(&args.common.target).await?;
    let changed = match chosen {
        Chosen::Filters => {
            // Of jobs nothing is decided.
            let policy = PrimaryQuotePolicy::default();
            operator.run_batch(work, &args.bulk, policy, args.common.json).await
        }
        Chosen::Ids => change_named(&operator, args, &work, done)
            .await
            .map(|()| ExitCode::SUCCESS),
    };
    operator.close().await?;
    changed
}

async fn change_named(
    operator: &Operator,
    args: &ChangeJobsArgs,
    work: &BatchWork,
    done: &str,
) -> Result<(), CliError> {
    if args.bulk.dry_run {
        return Err(CliError::setting(
            "--dry-run counts what filters select, and takes no ids",
        ));
    }
    let note = args.bulk.note.as_ref();
    let changed = match work {
        BatchWork::Discard { timers, .. } => operator.discard(&args.ids, *timers, note).await,
        _ => operator.retry(&args.ids, note).await,
    };
    let JobsChanged { done: ids, not_done } = changed?;
    let missed: Vec<String> = not_done.iter().map(ToString::to_string).collect();
    if args.common.json {
        print(serde_json::json!({"done": ids, "not_done": missed}))?;
    } else {
        print(format_args!("{} {done}", counted(ids.len(), "job", "jobs")))?;
    }
    if missed.is_empty() {
        return Ok(());
    }
    Err(CliError::plain(format!(
        "not found, or in a state that does not allow it: {}",
        missed.join(", ")
    )))
}
