//! `jobs`: what an operator needs to see and mend of the queue.

use std::process::ExitCode;

use clap::Subcommand;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::print;
use super::table::{TextTable, moment, or_dash};
use crate::config::database::DatabaseArgs;
use crate::config::value_parsers::whole;
use crate::jobs::fetch::status;
use crate::queue::admin::{self, JobFilter};
use crate::queue::job_state::JobState;

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, the ones that need attention first
    List(ListJobsArgs),
    /// Show one job with its history
    Show(ShowJobArgs),
    /// Run dead, scheduled or retryable jobs now
    Retry(JobSelection),
    /// Take dead or unclaimed jobs out of the queue for good
    ///
    /// Their deliveries are kept and can be worked on again with `deliveries replay`.
    Discard(JobSelection),
}

/// What `jobs list` takes.
#[derive(Debug, clap::Args)]
pub struct ListJobsArgs {
    /// Only jobs in this state.
    #[arg(long, value_name = "STATE")]
    pub state: Option<JobState>,

    /// Only jobs of this kind.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// The most jobs to list (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = whole::<i64>(1, 10_000))]
    pub limit: i64,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `jobs show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowJobArgs {
    /// The job, by the id that `jobs list` prints.
    #[arg(value_name = "ID", value_parser = whole::<i64>(1, i64::MAX.unsigned_abs()))]
    pub id: i64,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `jobs retry` and `jobs discard` take: jobs by id, or all dead ones.
#[derive(Debug, clap::Args)]
pub struct JobSelection {
    /// The jobs, by the ids that `jobs list` prints.
    #[arg(value_name = "ID", required_unless_present = "dead", value_parser = whole::<i64>(1, i64::MAX.unsigned_abs()))]
    pub ids: Vec<i64>,

    /// All dead jobs.
    #[arg(long, conflicts_with = "ids")]
    pub dead: bool,

    /// With --dead: only those of this kind.
    #[arg(long, value_name = "KIND", requires = "dead")]
    pub kind: Option<String>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Does it.
pub async fn run(action: JobsCommand) -> Result<ExitCode, CliError> {
    match action {
        JobsCommand::List(args) => list(args).await,
        JobsCommand::Show(args) => show(args).await,
        JobsCommand::Retry(choice) => mend(choice, Mending::Retry).await,
        JobsCommand::Discard(choice) => mend(choice, Mending::Discard).await,
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
        print("no jobs: everything received has been worked off")?;
    } else {
        let mut report = TextTable::new(["job", "kind", "state", "attempts", "due", "delivery", "about", "reason"]);
        for job in jobs {
            report.row([
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
        print(report)?;
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
            let mut report = TextTable::new(["job", &job.id.to_string()]);
            report.row(["kind", &job.kind]);
            report.row(["state", job.state.as_str()]);
            report.row(["about", &or_dash(job.key.clone())]);
            report.row(["delivery", &or_dash(job.delivery_id.map(|id| id.to_string()))]);
            report.row(["queued", &moment(job.created_at)]);
            report.row(["due", &moment(job.due_at)]);
            report.row(["attempts", &job.attempts.to_string()]);
            report.row(["crashes", &job.crashes.to_string()]);
            report.row(["held by", &or_dash(job.leased_by.clone())]);
            report.row(["reason", &or_dash(job.reason.clone())]);
            for (number, failure) in job.history.iter().enumerate() {
                report.row([format!("failure {}", number + 1).as_str(), failure]);
            }
            print(report)?;
            true
        }
        None => false,
    };
    database.close().await?;
    if found {
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError::plain(format!("there is no live or dead job {}", args.id))
        .hint("a finished job's outcome is shown by `deliveries show`"))
}

enum Mending {
    Retry,
    Discard,
}

async fn mend(choice: JobSelection, mending: Mending) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&choice.database).await?;
    let pool = &database.pool;
    let ids = match choice.dead {
        true => admin::dead_ids(pool, choice.kind.as_deref())
            .await
            .context("list the dead jobs")?,
        false => choice.ids,
    };
    let (done, word) = match mending {
        Mending::Retry => (
            admin::retry(pool, &ids).await.context("retry the jobs")?,
            "to be run now",
        ),
        Mending::Discard => (
            admin::discard(pool, &ids).await.context("discard the jobs")?,
            "discarded",
        ),
    };
    let missed: Vec<String> = ids
        .iter()
        .filter(|id| !done.contains(id))
        .map(ToString::to_string)
        .collect();
    if choice.json {
        print(serde_json::json!({"done": done, "not_done": missed}))?;
    } else {
        print(format_args!("{} {word}", counted(done.len())))?;
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

fn counted(jobs: usize) -> String {
    if jobs == 1 {
        "1 job".to_owned()
    } else {
        format!("{jobs} jobs")
    }
}
