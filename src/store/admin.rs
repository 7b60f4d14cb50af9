//! Reads deliveries and sessions for the admin commands.

pub mod delivery_list;
pub mod documents;
pub mod job_ids;
pub mod subject_filter;
pub mod trace;
pub mod trips;

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::postgres::transaction::Pool;

/// A delivery with its body and all of its jobs.
#[derive(Debug, Clone)]
pub struct DeliveryDetail {
    pub received_at: DateTime<Utc>,
    /// Scheme and position of the secret.
    pub verified_by: String,
    /// The stored headers, one `name: value` per line.
    pub headers: String,
    /// Exactly as received, unless it was redacted.
    pub body: Vec<u8>,
    pub redaction: Option<DeliveryRedaction>,
    /// `None` until a job has read it.
    pub subject: Option<SubjectView>,
    pub jobs: Vec<DeliveryJobView>,
}

/// The event and the ids that a delivery names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = DeliverySubject)]
pub struct SubjectView {
    /// The kind of its events.
    pub kind: String,
    pub event_id: Option<String>,
    pub trip: Option<String>,
    pub rfqs: Vec<String>,
    pub quotes: Vec<String>,
    /// The sessions that had the trip when it was applied.
    pub sessions: Vec<Uuid>,
}

/// A job of a delivery.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = DeliveryJob)]
pub struct DeliveryJobView {
    pub job: i64,
    pub kind: String,
    /// The outcome, or `queued`.
    pub outcome: String,
    pub detail: Option<String>,
}

/// The proof of a body that was redacted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryRedaction {
    pub redacted_at: DateTime<Utc>,
    /// SHA-256 of the body as received, in hex.
    pub received_sha256: String,
    /// Length of the body as received.
    pub received_bytes: i32,
}

impl fmt::Display for DeliveryRedaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.redacted_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (bytes, digest) = (self.received_bytes, &self.received_sha256);
        write!(f, "{at}; received were {bytes} bytes with SHA-256 {digest}")
    }
}

pub async fn delivery(pool: &Pool, id: Uuid) -> Result<Option<DeliveryDetail>, sqlx::Error> {
    let delivery = sqlx::query!(
        "SELECT received_at, verified_by, headers, body FROM avinode_ingest.deliveries WHERE id = $1",
        id
    );
    let jobs = sqlx::query_as!(
        DeliveryJobView,
        r#"
        SELECT id AS "job!", kind AS "kind!", outcome AS "outcome!", detail
        FROM (
            SELECT id, kind, 'queued' AS outcome, history[cardinality(history)] AS detail
            FROM avinode_ingest.jobs WHERE delivery_id = $1
            UNION ALL
            SELECT job_id, kind, outcome, detail FROM avinode_ingest.outcomes WHERE delivery_id = $1
        ) AS job
        ORDER BY id
        "#,
        id
    );
    let redaction = sqlx::query_as!(
        DeliveryRedaction,
        r#"
        SELECT redacted_at, encode(body_sha256, 'hex') AS "received_sha256!", body_bytes AS received_bytes
        FROM avinode_ingest.redactions
        WHERE delivery_id = $1
        "#,
        id
    );
    let subject = sqlx::query_as!(
        SubjectView,
        r#"
        SELECT kind, event_id, trip_key AS trip, coalesce(rfqs, '{}') AS "rfqs!",
            coalesce(quotes, '{}') AS "quotes!", coalesce(sessions, '{}') AS "sessions!"
        FROM avinode_ingest.delivery_subjects
        WHERE delivery_id = $1
        ORDER BY id DESC
        LIMIT 1
        "#,
        id
    );
    let jobs = pool.fetch_all(jobs).await?;
    let subject = pool.fetch_all(subject).await?.pop();
    let redaction = pool.fetch_all(redaction).await?.pop();
    Ok(pool.fetch_all(delivery).await?.pop().map(|row| DeliveryDetail {
        received_at: row.received_at,
        verified_by: row.verified_by,
        headers: row.headers,
        body: row.body,
        redaction,
        subject,
        jobs,
    }))
}

/// A session as the demo and the manifest compare it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionView {
    pub id: Uuid,
    /// As written.
    pub avinode_trip_id: Option<String>,
    pub status: String,
    pub current_step: Option<String>,
    pub quotes_received_count: i32,
    pub quotes_expected_count: i32,
    pub operators_contacted_count: i32,
    /// Avinode's id of the primary quote.
    pub primary_quote: Option<String>,
    pub primary_operator: Option<String>,
    pub primary_price: Option<Decimal>,
    pub primary_currency: Option<String>,
    /// `workflow_state.avinode_trip.status`.
    pub avinode_trip_status: Option<String>,
}

/// Reads sessions by id, in the order of the ids.
pub async fn sessions(pool: &Pool, ids: &[Uuid]) -> Result<Vec<SessionView>, sqlx::Error> {
    let query = sqlx::query_as!(
        SessionView,
        r#"
        SELECT session.id, left(session.avinode_trip_id, 1000) AS avinode_trip_id, session.status::text AS "status!",
            left(session.current_step, 1000) AS current_step,
            coalesce(session.quotes_received_count, 0) AS "quotes_received_count!",
            coalesce(session.quotes_expected_count, 0) AS "quotes_expected_count!",
            coalesce(session.operators_contacted_count, 0) AS "operators_contacted_count!",
            avinode_ingest.row_quote_id(quote.avinode_quote_id, quote.metadata) AS "primary_quote?",
            left(quote.operator_name, 1000) AS "primary_operator?",
            avinode_ingest.readable_price(quote.total_price) AS "primary_price?",
            CASE WHEN jsonb_typeof(quote.metadata -> 'currency') = 'string' THEN left(quote.metadata ->> 'currency', 1000) END
                AS "primary_currency?",
            CASE WHEN jsonb_typeof(session.workflow_state #> '{avinode_trip,status}') = 'string'
                THEN left(session.workflow_state #>> '{avinode_trip,status}', 1000) END AS avinode_trip_status
        FROM unnest($1::uuid[]) WITH ORDINALITY AS requested (id, position)
        JOIN public.chat_sessions AS session ON session.id = requested.id
        LEFT JOIN public.quotes AS quote ON quote.id = session.primary_quote_id
        ORDER BY requested.position
        "#,
        ids
    );
    pool.fetch_all(query).await
}
