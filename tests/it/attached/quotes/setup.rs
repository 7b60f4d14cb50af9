//! The sessions of the attached database, and the writers of its quotes.
use avinode_ingest::jobs::maintenance;
use serde_json::Value;
use uuid::Uuid;

use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::worker::run_jobs;

const TRIP: &str = "64956151";
const REQUEST: &str = "02000000-0000-4000-8000-000000000004";

/// The application's session with this number.
pub fn application_session(number: u128) -> Uuid {
    Uuid::from_u128(0x0600_0000_0000_4000_8000_0000_0000_0000 + number)
}

/// Avinode's statement of a price for the trip of the sixth session; the seconds are its number.
pub fn statement(quote_id: &str, seconds: i64, price: i64) -> Value {
    let event = format!("evt-{quote_id}-{seconds}");
    quote(&event, TRIP, "arfq-1", quote_id, seconds, &price.to_string(), "USD")
}

/// The application's poll: the upsert of a row of the session's request.
pub fn poll(quote_id: &str, price: i64) -> String {
    format!(
        "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, status,
            avinode_quote_id, metadata)
         VALUES ('{REQUEST}', 'seller-1', 'A. Seller', {price}, {price}, 'Example 300', 'received', '{quote_id}',
            '{{\"polled\": true}}')
         ON CONFLICT (avinode_quote_id) DO UPDATE
         SET base_price = EXCLUDED.base_price, total_price = EXCLUDED.total_price"
    )
}

/// The base and total prices of the rows of a quote.
pub async fn prices(db: &Db, quote_id: &str) -> String {
    let prices: Option<String> = sqlx::query_scalar(
        "SELECT string_agg(concat_ws(' ', base_price, total_price), ', ') FROM public.quotes WHERE avinode_quote_id = $1",
    )
    .bind(quote_id)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    prices.unwrap_or_default()
}

/// Runs the maintenance and the jobs that it queues.
pub async fn resync(db: &Db) {
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_jobs(&db.pool).await;
}

/// Receives a statement of a price.
pub async fn webhook(db: &Db, quote_id: &str, seconds: i64, price: i64) {
    receive(&db.pool, &[statement(quote_id, seconds, price)]).await;
}
