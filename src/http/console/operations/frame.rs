//! The frame of the pages of operations: their navigation, and what an action did.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::params::Params;
use crate::http::console::access::Visitor;
use crate::http::console::layout;

pub const PATH: &str = "/console/operations";

/// Path and name of each page.
const PAGES: [(&str, &str); 9] = [
    (PATH, "Overview"),
    ("/console/operations/dead-letters", "Dead letters"),
    ("/console/operations/jobs", "Jobs"),
    ("/console/operations/deliveries", "Deliveries"),
    ("/console/operations/documents", "Documents"),
    ("/console/operations/batches", "Batches"),
    ("/console/operations/trace", "Trace"),
    ("/console/operations/maintenance", "Maintenance"),
    ("/console/operations/checks", "Checks"),
];

/// `section`: the path of the page, or of the list that it is from.
pub fn page(visitor: &Visitor, section: &str, title: &str, content: &Markup) -> Response {
    let content = html! {
        nav.sections aria-label="Operations" {
            ul {
                @for (path, name) in PAGES {
                    li { a href=(path) aria-current=[(path == section).then_some("page")] { (name) } }
                }
            }
        }
        h1 { (title) }
        (content)
    };
    layout::page(visitor, PATH, title, &content)
}

/// An action that was done, as the query of the next page names it.
const DONE: [(&str, &str); 3] = [
    ("retry", "The job is due now."),
    ("discard", "The job was discarded."),
    ("replay", "The delivery has a new job."),
];

/// Leads to the page that shows what an action did.
pub fn done(path: &str, action: &str) -> Response {
    let and = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{and}done={action}")).into_response()
}

/// The result of the action that led to this page.
pub fn outcome(params: &Params) -> Markup {
    let done = params.get("done");
    let text = DONE.into_iter().find(|(action, _)| Some(*action) == done);
    html! {
        @if let Some((_, text)) = text { p.done role="status" { (text) } }
    }
}
