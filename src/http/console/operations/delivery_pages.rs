//! Handlers of the pages of deliveries.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::html;

use super::filter_form::next_page;
use super::params::Params;
use super::{actions, batch_forms, deliveries, frame};
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::state::ConsoleState;
use crate::http::v1::admin::cursors::DeliveryCursor;
use crate::http::v1::admin::delivery_filter::DeliveryListParams;
use crate::http::v1::admin::ids::DeliveryId;
use crate::http::v1::admin::problem::AdminProblem;
use crate::http::v1::cursor;
use crate::http::v1::problem::ApiProblem;

pub async fn list(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let params = Params::read(&query.unwrap_or_default());
    let filter = params.parse::<DeliveryListParams>()?.parse()?;
    let page = console.api.admin.deliveries(&filter).await?;
    let cursor = page.next.map(|id| cursor::encode(&DeliveryCursor(id)));
    let content = html! {
        (deliveries::filters(&params))
        (deliveries::list(&page.data, console.clock.now()))
        (next_page(deliveries::PATH, &params, cursor.as_deref()))
        (batch_forms::of_deliveries(&visitor, &params))
    };
    Ok(frame::page(&visitor, deliveries::PATH, "Deliveries", &content))
}

pub async fn show(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    id: Result<DeliveryId, ApiProblem>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let DeliveryId(id) = id?;
    let record = console.api.admin.delivery(id).await?;
    let record = record.ok_or(AdminProblem::DeliveryNotFound)?;
    let trace = console.api.admin.trace(&id.to_string()).await?;
    let action = actions::of_delivery(&visitor, id, record.redaction.is_some());
    let content = html! {
        (frame::outcome(&Params::read(&query.unwrap_or_default())))
        (deliveries::page(&record, trace.as_ref(), action.as_ref(), console.clock.now()))
    };
    Ok(frame::page(
        &visitor,
        deliveries::PATH,
        &format!("Delivery {id}"),
        &content,
    ))
}
