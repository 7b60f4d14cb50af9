//! The deliveries about a trip, an RFQ, a quote, a session or an event: all are found by an index.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::trips;
use crate::postgres::transaction::Pool;

/// The ids that a delivery must all be about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubjectFilter {
    /// In normal form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trip: Option<String>,
    /// In normal form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rfq: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Uuid>,
    /// `eventId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// A filter with the trips that its ids belong to. `None` for an id that is not asked for.
#[derive(Debug, Clone, Default)]
pub struct SubjectScope {
    pub filter: SubjectFilter,
    /// All ids of the trip.
    pub(super) trip: Option<Vec<String>>,
    rfq: Option<Vec<String>>,
    quote: Option<Vec<String>>,
    session: Option<Vec<String>>,
    event: Option<Vec<String>>,
}

/// The range of delivery ids, which hold the time received.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryRange {
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only deliveries received before this one.
    pub before: Option<Uuid>,
    /// Only deliveries received after this one.
    pub after: Option<Uuid>,
}

impl DeliveryRange {
    /// Adds the conditions for a column of delivery ids.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>, column: &str) {
        let Self {
            since,
            until,
            before,
            after,
        } = *self;
        if let Some(since) = since {
            let query = query
                .push(" AND ")
                .push(column)
                .push(" >= avinode_ingest.uuid_of_time(");
            query.push_bind(since).push(")");
        }
        if let Some(until) = until {
            let query = query.push(" AND ").push(column).push(" < avinode_ingest.uuid_of_time(");
            query.push_bind(until).push(")");
        }
        if let Some(before) = before {
            query.push(" AND ").push(column).push(" < ").push_bind(before);
        }
        if let Some(after) = after {
            query.push(" AND ").push(column).push(" > ").push_bind(after);
        }
    }
}

impl SubjectFilter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl SubjectScope {
    /// Looks the trips of a filter up, in the facts.
    pub async fn read(pool: &Pool, filter: &SubjectFilter) -> Result<Self, sqlx::Error> {
        let mut scope = Self {
            filter: filter.clone(),
            ..Self::default()
        };
        let mut tx = pool.begin().await?;
        if let Some(trip) = &filter.trip {
            scope.trip = Some(trips::with_aliases(&mut tx, std::slice::from_ref(trip)).await?);
        }
        if let Some(rfq) = &filter.rfq {
            scope.rfq = Some(trips::of_rfq(&mut tx, rfq).await?);
        }
        if let Some(quote) = &filter.quote {
            scope.quote = Some(trips::of_quote(&mut tx, quote).await?);
        }
        if let Some(session) = filter.session {
            scope.session = Some(trips::of_session(&mut tx, session).await?);
        }
        if let Some(event) = &filter.event {
            scope.event = Some(trips::of_event(&mut tx, event).await?);
        }
        tx.commit().await?;
        Ok(scope)
    }

    /// The trips by which the rows are found: those of the id that leaves the fewest rows.
    fn trips(&self) -> Option<&Vec<String>> {
        let ids = [&self.event, &self.quote, &self.rfq, &self.trip, &self.session];
        ids.into_iter().find_map(Option::as_ref)
    }

    /// The trips of a filter by trip or by session, all of which belong to it.
    pub(super) fn own_trips(&self) -> Option<&Vec<String>> {
        self.trip.as_ref().or(self.session.as_ref())
    }

    /// Adds a subquery of delivery ids, which may repeat, as `id`; `kind`: another condition.
    pub(super) fn push_deliveries(
        &self,
        query: &mut QueryBuilder<Postgres>,
        range: &DeliveryRange,
        kind: Option<&str>,
    ) {
        let filter = &self.filter;
        query.push("SELECT subject.delivery_id AS id FROM avinode_ingest.delivery_subjects AS subject WHERE subject.trip_key = ANY (");
        query.push_bind(self.trips().cloned().unwrap_or_default()).push(")");
        self.push_ids(query, kind);
        range.push(query, "subject.delivery_id");
        if filter.quote.is_some() || filter.rfq.is_some() || filter.event.is_some() {
            // Deliveries that no fact knows. The words of the condition are those of the indexes.
            query.push(
                " UNION ALL SELECT subject.delivery_id FROM avinode_ingest.delivery_subjects AS subject WHERE subject.kind = 'other'",
            );
            self.push_ids(query, kind);
            range.push(query, "subject.delivery_id");
        }
        if let Some(session) = filter.session
            && *filter
                == (SubjectFilter {
                    session: Some(session),
                    ..SubjectFilter::default()
                })
            && kind.is_none()
        {
            // Also of trips that the session does not have any more.
            query.push(" UNION ALL SELECT delivery_id FROM avinode_ingest.timeline WHERE session_id = ");
            query.push_bind(session).push(" AND delivery_id IS NOT NULL");
            range.push(query, "delivery_id");
        }
        if let (Some(trip), None) = (&self.trip, kind)
            && *filter
                == (SubjectFilter {
                    trip: filter.trip.clone(),
                    ..SubjectFilter::default()
                })
        {
            // Waiting ones, which nothing has read yet.
            query.push(" UNION ALL SELECT delivery_id FROM avinode_ingest.jobs WHERE batch_key = ANY (");
            query
                .push_bind(trip.clone())
                .push(") AND lease_token IS NULL AND delivery_id IS NOT NULL");
            range.push(query, "delivery_id");
        }
    }

    fn push_ids(&self, query: &mut QueryBuilder<Postgres>, kind: Option<&str>) {
        let SubjectFilter {
            trip: _, // by all of its ids
            rfq,
            quote,
            session,
            event,
        } = &self.filter;
        if let Some(trip) = &self.trip {
            query
                .push(" AND subject.trip_key = ANY (")
                .push_bind(trip.clone())
                .push(")");
        }
        if let Some(rfq) = rfq {
            query
                .push(" AND subject.rfqs @> ARRAY[")
                .push_bind(rfq.clone())
                .push("]");
        }
        if let Some(quote) = quote {
            query
                .push(" AND subject.quotes @> ARRAY[")
                .push_bind(quote.clone())
                .push("]");
        }
        if let Some(event) = event {
            query.push(" AND subject.event_id = ").push_bind(event.clone());
        }
        if let (Some(session), Some(trips)) = (session, &self.session) {
            query.push(" AND (subject.sessions @> ARRAY[").push_bind(*session);
            query
                .push("] OR subject.trip_key = ANY (")
                .push_bind(trips.clone())
                .push("))");
        }
        if let Some(kind) = kind {
            query.push(" AND subject.kind = ").push_bind(kind.to_owned());
        }
    }
}
