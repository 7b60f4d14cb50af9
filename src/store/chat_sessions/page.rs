//! Lists sessions by any combination of filters.
//!
//! These are the only statements that are built at run time, from fixed parts with bound values. One checked statement (`$1
//! IS NULL OR …` nine times) would use no index, and a list over a million sessions would read them all.

use crate::postgres::transaction::Transaction;
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Encode, Postgres, QueryBuilder, Row, Type};
use uuid::Uuid;

use super::pg_timestamp::PgTimestamp;
use crate::domain::chat_session::page::{Page, PageRequest, SessionCursor, SessionFilter};
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::store::readable_row::ReadableRow;

/// The columns of a session; those of variable length are in `readable`. The joins apply to the rows of the page only, after the
/// LIMIT. A date of another type than `timestamptz` may be beyond its range.
const SELECT: &str = r"
    SELECT session.id, session.conversation_id, session.request_id, session.iso_agent_id, session.status::text AS status,
        session.primary_quote_id,
        coalesce(state.pinned, false) AS primary_quote_pinned, session.proposal_id, session.session_started_at,
        session.session_ended_at, session.last_activity_at,
        coalesce(session.message_count, 0) AS message_count,
        coalesce(session.quotes_received_count, 0) AS quotes_received_count,
        coalesce(session.quotes_expected_count, 0) AS quotes_expected_count,
        coalesce(session.operators_contacted_count, 0) AS operators_contacted_count,
        session.created_at, session.updated_at, left(conversation.subject, 10000) AS conversation_subject,
        left(request.departure_airport, 10000) AS departure_airport, left(request.arrival_airport, 10000) AS arrival_airport,
        least(request.departure_date, '294276-01-01')::timestamptz AS departure_date,
        left(quote.operator_name, 10000) AS operator_name,
        avinode_ingest.readable_price(quote.total_price::numeric) AS total_price,
        CASE WHEN jsonb_typeof(quote.metadata -> 'currency') = 'string' THEN left(quote.metadata ->> 'currency', 10000) END
            AS currency,
        left(quote.aircraft_type, 10000) AS aircraft_type, avinode_ingest.readable_row(session) AS readable
    FROM (";
const JOINS: &str = r") AS session
    LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
    LEFT JOIN public.conversations AS conversation ON conversation.id = session.conversation_id
    LEFT JOIN public.requests AS request ON request.id = session.request_id
    LEFT JOIN public.quotes AS quote ON quote.id = session.primary_quote_id";
const ORDER: &str = " ORDER BY session.last_activity_at DESC, session.id DESC";
/// An index orders the sessions of each status. A list over all statuses merges a short range of it per status; a plain query
/// would sort the whole table.
const EACH_STATUS: &str = "SELECT session.* FROM unnest(enum_range(NULL::public.chat_session_status)) AS each (status) \
     CROSS JOIN LATERAL (SELECT session.* FROM public.chat_sessions AS session WHERE session.status = each.status";
const ALL: &str = "SELECT session.* FROM public.chat_sessions AS session WHERE true";

/// Reads one session.
pub async fn get(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<ChatSession>, sqlx::Error> {
    let mut query = QueryBuilder::new(SELECT);
    query.push(ALL).push(" AND session.id = ").push_bind(id).push(JOINS);
    let row = query.build().persistent(false).fetch_optional(tx).await?;
    Ok(row.map(|row| read(&row)).transpose()?.map(|(session, _)| session))
}

/// Reads a page of the matching sessions, the newest activity first. `trip_ids`: all ids, in normal form, of the trip in the
/// filter.
pub async fn list(
    tx: &mut Transaction<'_>,
    filter: &SessionFilter,
    trip_ids: &[String],
    page: &PageRequest<SessionCursor>,
) -> Result<Page<ChatSession, SessionCursor>, sqlx::Error> {
    let mut query = statement(filter, trip_ids, page);
    let rows = query.build().persistent(false).fetch_all(tx).await?;
    let read = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let listed = Page::from_rows(read, page.limit, |(session, activity)| SessionCursor {
        last_activity: activity.0,
        id: session.id,
    });
    Ok(Page {
        data: listed.data.into_iter().map(|(session, _)| session).collect(),
        next: listed.next,
    })
}

/// Reads the sessions with these ids, the newest activity first.
pub async fn of_ids(tx: &mut Transaction<'_>, ids: &[Uuid], limit: u16) -> Result<Vec<ChatSession>, sqlx::Error> {
    let mut query = QueryBuilder::new(SELECT);
    query
        .push(ALL)
        .push(" AND session.id = ANY (")
        .push_bind(ids.to_vec())
        .push(")");
    query
        .push(ORDER)
        .push(" LIMIT ")
        .push_bind(i64::from(limit))
        .push(JOINS)
        .push(ORDER);
    sessions(query, tx).await
}

/// Reads the sessions of a status and a workflow step, the newest activity first. `step` is that of `board::steps`.
pub async fn of_step(
    tx: &mut Transaction<'_>,
    status: SessionStatus,
    step: &str,
    limit: u16,
) -> Result<Vec<ChatSession>, sqlx::Error> {
    let mut query = QueryBuilder::new(SELECT);
    push_step(&mut query, ALL, status, step, limit.into());
    query.push(JOINS).push(ORDER);
    sessions(query, tx).await
}

/// Counts the sessions of a status and a workflow step, up to a maximum. In the order of an index: the planner would otherwise read the
/// table from its beginning, on which there may be none.
pub async fn count_of_step(
    tx: &mut Transaction<'_>,
    status: SessionStatus,
    step: &str,
    max: i64,
) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM (");
    let ids = "SELECT session.id FROM public.chat_sessions AS session WHERE true";
    push_step(&mut query, ids, status, step, max);
    query.push(") AS counted");
    let row = query.build().persistent(false).fetch_one(tx).await?;
    row.try_get(0)
}

fn push_step(query: &mut QueryBuilder<Postgres>, select: &str, status: SessionStatus, step: &str, limit: i64) {
    query.push(select).push(" AND session.status = '").push(status.as_str());
    query
        .push("' AND coalesce(left(session.current_step, 100), '') = ")
        .push_bind(step.to_owned());
    query.push(ORDER).push(" LIMIT ").push_bind(limit);
}

async fn sessions(
    mut query: QueryBuilder<Postgres>,
    tx: &mut Transaction<'_>,
) -> Result<Vec<ChatSession>, sqlx::Error> {
    let rows = query.build().persistent(false).fetch_all(tx).await?;
    let read = rows.iter().map(read);
    read.map(|row| row.map(|(session, _)| session)).collect()
}

/// The statement of a list; tests run EXPLAIN on it.
pub fn statement(
    filter: &SessionFilter,
    trip_ids: &[String],
    page: &PageRequest<SessionCursor>,
) -> QueryBuilder<Postgres> {
    // Each of these leaves a few rows, by an index of its own.
    let is_selective = filter.conversation_id.is_some()
        || filter.request_id.is_some()
        || filter.trip_id.is_some()
        || filter.rfp_id.is_some()
        || filter.rfq_id.is_some();
    let each_status = filter.status.is_none() && !is_selective;
    let limit = i64::from(page.limit) + 1;
    let mut query = QueryBuilder::new(SELECT);
    query.push(if each_status { EACH_STATUS } else { ALL });
    push_filter(&mut query, filter, trip_ids);
    if let Some(after) = &page.after {
        query.push(" AND (session.last_activity_at, session.id) < (");
        query
            .push_bind(PgTimestamp(after.last_activity))
            .push(", ")
            .push_bind(after.id)
            .push(")");
    }
    query.push(ORDER).push(" LIMIT ").push_bind(limit);
    if each_status {
        query.push(") AS session").push(ORDER).push(" LIMIT ").push_bind(limit);
    }
    query.push(JOINS).push(ORDER);
    query
}

/// By trip and by RFQ, sessions are found as the workers find them: also by the trip id of their request, and by an RFQ id that the
/// application stored as that of an RFP.
fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &SessionFilter, trip_ids: &[String]) {
    let SessionFilter {
        conversation_id,
        request_id,
        iso_agent_id,
        trip_id,
        rfp_id,
        rfq_id,
        status,
        has_primary_quote,
        current_step,
    } = filter;
    push_equal(query, "conversation_id", conversation_id.as_ref());
    push_equal(query, "request_id", request_id.as_ref());
    push_equal(query, "iso_agent_id", iso_agent_id.as_ref());
    push_equal(query, "avinode_rfp_id", rfp_id.as_ref());
    push_equal(query, "current_step", current_step.as_ref());
    if let Some(rfq_id) = rfq_id {
        query.push(" AND session.id = ANY (ARRAY(SELECT session_id FROM avinode_ingest.sessions_of_rfqs(");
        query
            .push("ARRAY[avinode_ingest.normal_rfq_id(")
            .push_bind(rfq_id.clone())
            .push(")])))");
    }
    if trip_id.is_some() {
        query.push(" AND session.id = ANY (ARRAY(SELECT session_id FROM avinode_ingest.sessions_of_trips(");
        query.push_bind(trip_ids.to_vec()).push(")))");
    }
    if let Some(status) = status {
        // One of four fixed words, as a literal, so that the planner knows it.
        query.push(" AND session.status = '").push(status.as_str()).push("'");
    }
    match has_primary_quote {
        Some(true) => query.push(" AND session.primary_quote_id IS NOT NULL"),
        Some(false) => query.push(" AND session.primary_quote_id IS NULL"),
        None => query,
    };
}

fn push_equal<T>(query: &mut QueryBuilder<Postgres>, column: &'static str, value: Option<&T>)
where
    T: Clone + Type<Postgres> + for<'q> Encode<'q, Postgres>,
{
    if let Some(value) = value {
        query
            .push(" AND session.")
            .push(column)
            .push(" = ")
            .push_bind(value.clone());
    }
}

fn read(row: &PgRow) -> Result<(ChatSession, PgTimestamp), sqlx::Error> {
    let time = |column| row.try_get(column).map(PgTimestamp::time);
    let last_activity: PgTimestamp = row.try_get("last_activity_at")?;
    let Json(ReadableRow { mut columns, omitted }) = row.try_get("readable")?;
    for column in &omitted {
        columns.remove(column);
    }
    let mut text = |column| match columns.remove(column) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let [avinode_trip_id, avinode_rfp_id, avinode_rfq_id, current_step] =
        ["avinode_trip_id", "avinode_rfp_id", "avinode_rfq_id", "current_step"].map(&mut text);
    let mut document = |column| columns.remove(column).filter(|value| !value.is_null());
    let [workflow_state, metadata] = ["workflow_state", "metadata"].map(&mut document);
    let mut session = ChatSession {
        id: row.try_get("id")?,
        conversation_id: row.try_get("conversation_id")?,
        request_id: row.try_get("request_id")?,
        iso_agent_id: row.try_get("iso_agent_id")?,
        status: row.try_get("status")?,
        avinode_trip_id,
        avinode_rfp_id,
        avinode_rfq_id,
        primary_quote_id: row.try_get("primary_quote_id")?,
        primary_quote_pinned: row.try_get("primary_quote_pinned")?,
        proposal_id: row.try_get("proposal_id")?,
        session_started_at: time("session_started_at")?,
        session_ended_at: time("session_ended_at")?,
        last_activity_at: last_activity.time(),
        current_step,
        workflow_state,
        message_count: row.try_get("message_count")?,
        quotes_received_count: row.try_get("quotes_received_count")?,
        quotes_expected_count: row.try_get("quotes_expected_count")?,
        operators_contacted_count: row.try_get("operators_contacted_count")?,
        metadata,
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
        conversation_subject: row.try_get("conversation_subject")?,
        departure_airport: row.try_get("departure_airport")?,
        arrival_airport: row.try_get("arrival_airport")?,
        departure_date: time("departure_date")?,
        operator_name: row.try_get("operator_name")?,
        total_price: row.try_get("total_price")?,
        currency: row.try_get("currency")?,
        aircraft_type: row.try_get("aircraft_type")?,
        conversation_type: None,
        omitted_fields: omitted,
        other_columns: Map::new(),
    };
    add_other_columns(&mut session, columns);
    Ok((session, last_activity))
}

/// Adds the columns of the row that have no field of their own.
fn add_other_columns(session: &mut ChatSession, mut columns: Map<String, Value>) {
    session.conversation_type = columns
        .remove("conversation_type")
        .map(|value| value.as_str().map(str::to_owned));
    // A column with the name of a field would be there twice.
    if let Ok(Value::Object(fields)) = serde_json::to_value(&*session) {
        columns.retain(|column, _| !fields.contains_key(column));
    }
    session.other_columns = columns;
}
