//! The columns of a projected row that we may overwrite: the application writes to the same row.

use uuid::Uuid;

use super::QuoteProjection;
use crate::postgres::transaction::Transaction;

/// The columns of a row that still have the values that we wrote. A column that the application has changed is its own for
/// good, even if it has the value of a later fact.
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
    /// Those of a row that we inserted.
    pub(super) const ALL: Self = Self {
        operator_id: true,
        operator_name: true,
        base_price: true,
        total_price: true,
        aircraft_type: true,
        aircraft_tail_number: true,
        valid_until: true,
    };
    /// Those of a row of the application's.
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

/// Locks the row, without waiting for the application, and compares it with the values that we wrote. `None` if it was
/// deleted.
pub(super) async fn lock_and_compare(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
    row: Uuid,
) -> Result<Option<OwnedColumns>, sqlx::Error> {
    sqlx::query_as!(
        OwnedColumns,
        r#"
        SELECT coalesce(fact.projected_values ->> 'operator_id' = quote.operator_id, false) AS "operator_id!",
            coalesce(fact.projected_values ->> 'operator_name' = quote.operator_name, false) AS "operator_name!",
            coalesce((fact.projected_values ->> 'base_price')::numeric = quote.base_price, false) AS "base_price!",
            coalesce((fact.projected_values ->> 'total_price')::numeric = quote.total_price, false) AS "total_price!",
            coalesce(fact.projected_values ->> 'aircraft_type' = quote.aircraft_type, false) AS "aircraft_type!",
            coalesce(fact.projected_values ? 'aircraft_tail_number'
                AND fact.projected_values ->> 'aircraft_tail_number' IS NOT DISTINCT FROM quote.aircraft_tail_number, false)
                AS "aircraft_tail_number!",
            coalesce(fact.projected_values ? 'valid_until'
                AND (fact.projected_values ->> 'valid_until')::timestamptz IS NOT DISTINCT FROM quote.valid_until, false)
                AS "valid_until!"
        FROM public.quotes AS quote, avinode_ingest.quote_facts AS fact
        WHERE quote.id = $1 AND fact.trip_key = $2 AND fact.quote_id = $3
        FOR NO KEY UPDATE OF quote NOWAIT
        "#,
        row,
        projection.trip_key,
        projection.quote.as_str(),
    )
    .fetch_optional(tx)
    .await
}
