//! The cause in one line: why a quote is shown, or why it is not.

use serde::Serialize;
use uuid::Uuid;

use crate::store::admin::trace::deliveries::{TracedDelivery, TracedJob};
use crate::store::admin::trace::facts::TracedQuote;
use crate::store::admin::trace::sessions::TracedSession;
use crate::store::admin::trace::{TraceMaterial, TraceTarget};

/// Where to read about trips that several agents claim.
const DISPUTED: &str = "other agents claim it (docs/security.md)";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Cause {
    /// The quote, or the target of the trace.
    pub(super) of: String,
    pub(super) text: String,
}

/// One for the target, or one for each of its quotes.
pub(super) fn causes(material: &TraceMaterial) -> Vec<Cause> {
    let one = |of: String, text| vec![Cause { of, text }];
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
            causes.extend(material.quotes.iter().map(|quote| Cause {
                of: quote.id.clone(),
                text: of_quote_in_session(material, quote, *id),
            }));
            causes.extend(open_deliveries(material));
            causes
        }
        TraceTarget::Rfq(id) | TraceTarget::Trip(id) => match material.quotes.is_empty() {
            true => one(id.clone(), not_applied(material)),
            false => of_quotes(material).chain(open_deliveries(material)).collect(),
        },
    }
}

fn of_quotes(material: &TraceMaterial) -> impl Iterator<Item = Cause> {
    material.quotes.iter().map(|quote| Cause {
        of: quote.id.clone(),
        text: of_quote(material, quote),
    })
}

/// Deliveries that are dead or waiting: their quotes are not known yet.
fn open_deliveries(material: &TraceMaterial) -> impl Iterator<Item = Cause> {
    let is_open = |delivery: &&TracedDelivery| {
        let last = delivery.jobs.last();
        last.is_some_and(|job| job.outcome == "dead" || job.outcome == "queued")
    };
    material.deliveries.iter().filter(is_open).map(|delivery| Cause {
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
    if let Some(refused) = material.rejections.iter().find(|refused| refused.names_id) {
        return format!(
            "refused and not stored: {} until {}: {}; compare the secret with the sender's",
            times(refused.times),
            refused.last_at.to_rfc3339(),
            refused.reason
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
            "{sought}; since {} {} refused before a body was read, the last at {}: {}",
            refused.first_at.to_rfc3339(),
            times(refused.times),
            refused.last_at.to_rfc3339(),
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
        Some(job) => format!("{}: {}", job.outcome, of_job(job)),
    }
}

fn of_quote(material: &TraceMaterial, quote: &TracedQuote) -> String {
    if !quote.is_received {
        return not_received(material, quote);
    }
    let declined = if quote.is_declined { ", declined since" } else { "" };
    let is_of_trip = |trip: &Option<String>| trip.as_ref().is_some_and(|trip| is_same_trip(material, quote, trip));
    let (withheld, others): (Vec<_>, Vec<_>) = material
        .sessions
        .iter()
        .partition(|session| is_of_trip(&session.withheld_trip));
    let has_rfq = |session: &TracedSession| {
        let rfq = quote.rfq.as_ref().map(|rfq| rfq.to_ascii_lowercase());
        rfq.is_some_and(|rfq| session.rfqs.contains(&rfq))
    };
    let having: Vec<&TracedSession> = others
        .into_iter()
        .filter(|session| is_of_trip(&session.trip) || has_rfq(session))
        .collect();
    if !quote.counted.is_empty() {
        let sessions: Vec<String> = quote
            .counted
            .iter()
            .map(|counted| counted_for(material, quote, counted.session))
            .collect();
        return format!(
            "counted for {}{declined}; {}",
            sessions.join(" and "),
            shown(quote, &having)
        );
    }
    if !withheld.is_empty() {
        let sessions = names(&withheld);
        return format!(
            "applied and not shown{declined}: trip {} is withheld from {sessions}, because {DISPUTED}",
            quote.trip
        );
    }
    if having.is_empty() {
        let rfq = quote
            .rfq
            .as_ref()
            .map(|rfq| format!(", and none has RFQ {rfq}"))
            .unwrap_or_default();
        return format!(
            "applied and counted for no session{declined}: none has trip {}{rfq}",
            quote.trip
        );
    }
    let rematch = material.jobs.iter().find(|job| job.kind == "rematch");
    let rematch = rematch.map_or_else(|| "the next resync counts it".to_owned(), of_job);
    format!(
        "applied and not counted yet for {}{declined}: {rematch}",
        names(&having)
    )
}

/// A quote of a session's trip, from the view of the session.
fn of_quote_in_session(material: &TraceMaterial, quote: &TracedQuote, session: Uuid) -> String {
    match quote.counted.iter().find(|counted| counted.session == session) {
        Some(counted) if quote.is_received => {
            format!(
                "counted for this session at {}; {}",
                counted.at.to_rfc3339(),
                shown(quote, &[])
            )
        }
        _ if quote.counted.is_empty() || !quote.is_received => of_quote(material, quote),
        _ => {
            let others: Vec<String> = quote
                .counted
                .iter()
                .map(|counted| format!("session {}", counted.session))
                .collect();
            format!("counted for {}, and not for this one", others.join(" and "))
        }
    }
}

fn not_received(material: &TraceMaterial, quote: &TracedQuote) -> String {
    if quote.is_generated {
        return "fetched and not received: Avinode generated this price (avinodeGenerated), and no operator made it"
            .to_owned();
    }
    if quote.is_declined {
        return "declined, and never received as a quote".to_owned();
    }
    let jobs = material
        .jobs
        .iter()
        .chain(material.deliveries.iter().flat_map(|delivery| &delivery.jobs));
    let mut open = jobs.filter(|job| job.outcome == "queued" || job.outcome == "dead");
    let unknown = "fetched and not received: no message, RFQ or accepted lift has shown that the operator made it";
    match open.next() {
        Some(job) if job.outcome == "dead" => format!("{unknown}; {} is dead-lettered: {}", job.id, of_job(job)),
        Some(job) => format!("{unknown}; {} may tell", of_job(job)),
        None => unknown.to_owned(),
    }
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

/// The row of a quote in the application's table, or why there is none.
fn shown(quote: &TracedQuote, having: &[&TracedSession]) -> String {
    match &quote.row {
        Some(row) if row.exists => match row.request {
            Some(request) => format!("shown in quotes as row {}, under request {request}", row.id),
            None => format!("shown in quotes as row {}", row.id),
        },
        Some(row) => format!("not shown: the application deleted row {} of quotes", row.id),
        None => match &quote.projection_error {
            _ if !quote.is_projectable => "not shown: it has no price that the column of quotes can hold".to_owned(),
            Some(error) => format!("not shown: quotes refused its row: {error}"),
            None if having.iter().all(|session| session.request.is_none()) => {
                "not shown: no session of the trip has a request".to_owned()
            }
            None => "not shown yet: the next resync inserts its row".to_owned(),
        },
    }
}

fn counted_for(material: &TraceMaterial, quote: &TracedQuote, session: Uuid) -> String {
    let Some(found) = material.sessions.iter().find(|found| found.id == session) else {
        return format!("session {session}");
    };
    let status = &found.status;
    match &found.trip {
        Some(trip) if is_same_trip(material, quote, trip) => format!("session {session} ({status}, has trip {trip})"),
        Some(trip) => format!("session {session} ({status}, has another trip by now: {trip})"),
        None => format!("session {session} ({status}, without a trip id)"),
    }
}

/// The trip has this id: of a trace of one trip, any of its ids.
fn is_same_trip(material: &TraceMaterial, quote: &TracedQuote, trip: &str) -> bool {
    quote.trip == trip || (material.trips.contains(&quote.trip) && material.trips.iter().any(|id| id == trip))
}

fn names(sessions: &[&TracedSession]) -> String {
    let names: Vec<String> = sessions
        .iter()
        .map(|session| format!("session {}", session.id))
        .collect();
    names.join(" and ")
}

fn of_job(job: &TracedJob) -> String {
    let detail = job
        .detail
        .as_ref()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    format!("job {} ({}){detail}", job.id, job.kind)
}

fn retry(job: &TracedJob) -> String {
    format!("repair the reason, then avinode-ingest jobs retry {}", job.id)
}

fn times(times: i64) -> String {
    match times {
        1 => "1 request".to_owned(),
        times => format!("{times} requests"),
    }
}
