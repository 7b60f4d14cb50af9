//! `/v1/admin/documents`: lists and shows fetched documents.

use axum::extract::State;

use super::cursors::DocumentCursor;
use super::document_filter::DocumentListParams;
use super::ids::DocumentId;
use super::problem::{AdminProblem, DocumentProblems};
use crate::admin::views::DocumentRecord;
use crate::domain::chat_session::page::Page;
use crate::http::v1::auth::ReadAccess;
use crate::http::v1::problem::QueryProblems;
use crate::http::v1::query::QueryParams;
use crate::http::v1::response::{ApiResult, ListResponse, list as list_response, resource};
use crate::http::v1::state::ApiState;
use crate::store::admin::documents::DocumentView;

type DocumentList = ListResponse<DocumentView>;

/// List fetched documents
///
/// The last stored first, without bodies.
#[utoipa::path(
    get,
    path = "/v1/admin/documents",
    operation_id = "listDocuments",
    params(DocumentListParams),
    responses((status = 200, body = DocumentList, description = "A page of documents."), QueryProblems),
)]
pub async fn list(
    _: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<DocumentListParams>,
) -> ApiResult {
    let filter = params.parse()?;
    let resource = filter.resource.as_deref();
    // One more shows that there is another page.
    let documents = state.admin.documents(resource, filter.before, filter.limit + 1).await?;
    Ok(list_response(Page::from_rows(documents, filter.limit, |document| {
        DocumentCursor(document.id)
    })))
}

/// Get a document
///
/// With its body, if that is still stored.
#[utoipa::path(
    get,
    path = "/v1/admin/documents/{id}",
    operation_id = "getDocument",
    params(DocumentId),
    responses((status = 200, body = DocumentRecord, description = "The document."), DocumentProblems),
)]
pub async fn get(_: ReadAccess, State(state): State<ApiState>, DocumentId(id): DocumentId) -> ApiResult {
    let document = state.admin.document(id).await?;
    Ok(resource(document.ok_or(AdminProblem::DocumentNotFound)?))
}
