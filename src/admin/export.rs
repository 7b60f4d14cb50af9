//! The export of deliveries without personal text, page by page.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::selection::DeliverySelection;
use super::stored_body::StoredBody;
use crate::domain::redaction::shareable;
use crate::postgres::transaction::{Pool, Transaction};
use crate::store::deliveries;

/// Deliveries that are in memory at a time.
pub const PAGE: i64 = 200;

/// An exported delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportedDelivery {
    pub id: Uuid,
    /// The body without personal text. Null if the delivery was redacted before: nothing is left to export.
    pub body: Option<StoredBody>,
}

/// A page of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportPage {
    /// The newest first.
    pub data: Vec<ExportedDelivery>,
    /// The next page begins before this delivery.
    pub next: Option<Uuid>,
}

/// Reads a page. One of a text may be short, or empty.
pub async fn page(
    pool: &Pool,
    tx: &mut Transaction<'_>,
    selection: &DeliverySelection,
    before: Option<Uuid>,
    limit: i64,
) -> Result<ExportPage, sqlx::Error> {
    let (ids, next) = selection.ids(pool, before, limit).await?;
    let mut stored = deliveries::read(tx, &ids).await?;
    let read = ids.iter().filter_map(|id| stored.remove(id));
    let data = read.map(|delivery| ExportedDelivery {
        id: delivery.id,
        body: (!delivery.is_redacted).then(|| shareable::body(&delivery.body).into()),
    });
    Ok(ExportPage {
        data: data.collect(),
        next,
    })
}

/// Details for the audit log, which never has a text.
pub fn audit_details(selection: &DeliverySelection) -> Value {
    let mut filter = json!(selection);
    if let Some(object) = filter.as_object_mut()
        && object.remove("text").is_some()
    {
        object.insert("has_text".to_owned(), json!(true));
    }
    json!({"filter": filter})
}
