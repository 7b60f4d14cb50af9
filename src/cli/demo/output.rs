//! The demo's tables: sessions, and jobs that are not done.

use std::collections::BTreeMap;

use crate::cli::fixture_run;
use crate::cli::table::{TextTable, or_dash};
use crate::queue::admin::JobView;
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::store::admin::SessionView;

/// Sessions by name, each with the source of its quotes: `events` or `fetched`.
pub fn sessions<'a>(rows: impl IntoIterator<Item = (&'a str, &'a String, &'a SessionView)>) -> String {
    let mut table = TextTable::new([
        "source",
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
    for (source, name, session) in rows {
        table.row([
            source.to_owned(),
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
    table.to_string()
}

/// Counts jobs by kind, state and reason.
pub fn jobs(jobs: &[JobView]) -> String {
    let mut groups: BTreeMap<(String, &str, JobState), usize> = BTreeMap::new();
    for job in jobs {
        let reason = match (job.kind.parse().ok(), &job.reason) {
            (Some(JobKind::QuoteExpiry), None) => {
                "when the quote expires, the primary quote is selected again".to_owned()
            }
            (Some(JobKind::FetchFollowUp | JobKind::FetchSpeculative), None)
                if job.key.as_deref().is_some_and(|key| key.starts_with("atrip-")) =>
            {
                "fetches the trip to learn its second id, unless a notification supplies it first".to_owned()
            }
            // The job does not record which of the two.
            (Some(JobKind::FetchFollowUp), None) => {
                "a document refers to the resource, or it was fetched too early".to_owned()
            }
            (_, Some(reason)) => reason.clone(),
            (_, None) => "due".to_owned(),
        };
        *groups.entry((reason, &job.kind, job.state)).or_default() += 1;
    }
    let mut table = TextTable::new(["jobs", "kind", "state", "reason"]).numbers(&[0]);
    for ((reason, kind, state), count) in groups {
        table.row([count.to_string(), kind.to_owned(), state.as_str().to_owned(), reason]);
    }
    if table.is_empty() {
        "none".to_owned()
    } else {
        table.to_string()
    }
}
