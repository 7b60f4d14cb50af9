//! Two trips, told by signed deliveries to the real service, which fetches from a stand-in for Avinode. Texts of one person are in every
//! place where the service stores texts.

use avinode_ingest::jobs::maintenance;
use avinode_ingest::service::ServiceSettings;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use crate::fetching::setup::{MESSAGE, punctual, quoted, rfq};
use crate::support::PATIENCE;
use crate::support::bodies::{at, decline, event, message, quote};
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;
use crate::support::pool::Pool;
use crate::support::service::RunningService;
use crate::support::sessions::SessionBuilder;
use crate::support::snapshot::snapshot;
use crate::support::worker::run_jobs;

/// The trip of most deliveries.
pub const TRIP: &str = "A1B2C3";
/// The trip that another person travels on.
pub const OTHER_TRIP: &str = "Z9Y8X7";
/// The person, as most texts spell the name.
pub const PERSON: &str = "Zoé Ferry";

pub struct Story {
    pub db: Db,
    pub session: Uuid,
    pub other_session: Uuid,
}

impl Story {
    pub async fn told() -> Self {
        let (db, avinode) = (Db::new().await, FakeAvinode::start().await);
        let session = SessionBuilder::of_trip(TRIP).subject("one").insert(&db.pool).await;
        let other_session = SessionBuilder::of_trip(OTHER_TRIP)
            .subject("other")
            .insert(&db.pool)
            .await;
        // The application polled a quote whose webhook comes later.
        db.run(&format!(
            "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, status, avinode_quote_id)
             SELECT request_id, 'auser-1', 'Polled by {PERSON}', 1, 1, 'received', 'aquote-polled'
             FROM public.chat_sessions WHERE id = '{session}'"
        ))
        .await;
        let mut document = quoted("asellermsg-1", "aquote-doc", Some("arfq-doc"), 10_000);
        document["sellerCompany"] = json!({"id": "company-1", "name": format!("{PERSON} Aviation")});
        document["message"] = json!(format!(
            "{} Yours, {PERSON}",
            "We look forward to your answer. ".repeat(5)
        ));
        avinode.show(MESSAGE, document);
        let mut document = rfq("arfq-doc", TRIP);
        document["sellerCompany"] = json!({"id": "company-1", "name": format!("{PERSON} Aviation")});
        avinode.show("rfqs/arfq-doc", document);

        let settings = ServiceSettings {
            avinode: Some(punctual(avinode.settings(100.0, 100))),
            ..ServiceSettings::default()
        };
        let service = RunningService::start(&db.pool, settings).await;
        for body in bodies(&avinode) {
            let (status, answer) = service.post(&body).await;
            assert_eq!(status, 200, "{answer}");
        }
        let left = "SELECT string_agg(concat_ws(' ', kind, key, history::text), '; ') FROM avinode_ingest.jobs
            WHERE lease_token IS NOT NULL OR due_at < clock_timestamp() + interval '5 seconds'";
        eventually(PATIENCE, "all is applied", async || {
            equal(crate::support::sql::text(&db.pool, left).await, None)
        })
        .await;
        service.stop().await;
        Self {
            db,
            session,
            other_session,
        }
    }

    /// Everything that a redaction leaves as it is.
    pub async fn kept(&self) -> Vec<(&'static str, Value)> {
        let changed = ["quote facts", "rfqs"];
        let mut kept = snapshot(&self.db.pool).await;
        kept.retain(|(part, _)| !changed.contains(part));
        for (part, query) in KEPT {
            let value: Option<Value> = sqlx::query_scalar(query).fetch_one(&self.db.pool).await.unwrap();
            kept.push((part, value.unwrap_or_default()));
        }
        kept
    }

    /// Runs all jobs, and the resync.
    pub async fn resync(&self) {
        run_jobs(&self.db.pool).await;
        maintenance::full_round(&self.db.pool, "a test").await.unwrap();
        run_jobs(&self.db.pool).await;
    }

    pub async fn deliveries(&self) -> Vec<Uuid> {
        let ids = sqlx::query_scalar("SELECT id FROM avinode_ingest.deliveries ORDER BY id");
        ids.fetch_all(&self.db.pool).await.unwrap()
    }
}

/// Parts of facts without their texts, and the application's tables with theirs.
const KEPT: [(&str, &str); 6] = [
    (
        "facts",
        "SELECT jsonb_agg(jsonb_build_array(trip_key, quote_id, received, rfq_id, amount, currency, fact_at, fact_seen_at, fact_source,
            fact_digest, first_fact_at, declined, declined_at, declined_digest, accepted, projected_id) ORDER BY trip_key, quote_id)
         FROM avinode_ingest.quote_facts",
    ),
    (
        "facts of rfqs",
        "SELECT jsonb_agg(to_jsonb(r) - 'decline_reason' - 'declines' ORDER BY trip_key, rfq_id) FROM avinode_ingest.rfqs r",
    ),
    (
        "deliveries",
        "SELECT jsonb_agg(jsonb_build_array(id, received_at, verified_by) ORDER BY id) FROM avinode_ingest.deliveries",
    ),
    (
        "documents",
        "SELECT jsonb_agg(jsonb_build_array(id, resource_id, digest, applied) ORDER BY id) FROM avinode_ingest.documents",
    ),
    (
        "entries",
        "SELECT jsonb_agg(jsonb_build_array(session_id, seq, kind, dedup_key) ORDER BY session_id, seq) FROM avinode_ingest.timeline",
    ),
    ("quotes", "SELECT jsonb_agg(to_jsonb(q) ORDER BY id) FROM public.quotes q"),
];

fn bodies(avinode: &FakeAvinode) -> Vec<Vec<u8>> {
    let mut first = quote("evt-1", TRIP, "arfq-1", "aquote-1", 10, "9000", "EUR");
    first["data"]["seller"]["name"] = json!(PERSON);
    first["data"]["seller"]["companyName"] = json!(format!("{} AVIATION", PERSON.to_uppercase()));
    // Of a quote's events the newest is kept; the values of the others are kept as well.
    let mut earlier = first.clone();
    earlier["eventId"] = json!("evt-0");
    earlier["timestamp"] = json!(at(5));
    earlier["data"]["seller"]["companyName"] = json!(format!("{PERSON} & Sons"));
    let mut polled = quote("evt-2", TRIP, "arfq-2", "aquote-polled", 20, "9500", "EUR");
    polled["data"]["seller"]["companyName"] = json!(format!("{PERSON} Aviation"));
    let mut odd = quote("evt-3", TRIP, "arfq-3", "aquote-odd", 30, "1", "EUR");
    odd["data"]["quote"]["totalPrice"] = json!({"amount": format!("ask {PERSON}"), "currency": "EUR"});
    let mut declined = decline("evt-4", TRIP, "arfq-4", 40);
    declined["data"]["declineReason"] = json!(format!("{PERSON} is ill"));
    let mut chat = message("evt-5", TRIP, "asellermsg-5", 50);
    chat["data"]["sender"]["name"] = json!(PERSON);
    chat["data"]["message"]["content"] = json!("Call zoé ferry today.");
    // As a sender writes it whose JSON is ASCII.
    let chat = serde_json::to_string(&chat).unwrap().replace('é', "\\u00e9");
    let unknown = event(
        &format!("Something new of {PERSON}"),
        "evt-6",
        60,
        json!({"trip": {"id": TRIP}}),
    );
    let unnamed = quote("evt-7", TRIP, "arfq-7", "aquote-7", 70, "8000", "EUR");
    let other = quote("evt-8", OTHER_TRIP, "arfq-8", "aquote-8", 80, "7000", "EUR");
    let mut ending = message("evt-9", OTHER_TRIP, "asellermsg-9", 90);
    ending["data"]["message"]["content"] = json!("Greetings of Ann Other.");
    let thin = avinode.thin(MESSAGE, Some(TRIP));
    let bodies = [
        earlier, first, polled, odd, declined, unknown, unnamed, other, ending, thin,
    ];
    let mut bodies: Vec<Vec<u8>> = bodies.iter().map(|body| serde_json::to_vec(body).unwrap()).collect();
    bodies.push(chat.into_bytes());
    bodies.push(format!("[\"{PERSON}\"]").into_bytes());
    bodies
}

/// The columns of the schema of the service that hold a text, in any case, escaped or not: as `table.column`. Reads every column of
/// every table, also of those that are added later.
pub async fn places_of(pool: &Pool, schema: &str, text: &str) -> Vec<String> {
    let columns = "
        SELECT relname::text, attname::text, typname = 'bytea'
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_type ON pg_type.oid = atttypid
        WHERE nspname = $1 AND relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0 AND NOT attisdropped
            AND (typcategory IN ('S', 'A', 'U') OR typname IN ('json', 'jsonb', 'bytea')) AND typname <> 'uuid'
        ORDER BY relname, attnum";
    let columns: Vec<(String, String, bool)> = sqlx::query_as(columns).bind(schema).fetch_all(pool).await.unwrap();
    assert!(columns.len() > 20, "{columns:?}");
    let wanted = text.to_lowercase();
    let escaped = wanted.replace('é', "\\u00e9");
    let mut places = Vec::new();
    for (table, column, is_bytes) in columns {
        let value = if is_bytes {
            column.clone()
        } else {
            format!("convert_to({column}::text, 'UTF8')")
        };
        let statement = format!("SELECT {value} FROM {schema}.{table} WHERE {column} IS NOT NULL");
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(pool).await.unwrap();
        let has_text = rows.iter().any(|row| {
            let value = String::from_utf8_lossy(&row.get::<Vec<u8>, _>(0)).to_lowercase();
            value.contains(&wanted) || value.contains(&escaped)
        });
        if has_text {
            places.push(format!("{table}.{column}"));
        }
    }
    places
}
