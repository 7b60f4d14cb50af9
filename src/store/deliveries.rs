//! The table `deliveries`, as the workers read it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::transaction::Transaction;

#[derive(Debug, Clone)]
pub struct StoredDelivery {
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    /// Exactly as received.
    pub body: Vec<u8>,
}

/// Reads deliveries by id.
pub async fn read(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, StoredDelivery>, sqlx::Error> {
    let rows = sqlx::query_as!(
        StoredDelivery,
        "SELECT id, received_at, body FROM avinode_ingest.deliveries WHERE id = ANY ($1)",
        ids
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}
