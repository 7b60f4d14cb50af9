//! Exports of deliveries.

use uuid::Uuid;

use super::Operator;
use super::api_client::ApiCall;
use crate::admin::export::{self, ExportPage, ExportedDelivery};
use crate::admin::selection::DeliverySelection;
use crate::cli::actor;
use crate::cli::error::{CliError, Context};
use crate::http::v1::admin::cursors::DeliveryCursor;
use crate::http::v1::admin::delivery_filter::DeliveryListParams;
use crate::http::v1::cursor;
use crate::http::v1::response::ListResponse;

impl Operator {
    /// Reads a page of at most `room` deliveries, and at most [`export::PAGE`].
    pub async fn export(
        &self,
        selection: &DeliverySelection,
        before: Option<Uuid>,
        room: i64,
    ) -> Result<ExportPage, CliError> {
        let (attempt, limit) = ("export the deliveries", room.min(export::PAGE));
        match self {
            Self::Database(_, service) => service
                .export_deliveries(selection, before, limit, &actor::current())
                .await
                .context(attempt),
            Self::Api(api) => {
                let params = serde_json::to_value(DeliveryListParams::from(&selection.filter(before, limit)));
                let mut call = ApiCall::get(&["admin", "deliveries", "export"]);
                call.query = serde_json::from_value(params.context(attempt)?).context(attempt)?;
                call.query.insert("limit".to_owned(), limit.into());
                let page: ListResponse<ExportedDelivery> = api.call(attempt, call).await?.map_err(|_| {
                    // There `export` is the id of a delivery.
                    CliError::plain(format!("could not {attempt}: the service is older than this program"))
                })?;
                let next = page.next_cursor.map(|next| {
                    let next = cursor::decode(&next).map(|DeliveryCursor(id)| id);
                    next.ok_or_else(|| {
                        CliError::plain(format!("could not {attempt}: the service sent an unknown cursor"))
                    })
                });
                Ok(ExportPage {
                    data: page.data,
                    next: next.transpose()?,
                })
            }
        }
    }
}
