//! The frame of the pages for visitors: navigation and visitor, and parts that change by themselves.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::access::Visitor;
use super::document::document;
use super::form::token_field;

/// The pages of the navigation: path and name. A page below a path belongs to it.
const NAVIGATION: [(&str, &str); 2] = [("/console", "Board"), ("/console/operations", "Operations")];

/// A page for a visitor. `section` is its path in the navigation.
pub fn page(visitor: &Visitor, section: &str, title: &str, content: &Markup) -> Response {
    let bar = html! {
        nav aria-label="Console" {
            ul {
                @for (path, name) in NAVIGATION {
                    li { a href=(path) aria-current=[(path == section).then_some("page")] { (name) } }
                }
            }
        }
        div.visitor {
            span { bdi { (visitor.name) } " (" (visitor.scope.as_str()) ")" }
            @if visitor.has_signed_in {
                form.line method="post" action="/console/sign-out" {
                    (token_field(visitor))
                    button { "Sign out" }
                }
            }
        }
    };
    document(title, &bar, content).into_response()
}

/// Content that is rendered again when a timeline changes, and every 30 seconds: ages grow, and not every change has an entry.
///
/// `path` is the page itself, of which the element `id` is taken. `events` is the stream, which stays open while the content is replaced.
/// Without JavaScript the content is that of the page. An element of it may state in `data-summary` what screen readers read out when it
/// changes.
pub fn live(id: &str, path: &str, events: &str, content: &Markup) -> Markup {
    html! {
        p #connection role="status" { "Reload the page to see changes" }
        p.hidden #updates role="status" {}
        div hx-ext="sse" sse-connect=(events) {
            div id=(id) hx-get=(path) hx-select={ "#" (id) } hx-swap="outerHTML" hx-sync="this:queue last" hx-trigger="sse:change, every 30s" {
                (content)
            }
        }
    }
}
