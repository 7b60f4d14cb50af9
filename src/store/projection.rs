//! Projects the facts into `public.quotes`: one row per Avinode quote, in which only values that Avinode stated or that we
//! wrote are ever overwritten.
//!
//! The table is the application's, so an unknown column or constraint may refuse a row. The batch is then applied again, with
//! savepoints; a refusal is recorded in `quote_facts`, and the session only lacks the visible row.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use self::payload::QuotePayload;
use self::quotes_table::QuotesTable;
use crate::domain::ids::QuoteId;
use crate::domain::quote::ReceivedQuote;
use crate::domain::stated_values::StatedValues;
use crate::postgres::columns::column;
use crate::postgres::sqlstate::{QUERY_CANCELED, is_contention};
use crate::postgres::transaction::Transaction;
use crate::store::facts::quotes::{ProjectedRow, QuoteKey};
use crate::store::write_mode::{WriteError, WriteMode};

mod new_rows;
mod ownership;
pub mod payload;
mod quotes_table;
mod update;
mod values;

/// Prices in `quotes` are numeric(12,2): from one cent to just below ten billion.
const PRICE_LIMIT: i64 = 10_000_000_000;

/// A quote to project.
#[derive(Debug, Clone)]
pub struct QuoteProjection<'a> {
    pub trip_key: &'a str,
    pub quote: &'a QuoteId,
    pub facts: &'a ReceivedQuote,
    /// Everything that Avinode stated about it.
    pub stated: &'a StatedValues,
    /// Avinode stated its price since the last projection: values that the application inserted are older.
    pub is_newly_stated: bool,
    /// The price, as `quotes` can hold it.
    pub price: Decimal,
    /// The row in which it is projected already.
    pub row: Option<Uuid>,
    /// The request of a new row.
    pub request_id: Option<Uuid>,
    /// The id of a new row.
    pub new_id: Uuid,
    /// `None` if it is unknown or shown already: the row keeps the one that it has.
    pub payload: Option<QuotePayload>,
}

/// A row that the application's table refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub trip_key: String,
    pub quote: QuoteId,
    /// The table's reason.
    pub reason: String,
}

impl Refusal {
    fn of(projection: &QuoteProjection<'_>, reason: String) -> Self {
        Self {
            trip_key: projection.trip_key.to_owned(),
            quote: projection.quote.clone(),
            reason,
        }
    }
}

/// The result of projecting quotes. `quote_facts` has to record it.
#[derive(Debug, Default)]
pub struct Projected {
    pub rows: ProjectedRows,
    pub refusals: Vec<Refusal>,
}

/// The rows of quotes.
pub type ProjectedRows = BTreeMap<QuoteKey, ProjectedRow>;

/// The price of a quote, if `quotes` can hold it: above zero and below ten billion, rounded half-even to two digits. Postgres
/// rounds half away from zero, so this price is written, and never the exact one.
/// The SQL function `avinode_ingest.is_projectable_price(numeric)` is the same rule; a test compares the two.
pub fn projectable_price(quote: &ReceivedQuote) -> Option<Decimal> {
    let price = quote.details.price.as_ref()?.amount;
    let price = price.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven);
    (price > Decimal::ZERO && price < Decimal::from(PRICE_LIMIT)).then_some(price)
}

/// Projects quotes. A quote without a row is left out of the result.
///
/// A quote that was never projected gets the application's row of it, or else a new row, if it has a request.
///
/// Rows are written in one statement, because a session that gets a trip with a thousand quotes is locked meanwhile. If the table
/// refuses that, each one has a statement and a savepoint of its own.
///
/// # Errors
/// Errors that end the transaction. A refusal by the table is one in [`WriteMode::Together`] only.
pub async fn project(
    tx: &mut Transaction<'_>,
    projections: Vec<QuoteProjection<'_>>,
    mode: WriteMode,
) -> Result<Projected, WriteError> {
    let (mut with_row, new): (Vec<_>, Vec<_>) = projections.into_iter().partition(|one| one.row.is_some());
    let mut projected = Projected::default();
    let (without_row, table) = adopt(tx, new, &mut with_row).await?;
    // A quote that is known under two trips gets one row.
    let mut seen = BTreeSet::new();
    let (first, repeated): (Vec<_>, Vec<_>) = without_row
        .into_iter()
        .partition(|one| one.request_id.is_some() && seen.insert(one.quote.clone()));
    let together = match (first.len(), mode) {
        (0, _) | (1, WriteMode::Separately) => None,
        _ => write(tx, &first, Write::Insert(&table), mode).await?.ok(),
    };
    match together {
        Some(inserted) => projected.rows.extend(inserted),
        None => {
            for one in first {
                insert_one(tx, one, &table, &mut with_row, &mut projected, mode).await?;
            }
        }
    }
    let (repeated, table) = adopt(tx, repeated, &mut with_row).await?;
    for one in repeated {
        if one.request_id.is_some() {
            insert_one(tx, one, &table, &mut with_row, &mut projected, mode).await?;
        }
    }
    if with_row.is_empty() {
        return Ok(projected);
    }
    match write(tx, &with_row, Write::Update, mode).await? {
        Ok(updated) => projected.rows.extend(updated),
        Err(_) => {
            for one in with_row {
                match write(tx, std::slice::from_ref(&one), Write::Update, mode).await? {
                    Ok(updated) => projected.rows.extend(updated),
                    Err(reason) => projected.refusals.push(Refusal::of(&one, reason)),
                }
            }
        }
    }
    Ok(projected)
}

/// Moves the quotes with a row of the application's to `with_row`, and returns the others.
async fn adopt<'a>(
    tx: &mut Transaction<'_>,
    new: Vec<QuoteProjection<'a>>,
    with_row: &mut Vec<QuoteProjection<'a>>,
) -> Result<(Vec<QuoteProjection<'a>>, QuotesTable), sqlx::Error> {
    if new.is_empty() {
        return Ok((new, QuotesTable::default()));
    }
    let table = new_rows::find(tx, &new).await?;
    let mut without_row = Vec::new();
    for one in new {
        match table.existing.get(one.quote.as_str()) {
            Some(row) => with_row.push(QuoteProjection { row: Some(*row), ..one }),
            None => without_row.push(one),
        }
    }
    Ok((without_row, table))
}

/// Inserts a row. If the table refuses it because the application inserted its own one meanwhile, that one is adopted.
async fn insert_one<'a>(
    tx: &mut Transaction<'_>,
    new: QuoteProjection<'a>,
    table: &QuotesTable,
    with_row: &mut Vec<QuoteProjection<'a>>,
    projected: &mut Projected,
    mode: WriteMode,
) -> Result<(), WriteError> {
    match write(tx, std::slice::from_ref(&new), Write::Insert(table), mode).await? {
        Ok(inserted) => projected.rows.extend(inserted),
        Err(reason) => {
            let (refused, _) = adopt(tx, vec![new], with_row).await?;
            let refused = refused.iter().map(|one| Refusal::of(one, reason.clone()));
            projected.refusals.extend(refused);
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Write<'a> {
    Insert(&'a QuotesTable),
    Update,
}

impl Write<'_> {
    async fn rows(self, tx: &mut Transaction<'_>, of: &[QuoteProjection<'_>]) -> Result<ProjectedRows, sqlx::Error> {
        match self {
            Self::Insert(table) => new_rows::insert(tx, of, table).await,
            Self::Update => update::project(tx, of).await,
        }
    }
}

/// Writes the rows of quotes. The inner error is the table's reason to refuse, in [`WriteMode::Separately`].
async fn write(
    tx: &mut Transaction<'_>,
    projections: &[QuoteProjection<'_>],
    write: Write<'_>,
    mode: WriteMode,
) -> Result<Result<ProjectedRows, String>, WriteError> {
    if mode == WriteMode::Together {
        return match write.rows(tx, projections).await {
            Ok(rows) => Ok(Ok(rows)),
            Err(error) if is_refusal(&error) => Err(WriteError::Refused(error)),
            Err(error) => Err(error.into()),
        };
    }
    let mut savepoint = tx.savepoint().await?;
    match write.rows(&mut savepoint, projections).await {
        Ok(rows) => {
            savepoint.commit().await?;
            Ok(Ok(rows))
        }
        Err(error) if is_refusal(&error) => {
            savepoint.rollback().await?;
            let reason = match &error {
                sqlx::Error::Database(refusal) => refusal.message().to_owned(),
                error => error.to_string(),
            };
            Ok(Err(reason.chars().take(300).collect()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Forgets rows that the application deleted together with their request, so that the quotes are projected under another
/// request, once there is one. Without values that we wrote, every column of the new row is ours.
pub async fn forget(tx: &mut Transaction<'_>, quotes: &[(String, QuoteId)]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.quote_facts AS fact
        SET projected_id = NULL, projected_request_id = NULL, own_request_id = NULL, projected_values = NULL,
            projection_error = NULL, projection_failed_at = NULL
        FROM unnest($1::text[], $2::text[]) AS gone (trip_key, quote_id)
        WHERE fact.trip_key = gone.trip_key AND fact.quote_id = gone.quote_id
        "#,
        &column(quotes, |(trip_key, _)| trip_key.as_str()) as &[&str],
        &column(quotes, |(_, quote)| quote.as_str()) as &[&str],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records a refusal in `quote_facts`, and logs a new reason.
pub async fn record_refusal(tx: &mut Transaction<'_>, refusal: &Refusal) -> Result<(), sqlx::Error> {
    let Refusal {
        trip_key: trip,
        quote,
        reason,
    } = refusal;
    let quote = quote.as_str();
    let known_reason = sqlx::query_scalar!(
        r#"
        UPDATE avinode_ingest.quote_facts AS fact
        SET projection_error = $3, projection_failed_at = clock_timestamp()
        FROM avinode_ingest.quote_facts AS before
        WHERE fact.trip_key = $1 AND fact.quote_id = $2
            AND before.trip_key = fact.trip_key AND before.quote_id = fact.quote_id
        RETURNING before.projection_error
        "#,
        trip,
        quote,
        reason,
    )
    .fetch_one(tx)
    .await?;
    if known_reason.as_ref() != Some(reason) {
        tracing::warn!(
            trip,
            quote,
            "public.quotes refused quote {quote} of trip {trip}: {reason}"
        );
    }
    Ok(())
}

/// A cancelled statement is no refusal by the table: its time limit is ours. A value that cannot be decoded is one, so that it does
/// not fail the other rows.
fn is_refusal(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => !error
            .code()
            .is_some_and(|code| is_contention(&code) || code == QUERY_CANCELED),
        error => matches!(error, sqlx::Error::ColumnDecode { .. }),
    }
}
