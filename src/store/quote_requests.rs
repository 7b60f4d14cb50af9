//! The requests under which rows of `public.quotes` are shown. The interface of the application lists quotes by request, so the
//! rows of a trip belong to one request, and move when another session of the trip is the active one.
//!
//! A row that the application inserted, or moved, stays where it is.

use sqlx::error::DatabaseError;
use uuid::Uuid;

use crate::postgres::columns::column;
use crate::postgres::sqlstate::is_contention;
use crate::postgres::transaction::Transaction;

/// The request to which the rows of a trip belong.
#[derive(Debug, Clone)]
pub struct TripRequest {
    pub trip_key: String,
    pub request_id: Uuid,
}

/// Moves the rows of locked trips to these requests. `false` if the application's table refuses that.
///
/// # Errors
/// Errors that end the transaction. A refusal is logged, and is no error.
pub async fn move_rows(tx: &mut Transaction<'_>, targets: &[TripRequest]) -> Result<bool, sqlx::Error> {
    let found = sqlx::query!(
        r#"
        SELECT fact.projected_id AS "row!", target.request_id AS "request!"
        FROM unnest($1::text[], $2::uuid[]) AS target (trip_key, request_id)
        JOIN avinode_ingest.quote_facts AS fact ON fact.trip_key = target.trip_key
        WHERE fact.projected_id IS NOT NULL AND fact.own_request_id <> target.request_id
        ORDER BY fact.projected_id
        "#,
        &column(targets, |target| target.trip_key.as_str()) as &[&str],
        &column(targets, |target| target.request_id),
    )
    .fetch_all(&mut *tx)
    .await?;
    if found.is_empty() {
        return Ok(true);
    }
    let (rows, requests): (Vec<Uuid>, Vec<Uuid>) = found.into_iter().map(|row| (row.row, row.request)).unzip();
    let mut savepoint = tx.savepoint().await?;
    match move_in_savepoint(&mut savepoint, &rows, &requests).await {
        Ok(()) => {
            savepoint.commit().await?;
            Ok(true)
        }
        Err(sqlx::Error::Database(refusal)) if !refusal.code().as_deref().is_some_and(is_contention) => {
            let reason = DatabaseError::message(&*refusal).to_owned();
            savepoint.rollback().await?;
            let count = rows.len();
            tracing::warn!(
                rows = count,
                "public.quotes refused to move {count} rows to the request of an active session: {reason}"
            );
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Locks the rows without waiting for the application, then moves those that are still where the service put them.
async fn move_in_savepoint(tx: &mut Transaction<'_>, rows: &[Uuid], requests: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT id FROM public.quotes WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE NOWAIT",
        rows
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query!(
        r#"
        WITH target AS MATERIALIZED (
            SELECT row_id, request_id FROM unnest($1::uuid[], $2::uuid[]) AS target (row_id, request_id)
        ), moved AS (
            UPDATE public.quotes AS quote
            SET request_id = target.request_id
            FROM target, avinode_ingest.quote_facts AS fact
            WHERE quote.id = target.row_id AND fact.projected_id = quote.id
                AND fact.own_request_id = quote.request_id
            RETURNING quote.id, quote.request_id
        )
        UPDATE avinode_ingest.quote_facts AS fact
        SET projected_request_id = moved.request_id, own_request_id = moved.request_id
        FROM moved
        WHERE fact.projected_id = moved.id
        "#,
        rows,
        requests,
    )
    .execute(tx)
    .await?;
    Ok(())
}
