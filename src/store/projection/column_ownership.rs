//! Which columns of a shown quote are ours to overwrite: the application writes to the same row.

use uuid::Uuid;

use super::QuoteProjection;
use crate::postgres::transaction::Transaction;

/// The columns of a row that hold what we wrote there last. One that the application has changed is its own for good,
/// even if it should come to hold the value of a later fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OwnedColumns {
    pub(super) operator_id: bool,
    pub(super) operator_name: bool,
    pub(super) base_price: bool,
    pub(super) total_price: bool,
    pub(super) aircraft_type: bool,
    pub(super) aircraft_tail_number: bool,
    pub(super) valid_until: bool,
}

impl OwnedColumns {
    /// A row that we have just made.
    pub(super) const ALL: Self = Self {
        operator_id: true,
        operator_name: true,
        base_price: true,
        total_price: true,
        aircraft_type: true,
        aircraft_tail_number: true,
        valid_until: true,
    };
    /// A row of the application's.
    pub(super) const NONE: Self = Self {
        operator_id: false,
        operator_name: false,
        base_price: false,
        total_price: false,
        aircraft_type: false,
        aircraft_tail_number: false,
        valid_until: false,
    };
}

/// Locks the row, without waiting for the application to let go of it, and compares it with what we wrote last; `None` when it is gone.
pub(super) async fn ours(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
    row: Uuid,
) -> Result<Option<OwnedColumns>, sqlx::Error> {
    sqlx::query_as!(
        OwnedColumns,
        r#"
        SELECT coalesce(fact.projected ->> 'operator_id' = shown.operator_id, false) AS "operator_id!",
            coalesce(fact.projected ->> 'operator_name' = shown.operator_name, false) AS "operator_name!",
            coalesce((fact.projected ->> 'base_price')::numeric = shown.base_price, false) AS "base_price!",
            coalesce((fact.projected ->> 'total_price')::numeric = shown.total_price, false) AS "total_price!",
            coalesce(fact.projected ->> 'aircraft_type' = shown.aircraft_type, false) AS "aircraft_type!",
            coalesce(fact.projected ? 'aircraft_tail_number'
                AND fact.projected ->> 'aircraft_tail_number' IS NOT DISTINCT FROM shown.aircraft_tail_number, false)
                AS "aircraft_tail_number!",
            coalesce(fact.projected ? 'valid_until'
                AND (fact.projected ->> 'valid_until')::timestamptz IS NOT DISTINCT FROM shown.valid_until, false)
                AS "valid_until!"
        FROM public.quotes AS shown, avinode_ingest.quotes AS fact
        WHERE shown.id = $1 AND fact.trip_key = $2 AND fact.quote_id = $3
        FOR NO KEY UPDATE OF shown NOWAIT
        "#,
        row,
        projection.trip,
        projection.quote.as_str(),
    )
    .fetch_optional(tx)
    .await
}
