//! The page of check results. The checks count what is stored, which may take seconds, so the page itself does not wait for them: the
//! browser asks for the results, or without JavaScript the reader does.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use super::frame;
use super::params::Params;
use crate::admin::check::finding::{CheckResult, CheckStatus};

use crate::domain::terminal_text::visible_lines;
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::state::ConsoleState;

const PATH: &str = "/console/operations/checks";
const WITH_RESULTS: &str = "/console/operations/checks?run=yes";

pub async fn show(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let params = Params::read(&query.unwrap_or_default());
    let content = match params.get("run") {
        Some(_) => results(console.api.admin.check(&console.checks).await?.as_slice()),
        None => waiting(),
    };
    let content = html! {
        p { "What the command " code { "check" } " says of the database of the running service." }
        (content)
    };
    Ok(frame::page(&visitor, PATH, "Checks", &content))
}

/// The page before the results are there.
fn waiting() -> Markup {
    html! {
        div #results hx-get=(WITH_RESULTS) hx-select="#results" hx-swap="outerHTML" hx-trigger="load" aria-live="polite" {
            p { a href=(WITH_RESULTS) { "Run the checks" } }
        }
    }
}

fn results(results: &[CheckResult]) -> Markup {
    let of = |status| results.iter().filter(|result| result.status == status).count();
    let (failed, warnings) = (of(CheckStatus::Failed), of(CheckStatus::Warning));
    html! {
        div #results aria-live="polite" {
        p { (results.len()) " results: " (failed) " failed, " (warnings) " warnings" }
        div.scroll tabindex="0" role="region" aria-label="Check results" {
            table {
                thead {
                    tr {
                        th scope="col" { "Check" } th scope="col" { "Status" } th scope="col" { "Result" } th scope="col" { "Remedy" }
                    }
                }
                tbody {
                    @for result in results {
                        @let status = word(result.status);
                        tr {
                            th scope="row" { (result.check) }
                            td { span class=(format!("state state-{status}")) { (status) } }
                            td { (visible_lines(&result.message)) }
                            td { (visible_lines(result.remedy.as_deref().unwrap_or("–"))) }
                        }
                    }
                }
            }
        }
        }
    }
}

fn word(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Ok => "ok",
        CheckStatus::Warning => "warning",
        CheckStatus::Failed => "failed",
    }
}
