//! `GET /console`: the sessions by workflow step, and the search.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use url::form_urlencoded;

use super::access::{Access, Reader};
use super::card::{card, quotes, title};
use super::error::ConsoleError;
use super::format::words;
use super::layout;
use super::state::{Console, ConsoleState};
use crate::domain::chat_session::status::SessionStatus;
use crate::http::v1::problem::ApiProblem;
use crate::http::v1::query::QueryParams;
use crate::sessions::board::{BoardColumn, MAX_COUNT};
use crate::sessions::search::{FoundSession, MatchedBy};

const STATUSES: [SessionStatus; 4] = [
    SessionStatus::Active,
    SessionStatus::Paused,
    SessionStatus::Completed,
    SessionStatus::Archived,
];

#[derive(Debug, Deserialize)]
pub struct BoardQuery {
    /// Another status than active.
    status: Option<SessionStatus>,
    /// A text to search for.
    #[serde(default)]
    q: String,
}

pub async fn get(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    query: Result<QueryParams<BoardQuery>, ApiProblem>,
) -> Result<Response, ConsoleError> {
    let QueryParams(query) = query?;
    let status = query.status.unwrap_or(SessionStatus::Active);
    let text = query.q.trim();
    let (path, found) = match text.is_empty() {
        true => (board_path(status), columns(&console, status).await?),
        false => (search_path(text), results(&console, text).await?),
    };
    let heading = if text.is_empty() { "Board" } else { "Search" };
    let content = html! {
        h1 { (heading) }
        div.tools {
            form.line role="search" action="/console" {
                div {
                    label for="q" { "Trip, RFQ, quote, operator or agent" }
                    input #q type="search" name="q" value=(text) maxlength="200" size="32";
                }
                button { "Search" }
            }
            (status_links(status, text.is_empty()))
        }
        (layout::live("sessions", &path, "/console/events", &found))
    };
    Ok(layout::page(&visitor, "/console", heading, &content))
}

fn board_path(status: SessionStatus) -> String {
    match status {
        SessionStatus::Active => "/console".to_owned(),
        status => format!("/console?status={}", status.as_str()),
    }
}

fn search_path(text: &str) -> String {
    let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    format!("/console?q={query}")
}

fn status_links(shown: SessionStatus, is_board: bool) -> Markup {
    html! {
        nav aria-label="Status" {
            ul {
                @for status in STATUSES {
                    li {
                        a href=(board_path(status)) aria-current=[(is_board && status == shown).then_some("true")] {
                            (words(status.as_str()))
                        }
                    }
                }
            }
        }
    }
}

async fn columns(console: &Console, status: SessionStatus) -> Result<Markup, ConsoleError> {
    let columns = console.api.sessions.board(status).await?;
    let now = console.clock.now();
    Ok(html! {
        div.columns #columns role="region" aria-label="Sessions by workflow step" tabindex="0" data-summary=(summary(&columns)) {
            @for column in &columns {
                @let step = column.step.as_deref().map_or_else(|| "no step".to_owned(), words);
                section.column aria-label=(step) {
                    h2 { span { (step) } span.quiet { (count(column)) } }
                    @if column.sessions.is_empty() {
                        p.quiet { "No sessions" }
                    } @else {
                        ul.cards { @for session in &column.sessions { (card(session, None, now)) } }
                        (more(column))
                    }
                }
            }
        }
    })
}

/// The latest activity on the board.
fn summary(columns: &[BoardColumn]) -> String {
    let sessions = columns.iter().flat_map(|column| &column.sessions);
    match sessions.max_by_key(|session| session.last_activity_at) {
        Some(session) => format!("Latest activity: {}, {}", title(session), quotes(session)),
        None => "No sessions".to_owned(),
    }
}

/// The number of sessions, which is counted up to a bound.
fn count(column: &BoardColumn) -> String {
    match column.count {
        MAX_COUNT.. => format!("{MAX_COUNT}+"),
        count => count.to_string(),
    }
}

fn more(column: &BoardColumn) -> Markup {
    let shown = i64::try_from(column.sessions.len()).unwrap_or(i64::MAX);
    html! {
        @if column.count >= MAX_COUNT {
            p.quiet { "More than " (MAX_COUNT - shown) " more; search for the others" }
        } @else if column.count > shown {
            p.quiet { (column.count - shown) " more; search for the others" }
        }
    }
}

async fn results(console: &Console, text: &str) -> Result<Markup, ConsoleError> {
    let found = console.api.sessions.search(text).await?;
    let now = console.clock.now();
    Ok(html! {
        @match found.len() {
            0 => p { "No session has this id, and no operator or agent of a session this name." },
            1 => h2 { "1 session" },
            count => h2 { (count) " sessions, newest activity first" },
        }
        ul.cards.results {
            @for FoundSession { session, matched_by } in &found {
                (card(session, Some(reason(*matched_by)), now))
            }
        }
    })
}

fn reason(matched_by: MatchedBy) -> &'static str {
    match matched_by {
        MatchedBy::Id => "found by its id",
        MatchedBy::Trip => "found by its trip",
        MatchedBy::Rfq => "found by its RFQ",
        MatchedBy::Quote => "found by a quote",
        MatchedBy::Operator => "found by an operator",
        MatchedBy::Agent => "found by its agent",
    }
}
