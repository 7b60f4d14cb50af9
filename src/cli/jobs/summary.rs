//! `jobs summary`: the queue by kind, state and reason.

use serde_json::json;

use crate::cli::age::age;
use crate::cli::database::{CommandDatabase, DatabaseCommandArgs};
use crate::cli::error::{CliError, Context};
use crate::cli::output::{print, print_json};
use crate::cli::table::{TextTable, counted, moment, or_dash};
use crate::cli::wrap::fit;
use crate::config::terminal::stdout_terminal;
use crate::jobs::fetch::status;
use crate::queue::job_state::JobState;
use crate::queue::job_summary::{self, JobGroup};

pub(super) async fn run(args: DatabaseCommandArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let groups = read(&database).await;
    database.close().await?;
    let groups = groups?;
    // A running job has its worker, and jobs of the other states wait for a time.
    let available = groups
        .iter()
        .filter(|group| group.state == JobState::Available.as_str());
    let oldest_due = available.map(|group| group.oldest_due).min();
    if args.json {
        return print_json(&json!({"data": groups, "next_cursor": null, "oldest_due": oldest_due}));
    }
    if groups.is_empty() {
        return print("no jobs: everything that was received is done");
    }
    let (jobs, dead) = (
        count(&groups, |_| true),
        count(&groups, |state| state == JobState::Dead.as_str()),
    );
    let headings = ["jobs", "kind", "state", "oldest due", "age", "reason"];
    let table = TextTable::new(headings)
        .numbers(&[0])
        .states(&[2])
        .texts(&[5])
        .optional(&[3]);
    print(table.rows(groups.into_iter().map(cells)))?;
    let oldest = oldest_due.map_or_else(
        || "none is due".to_owned(),
        |due| format!("the oldest due one waits since {} ({})", moment(due), age(due)),
    );
    let end = format!("{}, {dead} dead; {oldest}", counted(jobs, "job", "jobs"));
    print(format_args!("\n{}", fit(&end, stdout_terminal().width, 0)))
}

async fn read(database: &CommandDatabase) -> Result<Vec<JobGroup>, CliError> {
    let blocked = status::blocked_kinds(&database.pool).await;
    let blocked = blocked.context("read the status of fetching")?;
    let groups = job_summary::read(&database.pool, &blocked).await;
    groups.context("count the jobs")
}

fn count(groups: &[JobGroup], is_counted: impl Fn(&str) -> bool) -> i64 {
    let counted = groups.iter().filter(|group| is_counted(&group.state));
    counted.map(|group| group.jobs).sum()
}

fn cells(group: JobGroup) -> [String; 6] {
    [
        group.jobs.to_string(),
        group.kind,
        group.state,
        moment(group.oldest_due),
        age(group.oldest_due),
        or_dash(group.reason),
    ]
}
