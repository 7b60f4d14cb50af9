//! `jobs summary`: the queue by kind, state and reason.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::admin::summary::{JobCount, OperatorSummary};
use crate::cli::age::age;
use crate::cli::error::CliError;
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::output::{print, print_json};
use crate::cli::table::{TextTable, counted, moment, or_dash};
use crate::cli::wrap::fit;
use crate::config::terminal::stdout_terminal;
use crate::queue::job_state::JobState;

/// Jobs of one kind and state; dead ones with the same class of reason.
struct SummaryRow {
    jobs: i64,
    kind: String,
    state: String,
    /// The first one died, or has been due, since then.
    since: Option<DateTime<Utc>>,
    reason: Option<String>,
}

pub(super) async fn run(args: OperatorCommandArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.target).await?;
    let summary = operator.summary().await;
    operator.close().await?;
    let summary = summary?;
    if args.json {
        return print_json(&summary);
    }
    let jobs: i64 = summary.jobs.iter().map(|count| count.jobs).sum();
    if jobs == 0 {
        return print("no jobs: everything that was received is done");
    }
    let headings = ["jobs", "kind", "state", "since", "age", "reason"];
    let table = TextTable::new(headings)
        .numbers(&[0])
        .states(&[2])
        .texts(&[5])
        .optional(&[3]);
    print(table.rows(rows(&summary).into_iter().map(cells)))?;
    let dead = summary.jobs.iter().filter(|count| is(count, JobState::Dead));
    let dead: i64 = dead.map(|count| count.jobs).sum();
    let oldest = summary.oldest_due_job.as_ref().map_or_else(
        || "none is due".to_owned(),
        |job| {
            format!(
                "the oldest due one waits since {} ({})",
                moment(job.due_at),
                age(job.due_at)
            )
        },
    );
    let width = stdout_terminal().width;
    let end = format!("{}, {dead} dead; {oldest}", counted(jobs, "job", "jobs"));
    print(format_args!("\n{}", fit(&end, width, 0)))?;
    let fetching = format!("fetching: {}", summary.fetching.description);
    print(fit(&fetching, width, 0))
}

fn is(count: &JobCount, state: JobState) -> bool {
    count.state == state.as_str()
}

/// The dead ones first, then the largest.
fn rows(summary: &OperatorSummary) -> Vec<SummaryRow> {
    let dead = summary.dead_letters.data.iter().map(|group| SummaryRow {
        jobs: group.jobs,
        kind: group.kind.clone(),
        state: JobState::Dead.as_str().to_owned(),
        since: Some(group.oldest_at),
        reason: Some(group.reason.clone()),
    });
    let mut live: Vec<&JobCount> = summary.jobs.iter().filter(|count| !is(count, JobState::Dead)).collect();
    live.sort_by_key(|count| Reverse(count.jobs));
    let live = live.into_iter().map(|count| SummaryRow {
        jobs: count.jobs,
        kind: count.kind.clone(),
        state: count.state.clone(),
        since: is(count, JobState::Available).then_some(count.oldest_due_at),
        reason: is(count, JobState::Retryable)
            .then(|| failures(summary, &count.kind))
            .flatten(),
    });
    dead.chain(live).collect()
}

/// The most frequent failure of a kind, and how many others there are.
fn failures(summary: &OperatorSummary, kind: &str) -> Option<String> {
    let of_kind = || summary.failures.iter().filter(|failure| failure.kind == kind);
    let most = of_kind().max_by_key(|failure| failure.jobs)?;
    Some(match of_kind().count() - 1 {
        0 => most.reason.clone(),
        others => format!(
            "{} (and {})",
            most.reason,
            counted(others, "other failure", "other failures")
        ),
    })
}

fn cells(row: SummaryRow) -> [String; 6] {
    [
        row.jobs.to_string(),
        row.kind,
        row.state,
        or_dash(row.since.map(moment)),
        or_dash(row.since.map(age)),
        or_dash(row.reason),
    ]
}
