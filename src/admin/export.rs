//! The export of deliveries without personal text, page by page.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::selection::DeliverySelection;
use super::stored_body::StoredBody;
use crate::domain::redaction::shareable;
use crate::postgres::transaction::Transaction;
use crate::store::deliveries;

/// Deliveries that are in memory at a time.
pub const PAGE: i64 = 200;
/// A page ends after so many bytes of bodies, and after the chunk in which they are reached.
const MAX_BYTES: usize = 4 << 20;
const CHUNK: usize = 20;

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

/// Reads the deliveries with these ids, which are a page of a selection. `next` is where the page after it begins. The page ends early
/// after some megabytes of bodies.
pub async fn page(tx: &mut Transaction<'_>, ids: &[Uuid], next: Option<Uuid>) -> Result<ExportPage, sqlx::Error> {
    let (mut data, mut bytes) = (Vec::new(), 0);
    for chunk in ids.chunks(CHUNK) {
        if bytes >= MAX_BYTES {
            let next = data.last().map(|last: &ExportedDelivery| last.id);
            return Ok(ExportPage { data, next });
        }
        let mut stored = deliveries::read(tx, chunk).await?;
        for delivery in chunk.iter().filter_map(|id| stored.remove(id)) {
            bytes += delivery.body.len();
            data.push(ExportedDelivery {
                id: delivery.id,
                body: (!delivery.is_redacted).then(|| shareable::body(&delivery.body).into()),
            });
        }
    }
    Ok(ExportPage { data, next })
}

/// Details for the audit log, which never has a text.
pub fn audit_details(selection: &DeliverySelection, before: Option<Uuid>, limit: i64) -> Value {
    let mut filter = json!(selection);
    if let Some(object) = filter.as_object_mut()
        && object.remove("text").is_some()
    {
        object.insert("has_text".to_owned(), json!(true));
    }
    json!({"filter": filter, "before": before, "limit": limit})
}
