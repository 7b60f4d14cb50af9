//! `jobs list`.

use crate::admin::job_list::JobListFilter;
use crate::cli::age::age;
use crate::cli::error::CliError;
use crate::cli::filter_args::JobFilterArgs;
use crate::cli::list_page::{COUNTED_AHEAD, ListPage, RowNames, page_cursor, print_page};
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::table::{TextTable, moment, or_dash};
use crate::config::value_parsers::integer_in;
use crate::http::v1::admin::cursors::JobCursor;
use crate::http::v1::cursor;
use crate::queue::admin::JobView;

#[derive(Debug, clap::Args)]
pub struct ListJobsArgs {
    #[command(flatten)]
    pub filter: JobFilterArgs,

    /// Maximum number of jobs (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor::<JobCursor>)]
    pub cursor: Option<JobCursor>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub(super) async fn run(args: ListJobsArgs) -> Result<(), CliError> {
    let filter = JobListFilter {
        selection: args.filter.selection(),
        after: args.cursor.map(|cursor| cursor.0),
        limit: args.limit,
    };
    let operator = Operator::open(&args.common.target).await?;
    let page = read(&operator, &filter, args.common.json).await;
    operator.close().await?;
    let page = page?;
    let selection = &filter.selection;
    let is_about_all = selection.subject.is_empty() && selection.outcome.is_none();
    let none = match is_about_all && selection.text.is_none() && selection.reason.is_none() {
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
    print_page(args.common.json, page, names, table, cells)
}

/// Reads a page, and for people the number of rows that follow.
async fn read(operator: &Operator, filter: &JobListFilter, json: bool) -> Result<ListPage<JobView>, CliError> {
    let page = operator.jobs(filter).await?;
    Ok(ListPage::of(page, async |cursor| {
        let after = cursor::decode(cursor).map(|JobCursor(position)| position);
        let following = JobListFilter {
            after,
            limit: COUNTED_AHEAD,
            ..filter.clone()
        };
        match json || after.is_none() {
            true => None,
            false => Some(operator.jobs(&following).await.ok()?.data.len()),
        }
    })
    .await)
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
