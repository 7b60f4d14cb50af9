//! Signing in with an API token, and signing out.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use hyper::StatusCode;
use hyper::header::{HeaderName, SET_COOKIE};
use hyper::http::request::Parts;
use maud::{Markup, html};
use rand::RngExt;
use serde::Deserialize;

use super::access::peer;
use super::cookie;
use super::document::without_visitor;
use super::error::ConsoleError;
use super::form::{self, ReadForm};
use super::origin;
use super::state::{Console, ConsoleState};
use crate::http::client_address::is_over_tls;
use crate::http::v1::problem::ApiProblem;
use crate::http::v1::query::QueryParams;

/// The page to show after signing in.
#[derive(Debug, Default, Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    next: String,
}

/// `GET /console/sign-in`
pub async fn page(
    State(console): State<ConsoleState>,
    query: Result<QueryParams<SignInQuery>, ApiProblem>,
) -> Result<Response, ConsoleError> {
    let QueryParams(query) = query?;
    let content = content(&console, own_path(&query.next), None);
    Ok(without_visitor("Sign in", &content).into_response())
}

/// `POST /console/sign-in`
pub async fn sign_in(State(console): State<ConsoleState>, request: Request) -> Result<Response, ConsoleError> {
    let (parts, body) = request.into_parts();
    // There is no session yet that a form token could belong to. Without this check another site could sign a browser in.
    if !origin::is_same(&parts.headers, peer(&parts), &console.proxies) {
        return Err(ConsoleError::ForeignForm);
    }
    let fields = form::read(&parts.headers, body, &console).await?;
    let next = own_path(fields.text("next").unwrap_or_default());
    let presented = fields.text("token").unwrap_or_default();
    let Some(token) = console.api.tokens.find(presented.as_bytes()) else {
        console
            .api
            .tokens
            .log("an unknown token at the sign-in of the console", &parts);
        let content = content(&console, next, Some("No token of this service has this text."));
        return Ok((StatusCode::FORBIDDEN, without_visitor("Sign in", &content)).into_response());
    };
    tracing::info!(token = token.name, "signed in to the console with token {}", token.name);
    let value = cookie::seal(&token, console.clock.now(), rand::rng().random());
    Ok((set_cookie(&console, &parts, &value), Redirect::to(next)).into_response())
}

/// `POST /console/sign-out`
pub async fn sign_out(State(console): State<ConsoleState>, parts: Parts, _: ReadForm) -> Response {
    (set_cookie(&console, &parts, ""), Redirect::to("/console/sign-in")).into_response()
}

fn set_cookie(console: &Console, parts: &Parts, value: &str) -> [(HeaderName, String); 1] {
    let is_over_tls = peer(parts).is_some_and(|peer| is_over_tls(&console.proxies, peer, &parts.headers));
    [(SET_COOKIE, cookie::header(value, is_over_tls))]
}

/// Returns a path of the console; for any other text, that of the board.
fn own_path(text: &str) -> &str {
    let is_below = text.strip_prefix("/console").is_some_and(|rest| {
        (rest.is_empty() || rest.starts_with(['/', '?'])) && !rest.starts_with("/sign-") && !rest.starts_with("/events")
    });
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    // A browser removes such segments, and what they lead to may be outside.
    let has_dots = text.split(['/', '?', '#']).any(|segment| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        matches!(segment.as_str(), "." | "..")
    });
    if is_below && is_plain && !has_dots {
        text
    } else {
        "/console"
    }
}

fn content(console: &Console, next: &str, error: Option<&str>) -> Markup {
    html! {
        h1 { "Sign in" }
        @if console.api.tokens.is_empty() {
            p.notice { "No API token is configured. Set INGEST_API_TOKENS, for example to staff:write:… with a random text." }
        }
        @if let Some(error) = error {
            p.bad role="alert" #error { (error) }
        }
        form.panel method="post" action="/console/sign-in" {
            input type="hidden" name="next" value=(next);
            p {
                label for="token" { "API token" }
                input #token type="password" name="token" required autocomplete="current-password" autofocus
                    aria-describedby=[error.map(|_| "error")];
            }
            p { button.main { "Sign in" } }
            p.quiet {
                "A token with the scope read sees everything, write also pins quotes, and admin also retries and discards jobs. \
                 The session ends after 12 hours."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_the_console_is_shown_after_signing_in() {
        for own in ["/console", "/console?q=A1B2C3", "/console/sessions/7?notice=pinned"] {
            assert_eq!(own_path(own), own);
        }
        for other in [
            "",
            "https://evil.example/console",
            "//evil.example",
            "/console.evil",
            "/consoles",
            "/metrics",
            "/console/sign-in?next=/console",
            "/console/events",
            "/console\\@evil",
            "/console/\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(own_path(other), "/console", "{other}");
        }
    }
}
