//! The material that a redaction is about.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::redaction::Redaction;
use crate::domain::redaction::person_text::PersonText;
use crate::domain::redaction::trip_material::TripMaterial;
use crate::postgres::transaction::Pool;
use crate::store::admin::trips;

/// The texts to redact, and where they are.
#[derive(Debug, Clone)]
pub struct RedactionScope {
    pub redaction: Redaction,
    /// `None`: all stored material.
    pub trips: Option<TripScope>,
}

/// Everything that belongs to some trips.
#[derive(Debug, Clone, Default)]
pub struct TripScope {
    pub material: TripMaterial,
    pub trip_keys: Vec<String>,
    pub quotes: Vec<String>,
    /// Sessions with entries about the trips.
    pub sessions: Vec<Uuid>,
    /// The session to redact as a whole.
    pub session: Option<Uuid>,
    /// The deliveries that name the trips.
    pub deliveries: BTreeSet<Uuid>,
}

impl RedactionScope {
    pub fn of_person(text: PersonText) -> Self {
        Self {
            redaction: Redaction::Containing(text),
            trips: None,
        }
    }

    pub fn of_trips(trips: TripScope) -> Self {
        Self {
            redaction: Redaction::All,
            trips: Some(trips),
        }
    }

    /// True if a job, dead or finished, is in the scope.
    pub fn has_job(&self, row: &Map<String, Value>) -> bool {
        let Some(trips) = &self.trips else { return true };
        let text = |column: &str| row.get(column).and_then(Value::as_str);
        let delivery = text("delivery_id").and_then(|id| id.parse().ok());
        delivery.is_some_and(|id: Uuid| trips.deliveries.contains(&id))
            || text("batch_key").is_some_and(|trip| trips.material.has(trip))
            // The key of an expiry is a trip, a quote and a time; that of a rematch is a session.
            || text("key").is_some_and(|key| key.split('\t').any(|part| trips.has(part)))
    }

    /// True if an entry of a timeline is in the scope: it names something of the trips, or nothing.
    pub fn has_entry(&self, row: &Map<String, Value>) -> bool {
        let Some(trips) = &self.trips else { return true };
        let text = |column: &str| row.get(column).and_then(Value::as_str);
        if trips
            .session
            .is_some_and(|session| text("session_id") == Some(&session.to_string()))
        {
            return true;
        }
        let detail = row.get("detail").and_then(Value::as_object);
        let named: Vec<&str> = ["quote", "rfq", "message", "trip"]
            .iter()
            .filter_map(|key| detail?.get(*key)?.as_str())
            .collect();
        named.is_empty() || named.iter().any(|id| trips.material.has(id))
    }
}

impl TripScope {
    fn has(&self, id: &str) -> bool {
        self.material.has(id) || self.session.is_some_and(|session| session.to_string() == id)
    }

    /// Everything that is known of these trips, given in normal form, and of their other ids.
    pub async fn read(pool: &Pool, ids: &[String]) -> Result<Self, sqlx::Error> {
        let query = sqlx::query!(
            r#"
            WITH trip AS MATERIALIZED (
                SELECT key
                FROM avinode_ingest.trips
                WHERE coalesce(merged_into, key) IN (
                    SELECT coalesce(merged_into, key) FROM avinode_ingest.trips WHERE key = ANY ($1)
                )
                UNION
                SELECT unnest($1::text[])
            ), quote AS MATERIALIZED (
                SELECT quote_id, rfq_id FROM avinode_ingest.quote_facts WHERE trip_key IN (SELECT key FROM trip)
            ), rfq AS MATERIALIZED (
                SELECT rfq_id FROM avinode_ingest.rfqs WHERE trip_key IN (SELECT key FROM trip)
                UNION
                SELECT rfq_id FROM quote WHERE rfq_id IS NOT NULL
            ), message AS MATERIALIZED (
                SELECT message_id FROM avinode_ingest.messages WHERE trip_key IN (SELECT key FROM trip)
            )
            SELECT ARRAY(SELECT key FROM trip) AS "trips!", ARRAY(SELECT quote_id FROM quote) AS "quotes!",
                ARRAY(SELECT rfq_id FROM rfq UNION ALL SELECT message_id FROM message) AS "others!",
                ARRAY(
                    SELECT session_id FROM avinode_ingest.sessions_of_trips(ARRAY(SELECT key FROM trip))
                    UNION
                    SELECT session_id
                    FROM avinode_ingest.sessions_of_rfqs(ARRAY(SELECT avinode_ingest.normal_rfq_id(rfq_id) FROM rfq))
                    UNION
                    SELECT session_id FROM avinode_ingest.session_state WHERE matched_trip IN (SELECT key FROM trip)
                ) AS "sessions!"
            "#,
            ids
        );
        let found = pool.fetch_one(query).await?;
        let resources = found.quotes.iter().cloned().chain(found.others);
        Ok(Self {
            material: TripMaterial::new(found.trips.iter().cloned().collect(), resources),
            trip_keys: found.trips,
            quotes: found.quotes,
            sessions: found.sessions,
            ..Self::default()
        })
    }

    /// The trips that a session names, and the session itself; `None` if there is no such session.
    pub async fn of_session(pool: &Pool, session: Uuid) -> Result<Option<Self>, sqlx::Error> {
        let mut tx = pool.begin().await?;
        let named = trips::named_by_session(&mut tx, session).await?;
        tx.commit().await?;
        let Some(named) = named else {
            return Ok(None);
        };
        let mut scope = Self::read(pool, &named).await?;
        scope.session = Some(session);
        if !scope.sessions.contains(&session) {
            scope.sessions.push(session);
        }
        Ok(Some(scope))
    }
}
