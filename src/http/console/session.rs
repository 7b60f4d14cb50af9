//! `GET /console/sessions/{id}`: a session with its quotes side by side and its timeline.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::access::{Access, Reader, Visitor};
use super::card::{quotes, route, title};
use super::error::ConsoleError;
use super::form::token_field;
use super::format::{age, members, moment, price, short, short_or_dash, words};
use super::layout;
use super::state::ConsoleState;
use crate::domain::api_scope::ApiScope;
use crate::domain::chat_session::page::{Page, PageRequest};
use crate::domain::chat_session::view::{ChatSession, SessionQuote, TimelineEntry};
use crate::http::v1::extract::SessionId;
use crate::http::v1::problem::ApiProblem;
use crate::http::v1::query::QueryParams;

const QUOTES: u16 = 30;
const ENTRIES: u16 = 50;

#[derive(Debug, Deserialize)]
pub struct SessionQuery {
    /// Quotes after this key.
    quotes: Option<String>,
    /// Entries of the timeline before this one.
    before: Option<i64>,
    /// The action that led here.
    done: Option<DoneAction>,
}

/// An action that leads back to the page.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneAction {
    Pinned,
    Unpinned,
}

impl DoneAction {
    fn notice(self) -> &'static str {
        match self {
            Self::Pinned => "The quote is pinned: later quotes do not replace it.",
            Self::Unpinned => {
                "The primary quote is no longer pinned. A worker selects one by the policy within moments."
            }
        }
    }
}

pub async fn get(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    id: Result<SessionId, ApiProblem>,
    query: Result<QueryParams<SessionQuery>, ApiProblem>,
) -> Result<Response, ConsoleError> {
    let (SessionId(id), QueryParams(query)) = (id?, query?);
    let sessions = &console.api.sessions;
    let session = sessions.get(id).await?;
    let page = PageRequest {
        after: query.quotes.clone(),
        limit: QUOTES,
    };
    let listed = sessions.quotes(id, &page).await?;
    let entries = PageRequest {
        after: query.before,
        limit: ENTRIES,
    };
    let entries = sessions.newest_timeline(id, &entries).await?;
    let agent = sessions.agent_name(session.iso_agent_id).await?;
    let now = console.clock.now();
    let parts = html! {
        (facts(&session, agent.as_deref(), entries.data.first(), now))
        h2 { "Quotes" }
        (quote_table(&visitor, &session, &listed, now))
        h2 #timeline { "Timeline" }
        (timeline(id, &entries, now))
    };
    let content = html! {
        p { a href="/console" { "Board" } }
        h1 { (title(&session)) }
        @if let Some(done) = query.done { p.notice role="status" { (done.notice()) } }
        (layout::live("session", &own_path(id, &query), &format!("/console/events?session={id}"), &parts))
    };
    Ok(layout::page(&visitor, "/console", &title(&session), &content))
}

/// The path of this page without the notice.
fn own_path(id: Uuid, query: &SessionQuery) -> String {
    let mut parts = Vec::new();
    if let Some(after) = &query.quotes {
        parts.push(format!("quotes={}", encoded(after)));
    }
    if let Some(before) = query.before {
        parts.push(format!("before={before}"));
    }
    match parts.is_empty() {
        true => format!("/console/sessions/{id}"),
        false => format!("/console/sessions/{id}?{}", parts.join("&")),
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn facts(session: &ChatSession, agent: Option<&str>, newest: Option<&TimelineEntry>, now: DateTime<Utc>) -> Markup {
    let id = |text: &Option<String>| short_or_dash(text.as_deref());
    let newest = newest.map_or_else(|| "no entry".to_owned(), |entry| words(&entry.kind));
    html! {
        div.panel data-summary={ (quotes(session)) ", latest entry: " (newest) } {
            dl.facts {
                @if let Some(subject) = &session.conversation_subject { dt { "Subject" } dd { (short(subject)) } }
                dt { "Route" } dd { (route(session)) }
                dt { "Status" } dd { (words(&session.status)) ", " (session.current_step.as_deref().map_or_else(|| "no step".to_owned(), words)) }
                dt { "Quotes" } dd {
                    (session.quotes_received_count) " received, " (session.quotes_expected_count) " expected, "
                    (session.operators_contacted_count) " operators contacted"
                }
                dt { "Trip" } dd { (id(&session.avinode_trip_id)) }
                dt { "RFQ" } dd { (id(&session.avinode_rfq_id)) }
                dt { "RFP" } dd { (id(&session.avinode_rfp_id)) }
                dt { "Last activity" } dd { (age(session.last_activity_at, now)) }
                dt { "Session" } dd { (session.id) }
                dt { "Agent" } dd {
                    a href={ "/console?q=" (session.iso_agent_id) } {
                        @match agent { Some(name) => (short(name)), None => (session.iso_agent_id) }
                    }
                }
            }
        }
    }
}

/// One column for each quote, so that their values are side by side.
fn quote_table(
    visitor: &Visitor,
    session: &ChatSession,
    quotes: &Page<SessionQuote, String>,
    now: DateTime<Utc>,
) -> Markup {
    let operator = |quote: &SessionQuote| short_or_dash(quote.operator_name.as_deref());
    let row = |name: &str, value: &dyn Fn(&SessionQuote) -> Markup| {
        html! { tr { th scope="row" { (name) } @for quote in &quotes.data { td { (value(quote)) } } } }
    };
    html! {
        @if quotes.data.is_empty() {
            p { "No quotes" }
        } @else {
            div.scroll #quotes role="region" aria-label="Quotes" tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Operator" } @for quote in &quotes.data { th scope="col" { bdi { (operator(quote)) } } } } }
                    tbody {
                        (row("Price", &|quote| html! { (price(quote.total_price, quote.currency.as_deref())) }))
                        (row("Aircraft", &|quote| html! { (aircraft(quote)) }))
                        (row("Valid until", &|quote| html! { (validity(quote, now)) }))
                        (row("Status", &|quote| html! { (status(quote)) }))
                        (row("Received", &|quote| age(Some(quote.entered_at), now)))
                        (row("Avinode quote", &|quote| html! { (short_or_dash(quote.avinode_quote_id.as_deref())) }))
                        (row("Primary", &|quote| primary(visitor, session, quote)))
                    }
                }
            }
            @if let Some(next) = &quotes.next {
                p { a href={ "?quotes=" (encoded(next)) } { "Further quotes" } }
            }
        }
    }
}

fn aircraft(quote: &SessionQuote) -> String {
    let kind = short_or_dash(quote.aircraft_type.as_deref());
    match &quote.aircraft_tail_number {
        Some(tail) => format!("{kind}, {}", short(tail)),
        None => kind,
    }
}

fn validity(quote: &SessionQuote, now: DateTime<Utc>) -> Markup {
    html! {
        @match quote.valid_until {
            Some(end) if end <= now => { span.bad { "expired " (age(Some(end), now)) } },
            Some(end) => { (moment(end)) ", " (age(Some(end), now)) },
            None => "not stated",
        }
    }
}

fn status(quote: &SessionQuote) -> Markup {
    html! {
        @if quote.declined {
            span.bad { "declined" }
            @if let Some(reason) = &quote.decline_reason { ": " (short(reason)) }
        } @else {
            (quote.status.as_deref().map_or_else(|| "received".to_owned(), words))
        }
    }
}

/// Says if the quote is the primary one, with the form that changes it.
fn primary(visitor: &Visitor, session: &ChatSession, quote: &SessionQuote) -> Markup {
    let is_pinned = quote.is_primary && session.primary_quote_pinned;
    let operator = short_or_dash(quote.operator_name.as_deref());
    let base = format!("/console/sessions/{}", session.id);
    html! {
        @match (quote.is_primary, is_pinned) {
            (true, true) => p { span.tag { "primary, pinned" } },
            (true, false) => p { span.tag { "primary" } },
            (false, _) => "",
        }
        @if !visitor.may(ApiScope::Write) {
            @if !quote.is_primary { "–" }
        } @else if is_pinned {
            form.line method="post" action={ (base) "/unpin" } {
                (token_field(visitor))
                button #unpin { "Unpin" span.hidden { " the quote of " (operator) } }
            }
        } @else if let Some(id) = quote.quote_id {
            form.line method="post" action={ (base) "/pin" } {
                (token_field(visitor))
                input type="hidden" name="quote" value=(id);
                button id={ "pin-" (id) } { "Pin" span.hidden { " the quote of " (operator) } }
            }
        } @else {
            "cannot be pinned: it has no row in quotes"
        }
    }
}

fn timeline(session: Uuid, entries: &Page<TimelineEntry, i64>, now: DateTime<Utc>) -> Markup {
    html! {
        @if entries.data.is_empty() { p { "No entries" } }
        ol.timeline reversed {
            @for entry in &entries.data {
                li {
                    strong { (words(&entry.kind)) } " "
                    span.quiet { (age(entry.happened_at.or(Some(entry.recorded_at)), now)) }
                    @if let Some(actor) = &entry.actor { span.quiet { ", by " bdi { (short(actor)) } } }
                    @for (name, text) in members(&entry.detail) {
                        div { span.quiet { (name) ": " } bdi { (text) } }
                    }
                }
            }
        }
        @if let Some(before) = entries.next {
            p { a href={ "/console/sessions/" (session) "?before=" (before) "#timeline" } { "Older entries" } }
        }
    }
}
