//! A session as a card.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::format::{age, price, short, short_or_dash};
use crate::domain::chat_session::view::ChatSession;

/// The list item of a session; `note` says why it is shown.
pub fn card(session: &ChatSession, note: Option<&str>, now: DateTime<Utc>) -> Markup {
    html! {
        li.card {
            h3 { a id={ "session-" (session.id) } href={ "/console/sessions/" (session.id) } { (title(session)) } }
            @if let Some(subject) = &session.conversation_subject {
                p { (short(subject)) }
            }
            p.quiet { (route(session)) }
            p { (quotes(session)) }
            @if session.primary_quote_id.is_some() {
                p {
                    bdi { (short_or_dash(session.operator_name.as_deref())) } ", "
                    span.price { (price(session.total_price, session.currency.as_deref())) }
                    @if session.primary_quote_pinned { " " span.tag { "pinned" } }
                }
            }
            p.quiet { "active " (age(session.last_activity_at, now)) }
            @if let Some(note) = note { p.quiet { (note) } }
        }
    }
}

/// `2 of 4 quotes`.
pub fn quotes(session: &ChatSession) -> String {
    match (session.quotes_received_count, session.quotes_expected_count) {
        (1, ..=0) => "1 quote".to_owned(),
        (received, ..=0) => format!("{received} quotes"),
        (received, expected) if received > expected => format!("{received} quotes, {expected} expected"),
        (received, expected) => format!("{received} of {expected} quotes"),
    }
}

/// The trip of a session, or what else names it.
pub fn title(session: &ChatSession) -> String {
    let id = session.avinode_trip_id.as_deref().or(session.avinode_rfq_id.as_deref());
    match id.map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => short(id),
        None => "No trip yet".to_owned(),
    }
}

/// `KTEB to KPBI, 2026-12-24`.
pub fn route(session: &ChatSession) -> String {
    let [from, to] = [&session.departure_airport, &session.arrival_airport].map(|it| short_or_dash(it.as_deref()));
    match session.departure_date {
        Some(date) => format!("{from} to {to}, {}", date.format("%Y-%m-%d")),
        None => format!("{from} to {to}"),
    }
}
