//! The frame of every page: head, navigation, visitor.

use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::access::Visitor;
use super::assets;
use super::form::token_field;

/// The pages of the navigation: path and name. A page below a path belongs to it.
const NAVIGATION: [(&str, &str); 2] = [("/console", "Board"), ("/console/operations", "Operations")];

/// htmx without what the content security policy forbids, without storing pages in the browser, and without other origins.
const HTMX_CONFIG: &str = r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true,"scrollBehavior":"auto"}"#;

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

/// A page that needs no visitor.
pub fn without_visitor(title: &str, content: &Markup) -> Html<String> {
    document(title, &html! {}, content)
}

fn document(title: &str, bar: &Markup, content: &Markup) -> Html<String> {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (title) " – avinode-ingest" }
                link rel="icon" href=(assets::path("icon.svg"));
                link rel="stylesheet" href=(assets::path("console.css"));
                script src=(assets::path("htmx.min.js")) defer {}
                script src=(assets::path("sse.min.js")) defer {}
                script src=(assets::path("console.js")) defer {}
            }
            body {
                a.skip href="#content" { "To the content" }
                header.bar {
                    span.name { "avinode-ingest" }
                    (bar)
                }
                main #content tabindex="-1" { (content) }
            }
        }
    };
    Html(document.into_string())
}

/// Content that is rendered again when a timeline changes, and every 30 seconds: ages grow, and not every change has an entry.
///
/// `path` is the page itself, of which the element `id` is taken. `events` is the stream, which stays open while the content is replaced.
/// Without JavaScript the content is that of the page.
pub fn live(id: &str, path: &str, events: &str, content: &Markup) -> Markup {
    html! {
        p #connection role="status" { "Reload the page to see changes" }
        div hx-ext="sse" sse-connect=(events) {
            div id=(id) hx-get=(path) hx-select={ "#" (id) } hx-swap="outerHTML" hx-sync="this:queue last" hx-trigger="sse:change, every 30s" {
                (content)
            }
        }
    }
}
