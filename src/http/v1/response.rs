//! Responses of the API: a resource as it is, or a list as `{"data": […], "next_cursor": …}`. Neither may be cached.

use std::borrow::Cow;

use axum::response::Response;
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::cursor::{self, CursorKey};
use super::problem::ApiProblem;
use crate::activity_log::ACTIVITY;
use crate::domain::chat_session::page::Page;
use crate::http::json_response::uncached;

/// One page of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListResponse<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T, K: CursorKey> From<Page<T, K>> for ListResponse<T> {
    fn from(page: Page<T, K>) -> Self {
        Self {
            data: page.data,
            next_cursor: page.next.as_ref().map(cursor::encode),
        }
    }
}

/// By hand, because the derived name of a generic type would be `ListResponse_ChatSession`.
impl<T: ToSchema> ToSchema for ListResponse<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for ListResponse<T> {
    fn schema() -> RefOr<Schema> {
        let next_cursor = SchemaType::from_iter([Type::String, Type::Null]);
        let next_cursor = ObjectBuilder::new()
            .schema_type(next_cursor)
            .description(Some("The `cursor` of the next page; null on the last page."));
        ObjectBuilder::new()
            .description(Some("One page of a list."))
            .property("data", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .required("data")
            .property("next_cursor", next_cursor)
            .required("next_cursor")
            .into()
    }
}

pub type ApiResult = Result<Response, ApiProblem>;

/// 200 with a resource.
pub fn resource(resource: impl Serialize) -> Response {
    uncached(StatusCode::OK, resource)
}

/// 200 with the result of an operation that writes.
pub fn changed(result: impl Serialize) -> Response {
    ACTIVITY.api_write();
    resource(result)
}

/// 201 with a resource.
pub fn created(resource: impl Serialize) -> Response {
    ACTIVITY.api_write();
    uncached(StatusCode::CREATED, resource)
}

/// 200 with a page of a list.
pub fn list<T: Serialize, K: CursorKey>(page: Page<T, K>) -> Response {
    resource(ListResponse::from(page))
}
