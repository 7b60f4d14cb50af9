//! `jobs`: lists, shows, retries and discards jobs.

use std::process::ExitCode;

use clap::Subcommand;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::print;
use super::table::{TextTable, counted, moment, or_dash};
use crate::config::database::DatabaseArgs;
use crate::config::value_parsers::integer_in;
use crate::jobs::fetch::status;
use crate::queue::admin::{self, JobFilter};
use crate::queue::job_state::JobState;

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, dead ones first, then by due time
    List(ListJobsArgs),
    /// Show a job with its failures
    Show(ShowJobArgs),
    /// Run dead, scheduled or retryable jobs now
    Retry(JobSelection),
    /// Take dead or unclaimed jobs out of the queue for good
    ///
    /// Their deliveries are kept and can be worked on again with `deliveries replay`.
    Discard(JobSelection),
}

#[derive(Debug, clap::Args)]
pub struct ListJobsArgs {
    /// Only jobs in this state.
    #[arg(long, value_name = "STATE")]
    pub state: Option<JobState>,

    /// Only jobs of this kind.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// Maximum number of jobs (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
pub struct ShowJobArgs {
    /// Id of the job, as in `jobs list`.
    #[arg(value_name = "ID", value_parser = integer_in::<i64>(1, i64::MAX.unsigned_abs()))]
    pub id: i64,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub database: DatabaseArgs,
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
    #[arg(long, value_name = "KIND", requires = "dead")]
    pub kind: Option<String>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub async fn run(command: JobsCommand) -> Result<ExitCode, CliError> {
    match command {
        JobsCommand::List(args) => list(args).await,
        JobsCommand::Show(args) => show(args).await,
        JobsCommand::Retry(selection) => change(selection, JobChange::Retry).await,
        JobsCommand::Discard(selection) => change(selection, JobChange::Discard).await,
    }
}

async fn list(args: ListJobsArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let blocked = status::blocked_kinds(&database.pool)
        .await
        .context("read the status of fetching")?;
    let filter = JobFilter {
        id: None,
        state: args.state,
        kind: args.kind,
        limit: args.limit,
        blocked,
    };
    let jobs = admin::list(&database.pool, &filter).await.context("list the jobs")?;
    if args.json {
        print(serde_json::to_string_pretty(&jobs).context("write the jobs as JSON")?)?;
    } else if jobs.is_empty() {
        print("no jobs: everything that was received is done")?;
    } else {
        let mut table = TextTable::new(["job", "kind", "state", "attempts", "due", "delivery", "key", "reason"]);
        for job in jobs {
            table.row([
                job.id.to_string(),
                job.kind,
                job.state.as_str().to_owned(),
                job.attempts.to_string(),
                moment(job.due_at),
                or_dash(job.delivery_id.map(|id| id.to_string())),
                or_dash(job.key),
                or_dash(job.reason),
            ]);
        }
        print(table)?;
    }
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn show(args: ShowJobArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let blocked = status::blocked_kinds(&database.pool)
        .await
        .context("read the status of fetching")?;
    let filter = JobFilter {
        id: Some(args.id),
        limit: 1,
        blocked,
        ..JobFilter::default()
    };
    let jobs = admin::list(&database.pool, &filter).await.context("read the job")?;
    let found = match jobs.first() {
        Some(job) if args.json => {
            print(serde_json::to_string_pretty(job).context("write the job as JSON")?)?;
            true
        }
        Some(job) => {
            let mut table = TextTable::new(["job", &job.id.to_string()]);
            table.row(["kind", &job.kind]);
            table.row(["state", job.state.as_str()]);
            table.row(["key", &or_dash(job.key.clone())]);
            table.row(["delivery", &or_dash(job.delivery_id.map(|id| id.to_string()))]);
            table.row(["enqueued", &moment(job.created_at)]);
            table.row(["due", &moment(job.due_at)]);
            table.row(["attempts", &job.attempts.to_string()]);
            table.row(["crashes", &job.crashes.to_string()]);
            table.row(["leased by", &or_dash(job.leased_by.clone())]);
            table.row(["reason", &or_dash(job.reason.clone())]);
            for (number, failure) in job.history.iter().enumerate() {
                table.row([format!("failure {}", number + 1).as_str(), failure]);
            }
            print(table)?;
            true
        }
        None => false,
    };
    database.close().await?;
    if found {
        return Ok(ExitCode::SUCCESS);
    }
    Err(
        CliError::plain(format!("there is no unfinished or dead job {}", args.id))
            .hint("`deliveries show` shows the outcomes of finished jobs"),
    )
}

enum JobChange {
    Retry,
    Discard,
}

async fn change(selection: JobSelection, change: JobChange) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&selection.database).await?;
    let pool = &database.pool;
    let ids = match selection.dead {
        true => admin::dead_ids(pool, selection.kind.as_deref())
            .await
            .context("list the dead jobs")?,
        false => selection.ids,
    };
    let (done, verb) = match change {
        JobChange::Retry => (
            admin::retry(pool, &ids).await.context("retry the jobs")?,
            "made available",
        ),
        JobChange::Discard => (
            admin::discard(pool, &ids).await.context("discard the jobs")?,
            "discarded",
        ),
    };
    let missed: Vec<String> = ids
        .iter()
        .filter(|id| !done.contains(id))
        .map(ToString::to_string)
        .collect();
    if selection.json {
        print(serde_json::json!({"done": done, "not_done": missed}))?;
    } else {
        print(format_args!("{} {verb}", counted(done.len(), "job", "jobs")))?;
    }
    database.close().await?;
    if missed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError::plain(format!(
        "not found, or in a state that does not allow it: {}",
        missed.join(", ")
    )))
}
