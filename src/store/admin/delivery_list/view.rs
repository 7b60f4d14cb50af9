//! The rows of a page of deliveries, each with its subject and its outcome.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use utoipa::ToSchema;
use uuid::Uuid;

/// A delivery, its subject and its outcome.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = StoredDelivery)]
pub struct DeliveryView {
    /// The id that the response to the sender named.
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    /// Scheme and position of the secret.
    pub verified_by: String,
    /// The length of the body.
    pub bytes: i32,
    /// The kind of its events; `None` until a job has read it.
    pub kind: Option<String>,
    pub event_id: Option<String>,
    pub trip: Option<String>,
    pub rfqs: Vec<String>,
    pub quotes: Vec<String>,
    /// The sessions that had the trip when it was applied.
    pub sessions: Vec<Uuid>,
    /// `queued`, the outcome of its newest job (`applied` where that was a replay without new facts, and an earlier one was applied),
    /// or `unknown` where the outcome is past its retention.
    pub outcome: String,
    /// The change, the repeated delivery, or the reason of a dead job.
    pub detail: Option<String>,
}

/// The order of the outcomes of a delivery: the newest first, or, where that is of a replay without new facts, the newest `applied`.
pub(super) const DECISIVE_FIRST: &str = "(outcome.outcome = 'applied' AND (
            SELECT newest.outcome FROM avinode_ingest.outcomes AS newest WHERE newest.delivery_id = outcome.delivery_id
            ORDER BY newest.job_id DESC LIMIT 1
        ) IN ('nothing', 'ignored')) DESC, outcome.job_id DESC";

/// The page itself. Partitions are found one by one for each of its ids.
const VIEW: [&str; 3] = [
    "
    )
    SELECT delivery.id, delivery.received_at, delivery.verified_by, octet_length(delivery.body) AS bytes,
        subject.kind, subject.event_id, subject.trip_key, coalesce(subject.rfqs, '{}') AS rfqs,
        coalesce(subject.quotes, '{}') AS quotes, coalesce(subject.sessions, '{}') AS sessions,
        CASE WHEN queued.delivery_id IS NOT NULL THEN 'queued' ELSE coalesce(outcome.outcome, 'unknown') END AS outcome,
        outcome.detail
    FROM page
    JOIN avinode_ingest.deliveries AS delivery ON delivery.id = page.id
    -- The table jobs has no index by delivery: one scan serves the whole page.
    LEFT JOIN (
        SELECT DISTINCT delivery_id FROM avinode_ingest.jobs WHERE delivery_id = ANY (ARRAY(SELECT id FROM page))
    ) AS queued ON queued.delivery_id = delivery.id
    LEFT JOIN LATERAL (
        SELECT outcome.outcome, outcome.detail FROM avinode_ingest.outcomes AS outcome WHERE outcome.delivery_id = page.id
        ORDER BY ",
    DECISIVE_FIRST,
    "
        LIMIT 1
    ) AS outcome ON true
    LEFT JOIN LATERAL (
        SELECT kind, event_id, trip_key, rfqs, quotes, sessions FROM avinode_ingest.delivery_subjects
        WHERE delivery_id = page.id ORDER BY id DESC LIMIT 1
    ) AS subject ON true
    ORDER BY delivery.id DESC",
];

/// Completes a statement that began with the ids of the page, in a CTE `page` that is not closed.
pub(super) fn push_view(query: &mut QueryBuilder<Postgres>) {
    for part in VIEW {
        query.push(part);
    }
}

pub(super) fn view(row: &PgRow) -> Result<DeliveryView, sqlx::Error> {
    Ok(DeliveryView {
        id: row.try_get("id")?,
        received_at: row.try_get("received_at")?,
        verified_by: row.try_get("verified_by")?,
        bytes: row.try_get("bytes")?,
        kind: row.try_get("kind")?,
        event_id: row.try_get("event_id")?,
        trip: row.try_get("trip_key")?,
        rfqs: row.try_get("rfqs")?,
        quotes: row.try_get("quotes")?,
        sessions: row.try_get("sessions")?,
        outcome: row.try_get("outcome")?,
        detail: row.try_get("detail")?,
    })
}
