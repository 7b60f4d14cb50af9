//! The trace of an id: each cause in one line, and the entries in order of time.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use url::form_urlencoded::byte_serialize;

use super::filter_form::{Field, filter_form};
use super::frame;
use super::params::Params;
use crate::admin::trace::{StoryEntry, Trace};
use crate::domain::terminal_text::visible_lines;
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::state::ConsoleState;
use crate::store::admin::trace::TraceTarget;

const PATH: &str = "/console/operations/trace";

pub async fn show(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let params = Params::read(&query.unwrap_or_default());
    let id = params.get("id").map(str::trim).filter(|id| !id.is_empty());
    let trace = match id {
        Some(id) => console.api.admin.trace(id).await?,
        None => None,
    };
    let content = html! {
        p { "What became of a quote, a trip, an RFQ, a delivery or a session." }
        (filter_form(PATH, &[Field::text("id", "Id")], &params))
        @match (&trace, id) {
            (Some(trace), _) => (content(trace)),
            (None, Some(id)) => p { "Nothing is stored about “" (visible_lines(id)) "”." },
            (None, None) => {},
        }
    };
    let title = trace.map_or_else(|| "Trace".to_owned(), |trace| title(&trace.target));
    Ok(frame::page(&visitor, PATH, &title, &content))
}

/// The title of a target.
fn title(target: &TraceTarget) -> String {
    match target {
        TraceTarget::Delivery(id) => format!("Delivery {id}"),
        TraceTarget::Session(id) => format!("Session {id}"),
        TraceTarget::Quote(id) => format!("Quote {id}"),
        TraceTarget::Rfq(id) => format!("RFQ {id}"),
        TraceTarget::Trip(id) => format!("Trip {id}"),
        TraceTarget::Message(id) => format!("Message {id}"),
    }
}

pub fn content(trace: &Trace) -> Markup {
    html! {
        @if !trace.trips.is_empty() {
            p { "Trip " @for (number, trip) in trace.trips.iter().enumerate() { @if number > 0 { ", " } (link_to(trip)) } }
        }
        h2 { "Cause" }
        ul { @for cause in &trace.causes { li { b { (visible_lines(&cause.of)) } ": " (visible_lines(&cause.text)) } } }
        h2 { "Story" }
        @if trace.story.is_empty() {
            p { "Nothing is stored about it." }
        } @else {
            ol.story {
                @for entry in &trace.story { li { (story_entry(entry)) } }
            }
        }
    }
}

fn story_entry(entry: &StoryEntry) -> Markup {
    html! {
        @match entry.at {
            Some(at) => time datetime=(at.to_rfc3339()) { (at.format("%Y-%m-%d %H:%M:%S%.3f")) },
            None => span.quiet { "now" },
        }
        " " b { (entry.step) } " " (visible_lines(&entry.text))
        @if let Some(delivery) = entry.delivery {
            " " a href=(format!("/console/operations/deliveries/{delivery}")) { "delivery" }
        }
        @if let Some(session) = entry.session {
            " " a href=(format!("/console/sessions/{session}")) { "session" }
        }
    }
}

/// A link to the trace of an id.
pub fn link_to(id: &str) -> Markup {
    let encoded: String = byte_serialize(id.as_bytes()).collect();
    html! { a href=(format!("/console/operations/trace?id={encoded}")) { (visible_lines(id)) } }
}
