//! The HTML document of every page: its head, with the files that it loads, and the place of its content.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use super::assets;

/// htmx without what the content security policy forbids, without storing pages in the browser, and without other origins.
const HTMX_CONFIG: &str = r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true,"scrollBehavior":"auto"}"#;

/// A page that needs no visitor.
pub fn without_visitor(title: &str, content: &Markup) -> Html<String> {
    document(title, &html! {}, content)
}

/// The HTML document of a page; `bar` is the part of its head line that depends on the visitor.
pub fn document(title: &str, bar: &Markup, content: &Markup) -> Html<String> {
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
