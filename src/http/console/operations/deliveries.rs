//! The list of deliveries with its filters, and a delivery with its body and why.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use strum::VariantArray;

use super::body::body;
use super::filter_form::{Field, filter_form};
use super::params::Params;
use super::text::{count, moment};
use super::traces;
use crate::admin::trace::Trace;
use crate::admin::views::DeliveryRecord;
use crate::domain::subject::SubjectKind;
use crate::domain::terminal_text::visible_lines;
use crate::store::admin::delivery_list::{DeliveryOutcome, DeliveryView};

pub const PATH: &str = "/console/operations/deliveries";

pub fn filters(params: &Params) -> Markup {
    let kinds: Vec<&str> = SubjectKind::VARIANTS.iter().map(|kind| kind.as_str()).collect();
    let outcomes: Vec<&str> = DeliveryOutcome::VARIANTS
        .iter()
        .map(|outcome| outcome.as_str())
        .collect();
    let fields = [
        Field::text("trip", "Trip"),
        Field::text("rfq", "RFQ"),
        Field::text("quote", "Quote"),
        Field::text("session", "Session"),
        Field::text("event", "Event"),
        Field::choice("kind", "Kind", kinds),
        Field::choice("outcome", "Outcome", outcomes),
        Field::time("since", "Since"),
        Field::time("until", "Until"),
        Field::text("text", "Text in body or outcome"),
    ];
    filter_form(PATH, &fields, params)
}

pub fn list(deliveries: &[DeliveryView], now: DateTime<Utc>) -> Markup {
    html! {
        @if deliveries.is_empty() {
            p { "No deliveries." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Deliveries" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Received" } th scope="col" { "Kind" } th scope="col" { "Outcome" }
                            th scope="col" { "Trip" } th scope="col" { "Quotes" } th.number scope="col" { "Bytes" }
                            th scope="col" { "Detail" }
                        }
                    }
                    tbody {
                        @for it in deliveries {
                            tr {
                                th scope="row" { a href=(format!("{PATH}/{}", it.id)) { (moment(it.received_at, now)) } }
                                td { (it.kind.as_deref().unwrap_or("–")) }
                                td { span class=(format!("state state-{}", it.outcome)) { (it.outcome) } }
                                td { @if let Some(trip) = &it.trip { (traces::link_to(trip)) } @else { "–" } }
                                td { (links(&it.quotes)) }
                                td.number { (count(it.bytes.into())) }
                                td { (visible_lines(it.detail.as_deref().unwrap_or("–"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn links(ids: &[String]) -> Markup {
    html! {
        @if ids.is_empty() { "–" }
        @for (number, id) in ids.iter().enumerate() { @if number > 0 { " " } (traces::link_to(id)) }
    }
}

/// `action`: the form that replays it, for a reader who may.
pub fn page(record: &DeliveryRecord, trace: Option<&Trace>, action: Option<&Markup>, now: DateTime<Utc>) -> Markup {
    html! {
        dl.facts {
            dt { "Received" } dd { (moment(record.received_at, now)) }
            dt { "Verified by" } dd { (record.verified_by) }
            @if let Some(subject) = &record.subject {
                dt { "Kind" } dd { (subject.kind) }
                @if let Some(event) = &subject.event_id { dt { "Event" } dd { (visible_lines(event)) } }
                @if let Some(trip) = &subject.trip { dt { "Trip" } dd { (traces::link_to(trip)) } }
                @if !subject.rfqs.is_empty() { dt { "RFQs" } dd { (links(&subject.rfqs)) } }
                @if !subject.quotes.is_empty() { dt { "Quotes" } dd { (links(&subject.quotes)) } }
                @if !subject.sessions.is_empty() {
                    dt { "Sessions" }
                    dd { @for id in &subject.sessions { a href=(format!("/console/sessions/{id}")) { (id) } " " } }
                }
            }
            @if let Some(redaction) = &record.redaction { dt { "Redacted" } dd { (redaction) } }
        }
        @if let Some(trace) = trace { (traces::content(trace)) }
        @if let Some(action) = action { (action) }
        h2 { "Jobs" }
        ul {
            @for job in &record.jobs {
                li {
                    a href=(format!("/console/operations/jobs/{}", job.job)) { "Job " (job.job) } " (" (job.kind) ") "
                    span class=(format!("state state-{}", job.outcome)) { (job.outcome) }
                    @if let Some(detail) = &job.detail { " " (visible_lines(detail)) }
                }
            }
        }
        h2 { "Headers" }
        pre.body tabindex="0" role="region" aria-label="Headers" { @for header in &record.headers { (visible_lines(header)) "\n" } }
        h2 { "Body" }
        (body(&record.body))
    }
}
