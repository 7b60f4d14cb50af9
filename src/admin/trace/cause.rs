//! The cause in one line: why a quote is shown, or why it is not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::job_text::{of_job, retry};
use super::quote_cause::{DISPUTED, of_quote, of_quote_in_session};
use super::subject_text::subject;
use crate::domain::age::moment;
use crate::store::admin::trace::deliveries::TracedDelivery;
use crate::store::admin::trace::sessions::TracedSession;
use crate::store::admin::trace::{TraceMaterial, TraceTarget};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceCause {
    /// The quote, or the target of the trace.
    pub of: String,
    pub text: String,
}

/// One for the target, or one for each of its quotes.
pub(super) fn causes(material: &TraceMaterial) -> Vec<TraceCause> {
    let one = |of: String, text| vec![TraceCause { of, text }];
    match &material.target {
        TraceTarget::Quote(id) => {
            // A quote that is named under two trips has facts under both.
            let best = material
                .quotes
                .iter()
                .max_by_key(|quote| (!quote.counted.is_empty(), quote.is_received));
            let text = best.map_or_else(|| not_applied(material), |quote| of_quote(material, quote));
            one(id.clone(), text)
        }
        TraceTarget::Delivery(id) => {
            let text = material.deliveries.first().map_or_else(
                || "past its retention: it is not stored any more".to_owned(),
                of_delivery,
            );
            let mut causes = one(id.to_string(), text);
            causes.extend(of_quotes(material));
            causes
        }
        TraceTarget::Session(id) => {
            let session = material.sessions.iter().find(|session| session.id == *id);
            let mut causes = one(
                id.to_string(),
                session.map_or_else(String::new, |session| of_session(material, session)),
            );
            causes.extend(material.quotes.iter().map(|quote| TraceCause {
                of: quote.id.clone(),
                text: of_quote_in_session(material, quote, *id),
            }));
            causes.extend(open_deliveries(material));
            causes
        }
        TraceTarget::Rfq(id) | TraceTarget::Trip(id) | TraceTarget::Message(id) => match material.quotes.is_empty() {
            true => one(id.clone(), not_applied(material)),
            false => of_quotes(material).chain(open_deliveries(material)).collect(),
        },
    }
}

fn of_quotes(material: &TraceMaterial) -> impl Iterator<Item = TraceCause> {
    material.quotes.iter().map(|quote| TraceCause {
        of: quote.id.clone(),
        text: of_quote(material, quote),
    })
}

/// Deliveries that are dead or waiting: their quotes are not known yet.
fn open_deliveries(material: &TraceMaterial) -> impl Iterator<Item = TraceCause> {
    let is_open = |delivery: &&TracedDelivery| {
        let last = delivery.jobs.last();
        last.is_some_and(|job| job.outcome == "dead" || job.outcome == "queued")
    };
    material.deliveries.iter().filter(is_open).map(|delivery| TraceCause {
        of: format!("delivery {}", delivery.id),
        text: of_delivery(delivery),
    })
}

/// Nothing is known of the target but what stands in requests, deliveries and documents.
fn not_applied(material: &TraceMaterial) -> String {
    let newest = || material.deliveries.iter().rev();
    let last_jobs = || newest().filter_map(|delivery| Some((delivery, delivery.jobs.last()?)));
    if let Some((delivery, job)) = last_jobs().find(|(_, job)| job.outcome == "dead") {
        return format!(
            "stored as delivery {} and dead-lettered: {}; {}",
            delivery.id,
            of_job(job),
            retry(job)
        );
    }
    if let Some((delivery, job)) = last_jobs().find(|(_, job)| job.outcome == "queued") {
        return format!(
            "stored as delivery {}, and waits in the queue: {}",
            delivery.id,
            of_job(job)
        );
    }
    if let Some(job) = material.jobs.iter().find(|job| job.outcome == "dead") {
        return format!("its fetch is dead-lettered: {}; {}", of_job(job), retry(job));
    }
    if material.is_named_only
        && let Some(delivery) = newest().next()
    {
        return named_only(delivery);
    }
    if let Some((delivery, job)) = last_jobs().next() {
        return format!(
            "stored as delivery {}, with the outcome {}: {}",
            delivery.id,
            job.outcome,
            of_job(job)
        );
    }
    if let Some(delivery) = newest().next() {
        return format!(
            "stored as delivery {}; the outcome of its job is past its retention",
            delivery.id
        );
    }
    if let Some(document) = material.documents.last() {
        return format!(
            "fetched as document {} of {}, which states no quote",
            document.id, document.resource
        );
    }
    let sought = "nothing that names it was received";
    match material.rejections.first() {
        Some(refused) => format!(
            "{sought}; {} refused without being read since {}, the last at {}: {}; compare the secret with the sender's",
            times(refused.times),
            moment(refused.first_at),
            moment(refused.last_at),
            refused.reason
        ),
        None => format!(
            "{sought}: avinode-ingest webhooks list shows what Avinode sends, reconcile --trip fetches what was missed"
        ),
    }
}

fn of_delivery(delivery: &TracedDelivery) -> String {
    match delivery.jobs.last() {
        None => "the outcome of its job is past its retention".to_owned(),
        Some(job) if job.outcome == "dead" => format!("stored and dead-lettered: {}; {}", of_job(job), retry(job)),
        Some(job) if job.outcome == "queued" => format!("stored, and waits in the queue: {}", of_job(job)),
        Some(job) => {
            let last = format!("{}: {}", job.outcome, of_job(job));
            let has_no_facts = job.outcome == "nothing" || job.outcome == "ignored";
            let applied = delivery.jobs.iter().rfind(|job| job.outcome == "applied");
            match applied.filter(|_| has_no_facts) {
                Some(applied) => format!("applied: {}; since then {last}", of_job(applied)),
                None => last,
            }
        }
    }
}

/// The target is named in the bytes of a delivery about something else.
fn named_only(delivery: &TracedDelivery) -> String {
    let subject = subject(delivery)
        .map(|subject| format!(" ({subject})"))
        .unwrap_or_default();
    let job = delivery
        .jobs
        .last()
        .map(|job| format!(": {}", of_job(job)))
        .unwrap_or_default();
    format!(
        "named in the body of delivery {}{subject}, from which nothing about it was read{job}",
        delivery.id
    )
}

fn of_session(material: &TraceMaterial, session: &TracedSession) -> String {
    if let Some(trip) = &session.withheld_trip {
        return format!("trip {trip} is withheld from it, because {DISPUTED}");
    }
    let ids: Vec<String> = session
        .trip
        .iter()
        .map(|trip| format!("trip {trip}"))
        .chain(session.rfqs.iter().map(|rfq| format!("RFQ {rfq}")))
        .collect();
    if ids.is_empty() {
        return "it has neither a trip id nor an RFQ id, so no quote is counted for it".to_owned();
    }
    let ids = ids.join(" and ");
    match material.quotes.iter().filter(|quote| quote.is_received).count() {
        0 => format!("no quote of its {ids} is known: {}", not_applied(material)),
        known => format!(
            "{} of {known} received quotes of its {ids} counted",
            session.quotes_received
        ),
    }
}

fn times(times: i64) -> String {
    match times {
        1 => "1 request was".to_owned(),
        times => format!("{times} requests were"),
    }
}
