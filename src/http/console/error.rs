//! The pages of rejected requests.

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CONNECTION, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use maud::html;
use url::form_urlencoded;

use super::document::without_visitor;
use crate::domain::api_scope::ApiScope;
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::request_id;
use crate::http::v1::problem::ApiProblem;

/// The reason for rejecting a request of the console.
#[derive(Debug)]
pub enum ConsoleError {
    /// There is no visitor.
    SignIn {
        /// The path to show afterwards.
        path: String,
        /// The request is for a part of a page.
        is_htmx: bool,
    },
    Forbidden {
        needed: ApiScope,
    },
    /// The form is not from a page of this console, or from a session that has ended.
    ForeignForm,
    /// The body is not a form.
    NoForm,
    NotFound,
    MethodNotAllowed,
    /// A problem of the API.
    Api(ApiProblem),
}

impl<E: Into<ApiProblem>> From<E> for ConsoleError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl IntoResponse for ConsoleError {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { path, is_htmx } => sign_in(&path, is_htmx),
            Self::Forbidden { needed } => page(
                &ProblemDetails::new(403, "forbidden", "Insufficient scope")
                    .detail(format!("This needs the scope {}. Sign in with another token.", needed.as_str())),
            ),
            Self::ForeignForm => page(&ProblemDetails::new(403, "foreign-form", "Form not accepted").detail(
                "Nothing was changed. The form is not from a page of this console, or its page was made for another session. Go back, \
                 reload the page and try again.",
            )),
            Self::NoForm => page(&ProblemDetails::new(415, "unsupported-media-type", "No form").detail(
                "Nothing was changed. Send a form (`Content-Type: application/x-www-form-urlencoded`), without a Content-Encoding header.",
            )),
            Self::NotFound => page(&Problem::NotFound.details()),
            Self::MethodNotAllowed => page(&Problem::MethodNotAllowed.details()),
            Self::Api(problem) => page(&problem.details()),
        }
    }
}

/// Leads to the page for signing in. htmx would put it into the place of a part of the page, and is therefore answered by a header.
fn sign_in(path: &str, is_htmx: bool) -> Response {
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", path)
        .finish();
    let to = format!("/console/sign-in?{query}");
    let mut response = match is_htmx {
        true => (StatusCode::UNAUTHORIZED, [(HeaderName::from_static("hx-redirect"), to)]).into_response(),
        false => (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response(),
    };
    close(&mut response);
    response
}

fn page(problem: &ProblemDetails) -> Response {
    let content = html! {
        h1 { (problem.title()) }
        p { (problem.explanation()) }
        @if let Some(id) = request_id::current() {
            p.quiet { "Request " (id) }
        }
        p { a href="/console" { "To the board" } }
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, without_visitor(problem.title(), &content)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    close(&mut response);
    response
}

/// The body of the request may not have been read to its end.
fn close(response: &mut Response) {
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
}
