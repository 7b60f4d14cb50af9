//! The story of a trace in order of time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::admin::trace::TraceMaterial;
use crate::store::admin::trace::deliveries::{TracedDelivery, TracedJob};
use crate::store::admin::trace::facts::TracedQuote;
use crate::store::admin::trace::sessions::TracedSession;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoryEntry {
    /// Null for what holds now.
    pub at: Option<DateTime<Utc>>,
    /// One word: `refused`, `received`, `fetched`, `parsed`, the outcome of a job, `counted`, `withheld`, `row`, `session`.
    pub step: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub job: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub session: Option<Uuid>,
}

impl StoryEntry {
    fn new(at: Option<DateTime<Utc>>, step: &str, text: String) -> Self {
        Self {
            at,
            step: step.to_owned(),
            text,
            delivery: None,
            job: None,
            session: None,
        }
    }
}

pub(super) fn story(material: &TraceMaterial) -> Vec<StoryEntry> {
    let mut entries = Vec::new();
    for delivery in &material.deliveries {
        add_delivery(delivery, &mut entries);
    }
    for document in &material.documents {
        let times = match document.times {
            1 => String::new(),
            times => format!(", {times} times with the same data"),
        };
        let applied = if document.is_applied { "" } else { ", not applied yet" };
        let text = format!(
            "{}/{} as document {}{times}{applied}",
            document.kind, document.resource, document.id
        );
        entries.push(StoryEntry::new(Some(document.fetched_at), "fetched", text));
    }
    entries.extend(material.jobs.iter().map(job_entry));
    for quote in &material.quotes {
        entries.extend(quote.counted.iter().map(|counted| StoryEntry {
            session: Some(counted.session),
            ..StoryEntry::new(
                Some(counted.at),
                "counted",
                match counted.by_service {
                    true => format!("{} for session {}", quote.id, counted.session),
                    false => format!(
                        "{} for session {} by the application, before the service was attached",
                        quote.id, counted.session
                    ),
                },
            )
        }));
    }
    for session in &material.sessions {
        let withheld = session.withheld_trip.as_ref().zip(session.withheld_at);
        entries.extend(withheld.map(|(trip, at)| StoryEntry {
            session: Some(session.id),
            ..StoryEntry::new(
                Some(at),
                "withheld",
                format!("trip {trip} from session {}: other agents claim it", session.id),
            )
        }));
    }
    // Stable: what has the same time stays in the order above.
    entries.sort_by_key(|entry| entry.at);
    entries.extend(material.quotes.iter().filter_map(row_entry));
    entries.extend(material.sessions.iter().map(session_entry));
    entries
}

fn add_delivery(delivery: &TracedDelivery, entries: &mut Vec<StoryEntry>) {
    let of_delivery = |entry| StoryEntry {
        delivery: Some(delivery.id),
        ..entry
    };
    let redacted = if delivery.is_redacted { ", redacted since" } else { "" };
    let (id, bytes, by) = (delivery.id, delivery.bytes, &delivery.verified_by);
    let text = format!("delivery {id}, {bytes} bytes, verified by {by}{redacted}");
    entries.push(of_delivery(StoryEntry::new(
        Some(delivery.received_at),
        "received",
        text,
    )));
    for (number, job) in delivery.jobs.iter().enumerate() {
        if number == 0
            && let Some(subject) = subject(delivery)
        {
            entries.push(of_delivery(StoryEntry::new(Some(job.at), "parsed", subject)));
        }
        entries.push(of_delivery(job_entry(job)));
    }
}

/// The kind and the ids of a delivery that a job has read.
fn subject(delivery: &TracedDelivery) -> Option<String> {
    let kind = delivery.kind.as_deref()?;
    let kind = if kind == "other" { "no event" } else { kind };
    let lists = [("RFQ", &delivery.rfqs), ("quote", &delivery.quotes)];
    let lists = lists.into_iter().filter(|(_, ids)| !ids.is_empty());
    let ids = [("event", &delivery.event_id), ("trip", &delivery.trip)];
    let ids = ids
        .into_iter()
        .filter_map(|(what, id)| Some(format!("{what} {}", id.as_ref()?)));
    let named: Vec<String> = ids
        .chain(lists.map(|(what, ids)| format!("{what} {}", ids.join(" "))))
        .collect();
    Some(match named.is_empty() {
        true => kind.to_owned(),
        false => format!("{kind}: {}", named.join(", ")),
    })
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
