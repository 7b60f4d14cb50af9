//! What the demo shows: its sessions, told by full events or fetched, and what waits.

use std::collections::BTreeMap;

use crate::cli::fixture_run;
use crate::cli::table::{TextTable, or_dash};
use crate::domain::job_kind::JobKind;
use crate::queue::admin::JobView;
use crate::queue::job_state::JobState;
use crate::store::admin::SessionView;

/// Sessions by name, each with how it is told of: `events` or `fetched`.
pub fn sessions<'a>(rows: impl IntoIterator<Item = (&'a str, &'a String, &'a SessionView)>) -> String {
    let mut report = TextTable::new([
        "told by",
        "session",
        "trip",
        "status",
        "step",
        "quotes",
        "primary quote",
        "operator",
        "price",
    ])
    .numbers(&[5, 8]);
    for (told_by, name, session) in rows {
        report.row([
            told_by.to_owned(),
            name.clone(),
            or_dash(session.avinode_trip_id.clone()),
            match &session.avinode_trip_status {
                Some(trip) => format!("{}, trip {trip}", session.status),
                None => session.status.clone(),
            },
            or_dash(session.current_step.clone()),
            format!("{} / {}", session.quotes_received_count, session.quotes_expected_count),
            or_dash(session.primary_quote.clone()),
            or_dash(session.primary_operator.clone()),
            or_dash(fixture_run::price(session)),
        ]);
    }
    report.to_string()
}

/// Jobs of one kind, state and reason on one line: a hundred quotes that expire some day are one fact.
pub fn waiting(jobs: &[JobView]) -> String {
    let mut groups: BTreeMap<(String, &str, JobState), usize> = BTreeMap::new();
    for job in jobs {
        let why = match (JobKind::parse(&job.kind), &job.reason) {
            (Some(JobKind::QuoteExpiry), None) => {
                "a quote expires then, and the primary quote is elected anew".to_owned()
            }
            (Some(JobKind::FetchFollowUp), None) if job.key.as_deref().is_some_and(|key| key.starts_with("atrip-")) => {
                "a session has this trip; where nobody tells of it by then, it is asked for its other id".to_owned()
            }
            // A job does not say for which of the two.
            (Some(JobKind::FetchFollowUp), None) => {
                "a document names it, or was read so early that it is looked at once more".to_owned()
            }
            (_, Some(reason)) => reason.clone(),
            (_, None) => "to be worked on".to_owned(),
        };
        *groups.entry((why, &job.kind, job.state)).or_default() += 1;
    }
    let mut report = TextTable::new(["jobs", "kind", "state", "why"]).numbers(&[0]);
    for ((why, kind, state), count) in groups {
        report.row([count.to_string(), kind.to_owned(), state.as_str().to_owned(), why]);
    }
    if report.is_empty() {
        "nothing".to_owned()
    } else {
        report.to_string()
    }
}
