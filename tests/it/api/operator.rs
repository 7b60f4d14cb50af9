//! The operator API: the same rows as the database has, over HTTP and through the commands that use it.

mod actions;
mod batches;
mod command_line;
mod errors;
mod export;
mod lists;
mod resuming;
mod summary;
mod tail;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Api;
use crate::support::bodies::{base, decline, event, message, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::{store_bytes, store_deliveries};
use crate::support::sessions::SessionBuilder;
use crate::support::worker::run_jobs;

const TRIP: &str = "A1B2C3";
const RFQ: &str = "arfq-77";
/// Bytes that are not UTF-8.
const BINARY: [u8; 4] = [0xff, 0xfe, 0x00, 0x7b];

/// A database with deliveries of all kinds of outcomes, and the service on it, which runs no job.
struct Seeded {
    api: Api,
    session: Uuid,
    /// In the order of receiving: a quote, a decline, a message, the same quote, an unknown event, bytes, and a notification that waits.
    deliveries: Vec<String>,
}

impl Seeded {
    async fn start() -> Self {
        let db = Db::new().await;
        let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
        let deliveries = seed(&db).await;
        let api = Api::with_workers(db, 0).await;
        Self {
            api,
            session,
            deliveries,
        }
    }

    /// The variables with which commands use the database.
    fn database(&self) -> [(&'static str, String); 1] {
        [("DATABASE_URL", self.api.db.url())]
    }

    /// The variables with which commands use the API.
    fn url(&self, token: &str) -> [(&'static str, String); 2] {
        [
            ("INGEST_URL", self.api.service.base.clone()),
            ("INGEST_API_TOKEN", token.to_owned()),
        ]
    }
}

/// Stores deliveries, runs their jobs, and stores three versions of a document. Returns the ids of the deliveries.
async fn seed(db: &Db) -> Vec<String> {
    let first = quote("evt-1", TRIP, "arfq-1", "aquote-1", 10, "9000", "EUR");
    let unknown = json!({"trip": {"id": TRIP}, "quote": {"id": "aquote-386512799"}});
    let bodies = [
        first.clone(),
        decline("evt-2", TRIP, "arfq-2", 20),
        message("evt-3", "Z9Y8X7", "asellermsg-3", 30),
        first,
        event("TripSomethingNew", "evt-9", 40, unknown),
    ];
    let mut ids = Vec::new();
    for body in bodies {
        ids.extend(store_deliveries(&db.pool, &[body], base()).await);
        run_jobs(&db.pool).await;
    }
    ids.extend(store_bytes(&db.pool, &[BINARY.to_vec()], base()).await);
    run_jobs(&db.pool).await;
    let href = format!("https://sandbox.avinode.com/api/rfqs/{RFQ}");
    let thin = json!({"id": RFQ, "href": href, "type": "Rfqs", "tripId": TRIP});
    ids.extend(store_deliveries(&db.pool, &[thin], base()).await);
    sqlx::query(
        "INSERT INTO avinode_ingest.documents (resource_id, kind, requested_at, fetch_began_at, stored_at, digest, body)
         SELECT $1, 'rfqs', time, time, time, sha256(body), body
         FROM (VALUES (convert_to('{\"data\":1}', 'UTF8'), 1), ('\\xfffe'::bytea, 2), ('\\x7b'::bytea, 3)) AS version (body, number),
             LATERAL (SELECT timestamptz '2026-01-31 10:00Z' + number * interval '1 minute' AS time) AS at",
    )
    .bind(RFQ)
    .execute(&db.pool)
    .await
    .unwrap();
    ids.iter().map(Uuid::to_string).collect()
}

/// The ids of the items of a page.
fn ids(page: &Value) -> Vec<String> {
    let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
    data.iter().map(|item| item["id"].to_string()).collect()
}
