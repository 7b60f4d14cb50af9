//! How answers look: one resource as it is, a list as `{"data": […], "next_cursor": …}`. None is to be cached.

use axum::Json;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::cursor::{self, CursorKey};
use super::problem::ApiProblem;
use crate::domain::chat_session::page::Page;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListResponse<T> {
    /// What was found, in order.
    pub data: Vec<T>,
    /// What to send as `cursor` for the next page; null at the end.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

/// What a handler answers.
pub type ApiResult = Result<Response, ApiProblem>;

/// 200 with a resource.
pub fn shown(resource: impl Serialize) -> Response {
    with(StatusCode::OK, resource)
}

/// Any status with a resource.
pub fn with(status: StatusCode, resource: impl Serialize) -> Response {
    let mut response = (status, Json(resource)).into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 200 with a page of a list.
pub fn listed<T: Serialize, P: CursorKey>(listed: Page<T, P>) -> Response {
    shown(ListResponse {
        data: listed.data,
        next_cursor: listed.next.as_ref().map(cursor::write),
    })
}
