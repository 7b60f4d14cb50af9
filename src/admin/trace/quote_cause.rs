//! The cause for which a known quote is shown or not.

use uuid::Uuid;

use super::job_text::of_job;
use crate::domain::age::moment;
use crate::store::admin::trace::TraceMaterial;
use crate::store::admin::trace::facts::TracedQuote;
use crate::store::admin::trace::sessions::TracedSession;

/// Where to read about trips that several agents claim.
pub(super) const DISPUTED: &str = "other agents claim it (docs/security.md)";

pub(super) fn of_quote(material: &TraceMaterial, quote: &TracedQuote) -> String {
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
pub(super) fn of_quote_in_session(material: &TraceMaterial, quote: &TracedQuote, session: Uuid) -> String {
    match quote.counted.iter().find(|counted| counted.session == session) {
        Some(counted) if quote.is_received => {
            format!(
                "counted for this session at {}; {}",
                moment(counted.at),
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
