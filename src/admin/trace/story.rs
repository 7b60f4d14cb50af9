//! The story of a trace in order of time.

use chrono::{DateTime, TimeDelta, Utc};

use super::entry::StoryEntry;
use super::fetches;
use super::subject_text::subject;
use crate::store::admin::trace::TraceMaterial;
use crate::store::admin::trace::deliveries::{TracedDelivery, TracedJob};
use crate::store::admin::trace::facts::TracedQuote;
use crate::store::admin::trace::sessions::TracedSession;

pub(super) fn story(material: &TraceMaterial) -> Vec<StoryEntry> {
    let mut entries = fetches::entries(material);
    for delivery in &material.deliveries {
        add_delivery(delivery, &mut entries);
    }
    entries.extend(material.jobs.iter().map(job_entry));
    for quote in &material.quotes {
        entries.extend(quote.counted.iter().map(|counted| {
            let by_application = match counted.by_service {
                true => "",
                false => " by the application, before the service was attached",
            };
            let text = format!("{} for session {}{by_application}", quote.id, counted.session);
            let at = end_of_transaction(material, counted.at);
            StoryEntry {
                session: Some(counted.session),
                ..StoryEntry::new(Some(at), "counted", text)
            }
        }));
    }
    for session in &material.sessions {
        let withheld = session.withheld_trip.as_ref().zip(session.withheld_at);
        entries.extend(withheld.map(|(trip, at)| {
            let text = format!("trip {trip} from session {}: other agents claim it", session.id);
            StoryEntry {
                session: Some(session.id),
                ..StoryEntry::new(Some(at), "withheld", text)
            }
        }));
    }
    // Stable: what has the same time stays in the order above.
    entries.sort_by_key(|entry| entry.at);
    entries.extend(material.quotes.iter().filter_map(row_entry));
    entries.extend(material.sessions.iter().map(session_entry));
    entries
}

/// The time of the job that was applied in the transaction that counted at this time: some milliseconds later.
fn end_of_transaction(material: &TraceMaterial, counted_at: DateTime<Utc>) -> DateTime<Utc> {
    let jobs = material.deliveries.iter().flat_map(|delivery| &delivery.jobs);
    let applied = jobs.filter(|job| job.outcome == "applied").map(|job| job.at);
    let is_same = |at: &DateTime<Utc>| (TimeDelta::zero()..TimeDelta::seconds(1)).contains(&(*at - counted_at));
    applied.filter(is_same).min().unwrap_or(counted_at)
}

fn add_delivery(delivery: &TracedDelivery, entries: &mut Vec<StoryEntry>) {
    let mut add = |entry| {
        let delivery = Some(delivery.id);
        entries.push(StoryEntry { delivery, ..entry });
    };
    let redacted = if delivery.is_redacted { ", redacted since" } else { "" };
    let (id, bytes, by) = (delivery.id, delivery.bytes, &delivery.verified_by);
    let text = format!("delivery {id}, {bytes} bytes, verified by {by}{redacted}");
    add(StoryEntry::new(Some(delivery.received_at), "received", text));
    for (number, job) in delivery.jobs.iter().enumerate() {
        if number == 0
            && let Some(subject) = subject(delivery)
        {
            add(StoryEntry::new(Some(job.at), "parsed", subject));
        }
        add(job_entry(job));
    }
}

fn job_entry(job: &TracedJob) -> StoryEntry {
    let key = job.key.as_ref().map(|key| format!(" of {key}")).unwrap_or_default();
    let detail = job
        .detail
        .as_ref()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    let text = format!("job {} ({}{key}){detail}", job.id, job.kind);
    StoryEntry {
        job: Some(job.id),
        ..StoryEntry::new(Some(job.at), &job.outcome, text)
    }
}

fn row_entry(quote: &TracedQuote) -> Option<StoryEntry> {
    let row = quote.row.as_ref()?;
    let text = match row.exists {
        false => format!("{}: the application deleted row {} of quotes", quote.id, row.id),
        true => {
            let request = row
                .request
                .map(|request| format!(", request {request}"))
                .unwrap_or_default();
            let price = row.price.map(|price| match quote.currency.as_deref() {
                Some(currency) => format!(", {price} {currency}"),
                None => format!(", {price} (currency unknown)"),
            });
            let status = row
                .status
                .as_ref()
                .map(|status| format!(", {status}"))
                .unwrap_or_default();
            format!(
                "{}: row {} of quotes{request}{}{status}",
                quote.id,
                row.id,
                price.unwrap_or_default()
            )
        }
    };
    Some(StoryEntry::new(None, "row", text))
}

fn session_entry(session: &TracedSession) -> StoryEntry {
    let TracedSession {
        id,
        status,
        quotes_received,
        quotes_expected,
        ..
    } = session;
    let parts = [
        session.step.as_ref().map(|step| format!("step {step}")),
        session.trip.as_ref().map(|trip| format!("trip {trip}")),
        (!session.rfqs.is_empty()).then(|| format!("RFQ {}", session.rfqs.join(" "))),
        session
            .withheld_trip
            .as_ref()
            .map(|trip| format!("trip {trip} withheld")),
        Some(format!("quotes {quotes_received}/{quotes_expected}")),
        session.selected_quote.as_ref().map(|quote| format!("selected {quote}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    StoryEntry {
        session: Some(*id),
        ..StoryEntry::new(None, "session", format!("{id}: {status}, {}", parts.join(", ")))
    }
}
