//! `/v1/admin/deliveries`: lists, shows and exports stored deliveries.

use axum::extract::State;

use super::cursors::DeliveryCursor;
use super::delivery_filter::DeliveryListParams;
use super::ids::DeliveryId;
use super::problem::{AdminProblem, DeliveryProblems};
use crate::admin::export::ExportedDelivery;
use crate::admin::views::DeliveryRecord;
use crate::domain::chat_session::page::Page;
use crate::http::v1::auth::ReadAccess;
use crate::http::v1::problem::QueryProblems;
use crate::http::v1::query::QueryParams;
use crate::http::v1::response::{ApiResult, ListResponse, list as list_response, resource};
use crate::http::v1::state::ApiState;
use crate::store::admin::delivery_list::DeliveryView;

type StoredDeliveryList = ListResponse<DeliveryView>;
type ExportedDeliveryList = ListResponse<ExportedDelivery>;

/// List deliveries
///
/// The newest first, with the event, the ids and the outcome of each.
#[utoipa::path(
    get,
    path = "/v1/admin/deliveries",
    operation_id = "listDeliveries",
    params(DeliveryListParams),
    responses((status = 200, body = StoredDeliveryList, description = "A page of deliveries."), QueryProblems),
)]
pub async fn list(
    _: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<DeliveryListParams>,
) -> ApiResult {
    let page = state.admin.deliveries(&params.parse()?).await?;
    Ok(list_response(Page {
        data: page.data,
        next: page.next.map(DeliveryCursor),
    }))
}

/// Export deliveries
///
/// Their bodies without personal text, as fixtures: the newest first. The audit log has a row for each page.
#[utoipa::path(
    get,
    path = "/v1/admin/deliveries/export",
    operation_id = "exportDeliveries",
    params(DeliveryListParams),
    responses((status = 200, body = ExportedDeliveryList, description = "A page of deliveries."), QueryProblems),
)]
pub async fn export(
    access: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<DeliveryListParams>,
) -> ApiResult {
    let (selection, before, limit) = params.selection()?;
    let page = state
        .admin
        .export_deliveries(&selection, before, limit, &access.actor())
        .await?;
    Ok(list_response(Page {
        data: page.data,
        next: page.next.map(DeliveryCursor),
    }))
}

/// Get a delivery
///
/// With its headers, its body and the outcomes of its jobs.
#[utoipa::path(
    get,
    path = "/v1/admin/deliveries/{id}",
    operation_id = "getDelivery",
    params(DeliveryId),
    responses((status = 200, body = DeliveryRecord, description = "The delivery."), DeliveryProblems),
)]
pub async fn get(_: ReadAccess, State(state): State<ApiState>, DeliveryId(id): DeliveryId) -> ApiResult {
    let delivery = state.admin.delivery(id).await?;
    Ok(resource(delivery.ok_or(AdminProblem::DeliveryNotFound)?))
}
