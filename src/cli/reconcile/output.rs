//! What `reconcile` tells: what was put up, what came of it, and whether all of it could be had.

use crate::cli::table::{TextTable, or_dash};
use crate::jobs::reconcile::ReconcilePlan;
use crate::queue::runs::FinishedJob;

/// What was put up, and which trips cannot be.
pub fn asked(asked: &ReconcilePlan) -> String {
    let lost: Vec<String> = lost(asked).map(or_dash).collect();
    let mut said = format!(
        "{} trips; {} resources are to be fetched that did not wait already",
        asked.targets.len(),
        asked.queued
    );
    if !lost.is_empty() {
        said.push_str(&format!(
            "\ncannot be fetched, because neither a resource id nor an RFQ of theirs is known: {}",
            lost.join(", ")
        ));
    }
    said
}

/// What came of it: a line, and a table of what is worth a look.
pub fn finished(finished: &[FinishedJob]) -> String {
    let count = |is: fn(&FinishedJob) -> bool| finished.iter().filter(|it| is(it)).count();
    let (gone, given_up) = (count(is_gone), count(is_given_up));
    let shown: Vec<&FinishedJob> = finished.iter().filter(|it| it.outcome != "nothing").collect();
    let fetched = finished.len() - gone - given_up;
    let news = shown.len() - gone - given_up;
    let mut said = match (fetched, news) {
        (0, _) => "nothing was fetched".to_owned(),
        (fetched, 0) => format!("{fetched} fetched; nothing was missing"),
        (fetched, news) => format!("{fetched} fetched, {news} of them with news"),
    };
    if gone > 0 {
        said.push_str(&format!("; {gone} gone: Avinode does not have them"));
    }
    if given_up > 0 {
        said.push_str(&format!(
            "; {given_up} given up: see avinode-ingest jobs list --state dead"
        ));
    }
    if shown.is_empty() {
        return said;
    }
    let mut report = TextTable::new(["resource", "outcome", "what"]);
    for one in shown {
        report.row([
            or_dash(one.key.clone()),
            one.outcome.clone(),
            or_dash(one.detail.clone()),
        ]);
    }
    format!("{said}\n{report}")
}

/// Whether all trips could be had: none is unknown to Avinode or cannot be asked for, and nothing was given up. A part of a
/// trip, such as a message, may be gone.
pub fn is_well(asked: &ReconcilePlan, finished: &[FinishedJob]) -> bool {
    let of_a_trip = |key: &String| asked.targets.iter().any(|target| target.resources.contains(key));
    let trip_is_gone = |it: &FinishedJob| is_gone(it) && it.key.as_ref().is_some_and(of_a_trip);
    lost(asked).next().is_none() && !finished.iter().any(|it| is_given_up(it) || trip_is_gone(it))
}

fn lost(asked: &ReconcilePlan) -> impl Iterator<Item = Option<String>> + '_ {
    let lost = asked.targets.iter().filter(|target| target.resources.is_empty());
    lost.map(|target| target.trip.clone())
}

fn is_gone(one: &FinishedJob) -> bool {
    one.outcome == "gone"
}

fn is_given_up(one: &FinishedJob) -> bool {
    matches!(one.outcome.as_str(), "dead" | "discarded")
}

#[cfg(test)]
mod tests;
