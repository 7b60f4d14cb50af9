//! `jobs`: lists, shows, retries and discards jobs.

pub mod list;
pub mod summary;

use clap::Subcommand;

use super::age::moment_and_age;
use super::database::{CommandDatabase, DatabaseCommandArgs};
use super::error::{CliError, Context};
use super::output::{print, print_json};
use super::table::{TextTable, counted, or_dash};
use crate::config::value_parsers::{integer_in, one_of};
use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::admin::{self, JobFilter, JobView};
use crate::queue::job_kind::JobKind;

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, dead ones first, then by due time
    ///
    /// All filters combine. If there are more than --limit, the last line has the --cursor of the next page.
    List(Box<list::ListJobsArgs>),
    /// Count jobs by kind, state and reason
    ///
    /// Dead ones first. Timers, which wait for a time, count as well.
    Summary(DatabaseCommandArgs),
    /// Show a job with its failures
    Show(ShowJobArgs),
    /// Run dead, scheduled or retryable jobs now
    Retry(JobSelection),
    /// Take dead or unclaimed jobs out of the queue for good
    ///
    /// Their deliveries are kept and can be worked on again with `deliveries replay`.
    /// A timer is refused, since it is not work: it makes the service act at a time, as when a quote expires.
    Discard(DiscardJobsArgs),
}

#[derive(Debug, clap::Args)]
pub struct ShowJobArgs {
    /// Id of the job, as in `jobs list`.
    #[arg(value_name = "ID", value_parser = integer_in::<i64>(1, i64::MAX.unsigned_abs()))]
    pub id: i64,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

#[derive(Debug, clap::Args)]
pub struct JobSelection {
    /// Ids of the jobs, as in `jobs list`.
    #[arg(value_name = "ID", required_unless_present = "dead",
          value_parser = integer_in::<i64>(1, i64::MAX.unsigned_abs()))]
    pub ids: Vec<i64>,

    /// All dead jobs.
    #[arg(long, conflicts_with = "ids")]
    pub dead: bool,

    /// With --dead: only jobs of this kind.
    #[arg(long, value_name = "KIND", requires = "dead", value_parser = one_of::<JobKind>)]
    pub kind: Option<JobKind>,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

#[derive(Debug, clap::Args)]
pub struct DiscardJobsArgs {
    #[command(flatten)]
    pub selection: JobSelection,

    /// Discard timers as well. The service makes one again if it is still needed.
    #[arg(long)]
    pub force: bool,
}

pub async fn run(command: JobsCommand) -> Result<(), CliError> {
    match command {
        JobsCommand::List(args) => list::run(*args).await,
        JobsCommand::Summary(args) => summary::run(args).await,
        JobsCommand::Show(args) => show(args).await,
        JobsCommand::Retry(selection) => change(selection, "retry", "made available", admin::retry, false).await,
        JobsCommand::Discard(DiscardJobsArgs { selection, force }) => {
            change(selection, "discard", "discarded", admin::discard, !force).await
        }
    }
}

async fn show(args: ShowJobArgs) -> Result<(), CliError> {
    let filter = JobFilter {
        ids: Some(vec![args.id]),
        limit: 1,
        ..JobFilter::default()
    };
    let Some(job) = read(&args.common, filter, "read the job").await?.pop() else {
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

/// Reads jobs, with the reason why some of them do not run.
async fn read(args: &DatabaseCommandArgs, filter: JobFilter, attempt: &str) -> Result<Vec<JobView>, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let blocked = status::blocked_kinds(&database.pool).await;
    let blocked = blocked.context("read the status of fetching")?;
    let jobs = admin::list(&database.pool, &JobFilter { blocked, ..filter }).await;
    database.close().await?;
    jobs.context(attempt)
}

/// Changes the selected jobs; `verb` completes "could not …", `done` the summary. `refuses_timers`: one among them, and nothing
/// is changed.
async fn change(
    selection: JobSelection,
    verb: &str,
    done: &str,
    change: impl AsyncFnOnce(&Pool, &[i64]) -> Result<Vec<i64>, sqlx::Error>,
    refuses_timers: bool,
) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&selection.common.database).await?;
    let pool = &database.pool;
    let ids = match selection.dead {
        true => admin::dead_ids(pool, selection.kind.map(JobKind::as_str))
            .await
            .context("list the dead jobs")?,
        false => selection.ids,
    };
    if refuses_timers {
        let timers = admin::timers(pool, &ids).await.context("look for timers")?;
        if !timers.is_empty() {
            database.close().await?;
            let timers: Vec<String> = timers.iter().map(ToString::to_string).collect();
            let refused = format!("nothing was discarded: timers, not work: {}", timers.join(", "));
            let hint = "without its timer an expired quote stays primary until the next resync; --force discards timers as well";
            return Err(CliError::plain(refused).hint(hint));
        }
    }
    let changed = change(pool, &ids).await.context(format_args!("{verb} the jobs"))?;
    let missed: Vec<String> = ids
        .iter()
        .filter(|id| !changed.contains(id))
        .map(ToString::to_string)
        .collect();
    if selection.common.json {
        print(serde_json::json!({"done": changed, "not_done": missed}))?;
    } else {
        print(format_args!("{} {done}", counted(changed.len(), "job", "jobs")))?;
    }
    database.close().await?;
    if missed.is_empty() {
        return Ok(());
    }
    Err(CliError::plain(format!(
        "not found, or in a state that does not allow it: {}",
        missed.join(", ")
    )))
}
