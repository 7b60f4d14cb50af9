//! The output of `reconcile`: what was enqueued and what it changed.

use crate::cli::table::{TextTable, counted, or_dash};
use crate::jobs::reconcile::ReconcilePlan;
use crate::queue::runs::FinishedJob;

/// The trips and resources that were enqueued, and the trips that cannot be fetched.
pub fn plan(plan: &ReconcilePlan) -> String {
    let unknown: Vec<String> = unknown(plan).map(or_dash).collect();
    let mut text = format!(
        "{}; {} enqueued that were not already",
        counted(plan.targets.len(), "trip", "trips"),
        counted(plan.queued, "resource", "resources"),
    );
    if !unknown.is_empty() {
        text.push_str(&format!(
            "\ncannot be fetched, because neither a resource id nor an RFQ of the trip is known: {}",
            unknown.join(", ")
        ));
    }
    text
}

/// A summary, and a table of the resources that brought something new or could not be fetched.
pub fn finished(finished: &[FinishedJob]) -> String {
    let count = |is: fn(&FinishedJob) -> bool| finished.iter().filter(|job| is(job)).count();
    let (gone, dead) = (count(is_gone), count(is_dead));
    let shown: Vec<&FinishedJob> = finished.iter().filter(|job| job.outcome != "nothing").collect();
    let fetched = finished.len() - gone - dead;
    let changed = shown.len() - gone - dead;
    let mut text = match (fetched, changed) {
        (0, _) => "nothing was fetched".to_owned(),
        (fetched, 0) => format!("{fetched} fetched, nothing new"),
        (fetched, changed) => format!("{fetched} fetched, {changed} with something new"),
    };
    if gone > 0 {
        text.push_str(&format!("; {gone} gone at Avinode"));
    }
    if dead > 0 {
        text.push_str(&format!("; {dead} dead: see avinode-ingest jobs list --state dead"));
    }
    if shown.is_empty() {
        return text;
    }
    let table = TextTable::new(["resource", "outcome", "detail"])
        .states(&[1])
        .texts(&[2]);
    let table = table.rows(shown.into_iter().cloned().map(|job| {
        let FinishedJob {
            key, outcome, detail, ..
        } = job;
        [or_dash(key), outcome, or_dash(detail)]
    }));
    format!("{text}\n{table}")
}

/// Returns whether a job was dead-lettered.
pub fn has_dead(finished: &[FinishedJob]) -> bool {
    finished.iter().any(is_dead)
}

/// Returns whether every trip could be fetched. A part of a trip, such as a message, may be gone.
pub fn is_complete(plan: &ReconcilePlan, finished: &[FinishedJob]) -> bool {
    let is_trip = |key: &String| plan.targets.iter().any(|target| target.resources.contains(key));
    let trip_is_gone = |job: &FinishedJob| is_gone(job) && job.key.as_ref().is_some_and(is_trip);
    unknown(plan).next().is_none() && !finished.iter().any(|job| is_dead(job) || trip_is_gone(job))
}

/// Trips without an id that can be fetched.
fn unknown(plan: &ReconcilePlan) -> impl Iterator<Item = Option<String>> + '_ {
    let unknown = plan.targets.iter().filter(|target| target.resources.is_empty());
    unknown.map(|target| target.trip.clone())
}

fn is_gone(job: &FinishedJob) -> bool {
    job.outcome == "gone"
}

fn is_dead(job: &FinishedJob) -> bool {
    matches!(job.outcome.as_str(), "dead" | "discarded")
}

#[cfg(test)]
mod tests;
