//! The export of deliveries without personal text, page by page.

use uuid::Uuid;

use super::selection::DeliverySelection;
use crate::domain::redaction::shareable;
use crate::postgres::transaction::Pool;
use crate::store::deliveries;

/// Deliveries that are in memory at a time.
const PAGE: i64 = 200;

/// A delivery to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedDelivery {
    pub id: Uuid,
    /// The body without personal text.
    pub body: Vec<u8>,
}

/// The numbers of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportReport {
    pub written: i64,
    /// Redacted before: there is nothing left to export.
    pub redacted: i64,
    /// The limit was reached: there may be more.
    pub is_limited: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Write(#[from] std::io::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Passes each selected delivery to `write`, the newest first, at most `limit` of them.
///
/// # Errors
/// The database failed, or `write` did.
pub async fn run(
    pool: &Pool,
    selection: &DeliverySelection,
    limit: i64,
    mut write: impl FnMut(ExportedDelivery) -> std::io::Result<()>,
) -> Result<ExportReport, ExportError> {
    let mut report = ExportReport::default();
    let mut before = None;
    loop {
        let room = limit - report.written - report.redacted;
        if room <= 0 {
            report.is_limited = true;
            return Ok(report);
        }
        let (ids, next) = selection.ids(pool, before, room.min(PAGE)).await?;
        let mut tx = pool.begin().await?;
        let mut stored = deliveries::read(&mut tx, &ids).await?;
        tx.commit().await?;
        for delivery in ids.iter().filter_map(|id| stored.remove(id)) {
            if delivery.is_redacted {
                report.redacted += 1;
                continue;
            }
            write(ExportedDelivery {
                id: delivery.id,
                body: shareable::body(&delivery.body),
            })?;
            report.written += 1;
        }
        before = next;
        if before.is_none() {
            return Ok(report);
        }
    }
}
