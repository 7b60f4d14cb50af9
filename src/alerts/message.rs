//! The texts of alerts. They have counts, kinds, states and fixed words: no text of a delivery, no name and no secret.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::alert_kind::AlertKind;
use super::observations::FetchingObservation;
use crate::queue::job_kind::JobKind;

/// The reasons that one text names.
const MAX_REASONS: usize = 10;

/// Adds the service before a text, and the section of the runbook after it.
pub fn framed(kind: AlertKind, text: &str) -> String {
    let section = kind.runbook_section();
    format!("avinode-ingest: {text}\nRunbook: docs/runbook.md, {section}")
}

pub fn refused(deliveries: u64, is_database_seen: bool) -> String {
    let (answered, they, them) = match deliveries {
        1 => ("1 delivery was".to_owned(), "it", "it"),
        _ => (format!("{deliveries} deliveries were"), "they", "them"),
    };
    let cause = match is_database_seen {
        true => "GET /readyz names the cause while it lasts.",
        false => "A look at the database failed as well.",
    };
    format!("{answered} answered 503, because {they} could not be stored. Avinode sends {them} again. {cause}")
}

pub fn dead(reasons: &BTreeMap<String, i64>) -> String {
    let mut text = "jobs were dead-lettered for a reason that was not seen before:".to_owned();
    for (reason, jobs) in reasons.iter().take(MAX_REASONS) {
        text.push_str(&format!("\n- {reason} ({jobs})"));
    }
    if reasons.len() > MAX_REASONS {
        text.push_str(&format!("\n- {} more reasons", reasons.len() - MAX_REASONS));
    }
    text
}

pub fn stopped(fetching: FetchingObservation) -> String {
    let cause = match fetching {
        FetchingObservation::Suspended => "Avinode rejects the credentials",
        FetchingObservation::Failing => "calls of Avinode's API fail",
        FetchingObservation::Unserved | FetchingObservation::Running => "no process fetches",
    };
    format!("fetching from Avinode has stopped: {cause}. Deliveries are received and wait.")
}

pub fn resumed() -> String {
    "fetching from Avinode goes on.".to_owned()
}

pub fn overdue(kind: JobKind, age: Duration) -> String {
    let age = whole_minutes(age);
    format!("a job of the kind {kind} has been due for {age}, and no worker handles it.")
}

pub fn no_deliveries(time: Duration, last: Option<DateTime<Utc>>) -> String {
    let time = whole_minutes(time);
    let last = last.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let last = last.map_or_else(
        || "None is stored.".to_owned(),
        |at| format!("The last one came at {at}."),
    );
    format!("no delivery was received for {time} of working time. {last}")
}

fn whole_minutes(time: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(time.as_secs() / 60 * 60))
}
