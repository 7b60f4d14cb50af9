//! The fetches of a story.
//!
//! A document has the time of its last fetch. That of an earlier one with the same data is not stored: the entry of such a fetch has
//! the time at which the job that it served was done.

use super::entry::StoryEntry;
use crate::store::admin::trace::TraceMaterial;
use crate::store::admin::trace::deliveries::{TracedDocument, TracedJob};

pub(super) fn entries(material: &TraceMaterial) -> Vec<StoryEntry> {
    let jobs = material.deliveries.iter().flat_map(|delivery| &delivery.jobs);
    let mut served: Vec<&TracedJob> = jobs
        .filter(|job| job.key.is_some() && (job.outcome == "applied" || job.outcome == "nothing"))
        .collect();
    served.sort_by_key(|job| job.at);
    let last = material.documents.iter().map(|document| last_fetch(document, &served));
    last.chain(earlier_fetches(&material.documents, &served)).collect()
}

fn last_fetch(document: &TracedDocument, served: &[&TracedJob]) -> StoryEntry {
    let times = match document.times {
        1 => String::new(),
        times => format!(", the last of {times} fetches with the same data"),
    };
    let applied = if document.is_applied { "" } else { ", not applied yet" };
    let text = format!(
        "{}/{} as document {}{times}{applied}",
        document.kind, document.resource, document.id
    );
    let at = document.fetched_at;
    let job = served.iter().find(|job| serves(document, job));
    // The clock of the worker may differ from that of the database, which the job's times are by.
    let at = job.map_or(at, |job| at.max(job.created_at).min(job.at));
    StoryEntry::new(Some(at), "fetched", text)
}

/// The last fetch of the document served the job: it was requested after the job was inserted and before it was done.
fn serves(document: &TracedDocument, job: &TracedJob) -> bool {
    job.key.as_ref() == Some(&document.resource) && (job.created_at..=job.at).contains(&document.requested_at)
}

/// The fetches that served jobs, and whose time a later fetch with the same data has replaced. Jobs that wait together share a fetch.
fn earlier_fetches(documents: &[TracedDocument], served: &[&TracedJob]) -> Vec<StoryEntry> {
    let mut shown: Vec<&TracedJob> = Vec::new();
    for job in served {
        let shares = |other: &&TracedJob| other.key == job.key && (job.created_at..=job.at).contains(&other.at);
        if !documents.iter().any(|document| serves(document, job)) && !shown.iter().any(shares) {
            shown.push(job);
        }
    }
    let repeated = |job: &TracedJob| {
        let is_repeated = |document: &&TracedDocument| {
            document.times > 1 && job.key.as_ref() == Some(&document.resource) && document.requested_at > job.at
        };
        documents.iter().find(is_repeated)
    };
    shown
        .into_iter()
        .filter_map(|job| {
            let document = repeated(job)?;
            let text = format!("{}/{} for job {}", document.kind, document.resource, job.id);
            Some(StoryEntry {
                job: Some(job.id),
                ..StoryEntry::new(Some(job.at), "fetched", text)
            })
        })
        .collect()
}
