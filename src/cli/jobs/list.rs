//! `jobs list`.

use serde::{Deserialize, Serialize};

use crate::cli::database::{CommandDatabase, DatabaseCommandArgs};
use crate::cli::error::{CliError, Context};
use crate::cli::filter_args::JobFilterArgs;
use crate::cli::subject_args::print_page;
use crate::cli::table::{TextTable, moment, or_dash};
use crate::config::value_parsers::integer_in;
use crate::http::v1::cursor::{self, CursorKey};
use crate::queue::admin::{self, JobFilter, JobPosition, JobView};

#[derive(Debug, clap::Args)]
pub struct ListJobsArgs {
    #[command(flatten)]
    pub filter: JobFilterArgs,

    /// Maximum number of jobs (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor)]
    pub cursor: Option<JobCursor>,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

/// The page begins after this job.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobCursor(pub JobPosition);

impl CursorKey for JobCursor {
    const LIST: &'static str = "jobs";
}

pub(super) async fn run(args: ListJobsArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let read = read(&database, &args).await;
    database.close().await?;
    let mut jobs = read?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let has_more = jobs.len() > limit;
    jobs.truncate(limit);
    let last = jobs.last().filter(|_| has_more).map(JobView::position);
    let next = last.map(|position| cursor::encode(&JobCursor(position)));
    let none =
        match args.filter.subject.filter().is_empty() && args.filter.text.is_none() && args.filter.reason.is_none() {
            true => "no jobs: everything that was received is done",
            false => "no jobs",
        };
    let headings = ["job", "kind", "state", "attempts", "due", "delivery", "key", "reason"];
    print_page(args.common.json, jobs, next, none, TextTable::new(headings), cells)
}

/// Reads one job more than the page has.
async fn read(database: &CommandDatabase, args: &ListJobsArgs) -> Result<Vec<JobView>, CliError> {
    let pool = &database.pool;
    let filter = args.filter.selection().filter(pool, args.limit + 1).await;
    let filter = JobFilter {
        after: args.cursor.map(|cursor| cursor.0),
        ..filter.context("look for the jobs")?
    };
    admin::list(pool, &filter).await.context("list the jobs")
}

fn cells(job: JobView) -> [String; 8] {
    [
        job.id.to_string(),
        job.kind,
        job.state.as_str().to_owned(),
        job.attempts.to_string(),
        moment(job.due_at),
        or_dash(job.delivery_id.map(|id| id.to_string())),
        or_dash(job.key),
        or_dash(job.reason),
    ]
}

fn page_cursor(text: &str) -> Result<JobCursor, String> {
    cursor::decode(text).ok_or_else(|| "is not a cursor of this list".to_owned())
}
