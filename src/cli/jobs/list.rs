//! `jobs list`.

use serde::{Deserialize, Serialize};

use crate::cli::age::age;
use crate::cli::database::{CommandDatabase, DatabaseCommandArgs};
use crate::cli::error::{CliError, Context};
use crate::cli::list_page::{COUNTED_AHEAD, ListPage, RowNames, RowsAhead, print_page};
use crate::cli::subject_args::SubjectArgs;
use crate::cli::table::{TextTable, moment, or_dash};
use crate::config::value_parsers::{integer_in, one_of};
use crate::http::v1::cursor::{self, CursorKey};
use crate::jobs::fetch::status;
use crate::queue::admin::{self, JobFilter, JobPosition, JobView};
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::store::admin::job_ids;

#[derive(Debug, clap::Args)]
pub struct ListJobsArgs {
    #[command(flatten)]
    pub subject: SubjectArgs,

    /// Only jobs in this state.
    #[arg(long, value_name = "STATE")]
    pub state: Option<JobState>,

    /// Only jobs of this kind.
    #[arg(long, value_name = "KIND", value_parser = one_of::<JobKind>)]
    pub kind: Option<JobKind>,

    /// Only jobs with this text in their key, reason or failures, in any case.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    /// Timers as well, which wait for a time: the expiry of a quote. Without it they are listed only with --kind, and once due.
    #[arg(long)]
    pub all: bool,

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
    // Those that follow are only counted.
    let ahead = if args.common.json { 1 } else { COUNTED_AHEAD };
    let read = read(&database, &args, ahead).await;
    database.close().await?;
    let mut jobs = read?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let following = jobs.len().saturating_sub(limit);
    jobs.truncate(limit);
    let last = jobs.last().filter(|_| following > 0).map(JobView::position);
    let rows = RowsAhead::counted(following, usize::try_from(ahead).unwrap_or(usize::MAX));
    let next = last.map(|position| (cursor::encode(&JobCursor(position)), rows));
    let none = match args.subject.filter().is_empty() && args.text.is_none() {
        true => "no jobs: everything that was received is done",
        false => "no jobs",
    };
    let names = RowNames {
        none,
        one: "job",
        many: "jobs",
    };
    let headings = [
        "job", "kind", "state", "attempts", "due", "age", "delivery", "key", "reason",
    ];
    let table = TextTable::new(headings)
        .states(&[2])
        .texts(&[8])
        .optional(&[6, 4, 3, 7]);
    print_page(args.common.json, ListPage { data: jobs, next }, names, table, cells)
}

/// Reads the jobs of the page, and at most `ahead` of those that follow.
async fn read(database: &CommandDatabase, args: &ListJobsArgs, ahead: i64) -> Result<Vec<JobView>, CliError> {
    let pool = &database.pool;
    let subject = args.subject.filter();
    let ids = match subject.is_empty() {
        true => None,
        false => Some(job_ids::about(pool, &subject).await.context("look for the jobs")?),
    };
    let (since, until) = args.subject.times();
    let filter = JobFilter {
        hides_timers: !args.all && args.kind.is_none(),
        state: args.state,
        kind: args.kind.map(|kind| kind.as_str().to_owned()),
        limit: args.limit + ahead,
        ids,
        since,
        until,
        text: args.text.clone(),
        after: args.cursor.map(|cursor| cursor.0),
        blocked: status::blocked_kinds(pool)
            .await
            .context("read the status of fetching")?,
    };
    admin::list(pool, &filter).await.context("list the jobs")
}

fn cells(job: JobView) -> [String; 9] {
    [
        job.id.to_string(),
        job.kind,
        job.state.as_str().to_owned(),
        job.attempts.to_string(),
        moment(job.due_at),
        age(job.due_at),
        or_dash(job.delivery_id.map(|id| id.to_string())),
        or_dash(job.key),
        or_dash(job.reason),
    ]
}

fn page_cursor(text: &str) -> Result<JobCursor, String> {
    cursor::decode(text).ok_or_else(|| "is not a cursor of this list".to_owned())
}
