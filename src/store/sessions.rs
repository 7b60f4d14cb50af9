//! Sessions: found by trip after the trip is locked, locked by id, written where the rules changed something.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::domain::decide::Change;
use crate::domain::id::QuoteId;
use crate::domain::session::Session;
use crate::postgres::transaction::Transaction;

/// A session that this transaction has locked.
#[derive(Debug, Clone)]
pub struct LockedSession {
    /// What the rules read.
    pub session: Session,
    /// The key of its trip among those locked; `None` when it has no trip.
    pub trip: Option<String>,
    /// Its trip id in normal form.
    pub trip_id: Option<String>,
    /// The request it belongs to.
    pub request_id: Option<Uuid>,
    /// When it was made: the oldest session of a trip gives its request to the projection.
    pub created_at: DateTime<Utc>,
    /// The primary quote as it stands in the column.
    pub primary_quote_id: Option<Uuid>,
    /// The quote elected last.
    pub elected: Option<String>,
    /// The trip id it was last matched by.
    pub matched_trip: Option<String>,
    /// The RFQ that it holds, in normal form.
    pub rfq: Option<String>,
    /// The RFQ it was last matched by.
    pub matched_rfq: Option<String>,
    /// Other trips that are its own as well, because of the RFQ that it or a session of its trip holds.
    pub borrowed: Vec<String>,
    /// The last number of its timeline.
    pub seq: i64,
}

impl LockedSession {
    /// The keys of all trips that are its own: the one by its trip id first.
    pub fn trips(&self) -> impl Iterator<Item = &String> {
        self.trip.iter().chain(&self.borrowed)
    }
}

/// Locks all sessions of the locked trips `keys`, those that hold an RFQ known of the trips `asked` or one of `rfqs`, and the
/// sessions in `also`, by id.
///
/// This statement must begin after the trips are locked: only then does it see every session whose match could
/// otherwise miss a fact of ours.
///
/// Only the first session is waited for. Whoever holds one and waits for the next, and the next, may be waiting still
/// when the application, which wants the first, has waited for `deadlock_timeout` and is made the victim.
pub async fn lock(
    tx: &mut Transaction<'_>,
    keys: &[String],
    asked: &[String],
    rfqs: &[String],
    also: &[Uuid],
) -> Result<Vec<LockedSession>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH matching AS MATERIALIZED (
            SELECT session.id
            FROM avinode_ingest.trips AS trip
            JOIN public.chat_sessions AS session ON avinode_ingest.normal_trip_id(session.avinode_trip_id) = trip.key
            WHERE trip.key = ANY ($1) OR trip.merged_into = ANY ($1)
            UNION
            SELECT session.id
            FROM public.chat_sessions AS session
            WHERE avinode_ingest.normal_rfq_id(session.avinode_rfq_id) = ANY ($3)
            UNION
            SELECT session.id
            FROM avinode_ingest.requests AS request
            JOIN public.chat_sessions AS session
                ON avinode_ingest.normal_rfq_id(session.avinode_rfq_id) = avinode_ingest.normal_rfq_id(request.request_id)
            WHERE request.trip_key = ANY ($4)
            UNION
            SELECT unnest($2::uuid[])
        ), first AS MATERIALIZED (
            SELECT id
            FROM public.chat_sessions
            WHERE id = (SELECT id FROM matching ORDER BY id LIMIT 1)
            FOR NO KEY UPDATE
        )
        SELECT session.id, session.status::text AS "status!", session.current_step,
            -- What the application keeps there that is no moment (infinity) is not to be raised.
            CASE WHEN isfinite(session.last_activity_at) THEN session.last_activity_at END AS last_activity_at,
            coalesce(session.quotes_expected_count, 0) AS "quotes_expected_count!",
            coalesce(session.operators_contacted_count, 0) AS "operators_contacted_count!",
            session.workflow_state #>> '{avinode_trip,status}' AS trip_status,
            session.workflow_state #>> '{avinode_trip,at}' AS trip_status_at,
            session.request_id, session.primary_quote_id,
            CASE WHEN isfinite(session.created_at) THEN session.created_at END AS created_at,
            coalesce(jsonb_typeof(session.workflow_state), 'object') = 'object' AS "takes_trip_status!",
            avinode_ingest.normal_trip_id(session.avinode_trip_id) AS trip_id,
            avinode_ingest.normal_rfq_id(session.avinode_rfq_id) AS rfq,
            (
                SELECT coalesce(trip.merged_into, trip.key)
                FROM avinode_ingest.trips AS trip
                WHERE trip.key = avinode_ingest.normal_trip_id(session.avinode_trip_id)
            ) AS trip
        FROM public.chat_sessions AS session
        WHERE (SELECT count(*) FROM first) >= 0 -- that is: once the first one is locked
            AND session.id = ANY (ARRAY(SELECT id FROM matching))
        ORDER BY session.id
        FOR NO KEY UPDATE OF session NOWAIT
        "#,
        keys,
        also,
        rfqs,
        asked,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut beside = records(tx, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let record = beside.remove(&row.id).unwrap_or_default();
            let trip_status_at = row.trip_status_at.as_deref();
            LockedSession {
                session: Session {
                    id: row.id,
                    is_over: matches!(row.status.as_str(), "completed" | "archived"),
                    current_step: row.current_step,
                    quotes_expected_count: row.quotes_expected_count,
                    operators_contacted_count: row.operators_contacted_count,
                    last_activity_at: row.last_activity_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                    takes_trip_status: row.takes_trip_status,
                    trip_status: row.trip_status,
                    trip_status_at: trip_status_at
                        .and_then(|at| DateTime::parse_from_rfc3339(at).ok())
                        .map(|at| at.to_utc()),
                    pinned: record.pinned,
                    ledger: record.ledger,
                },
                trip: row.trip,
                trip_id: row.trip_id,
                request_id: row.request_id,
                created_at: row.created_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                primary_quote_id: row.primary_quote_id,
                elected: record.elected,
                matched_trip: record.matched_trip,
                rfq: row.rfq,
                matched_rfq: record.matched_rfq,
                borrowed: Vec::new(),
                seq: record.seq,
            }
        })
        .collect())
}

#[derive(Default)]
struct Record {
    pinned: bool,
    elected: Option<String>,
    matched_trip: Option<String>,
    matched_rfq: Option<String>,
    seq: i64,
    ledger: BTreeSet<QuoteId>,
}

/// What we remember beside locked sessions. A statement of its own, after the locks: it sees what the last holder of
/// a session wrote. From here on little patience is left for other locks (a row of `quotes` that the application
/// writes): what is waited for while sessions are held must stay far below `deadlock_timeout` in all.
async fn records(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Record>, sqlx::Error> {
    let mut records = BTreeMap::new();
    if ids.is_empty() {
        return Ok(records);
    }
    let rows = sqlx::query!(
        r#"
        WITH patience AS MATERIALIZED (
            SELECT set_config('lock_timeout', '50ms', true)
        )
        SELECT asked.id AS "id!", coalesce(state.pinned, false) AS "pinned!", state.elected_quote, state.matched_trip,
            state.matched_rfq,
            coalesce(state.seq, 0) AS "seq!",
            ARRAY(SELECT quote_id FROM avinode_ingest.ledger WHERE session_id = asked.id) AS "ledger!"
        FROM patience, unnest($1::uuid[]) AS asked (id)
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = asked.id
        "#,
        ids
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        records.insert(
            row.id,
            Record {
                pinned: row.pinned,
                elected: row.elected_quote,
                matched_trip: row.matched_trip,
                matched_rfq: row.matched_rfq,
                seq: row.seq,
                ledger: row.ledger.iter().filter_map(|id| QuoteId::parse(id).ok()).collect(),
            },
        );
    }
    Ok(records)
}

/// What is written to a locked session.
#[derive(Debug, Clone)]
pub struct Write {
    /// `chat_sessions.id`.
    pub session: Uuid,
    /// What the rules decided.
    pub change: Change,
    /// The new primary quote, when the column changes.
    pub primary_quote_id: Option<Option<Uuid>>,
}

impl Write {
    fn is_visible(&self) -> bool {
        let change = &self.change;
        !change.count.is_empty()
            || change.step.is_some()
            || change.requests.is_some()
            || change.last_activity_at.is_some()
            || change.trip_status.is_some()
            || self.primary_quote_id.is_some()
    }
}

/// Writes the rows of `chat_sessions` that change, and enters the counted quotes into the ledger.
pub async fn write(tx: &mut Transaction<'_>, writes: &[Write]) -> Result<u64, sqlx::Error> {
    let (sessions, quotes): (Vec<Uuid>, Vec<String>) = writes
        .iter()
        .flat_map(|write| {
            write
                .change
                .count
                .iter()
                .map(|quote| (write.session, quote.as_str().to_owned()))
        })
        .unzip();
    let visible: Vec<&Write> = writes.iter().filter(|write| write.is_visible()).collect();
    if visible.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = visible.iter().map(|write| write.session).collect();
    let counted: Vec<i32> = visible
        .iter()
        .map(|write| i32::try_from(write.change.count.len()).unwrap_or(i32::MAX))
        .collect();
    let requests: Vec<i32> = visible.iter().map(|write| write.change.requests.unwrap_or(0)).collect();
    let activity: Vec<Option<DateTime<Utc>>> = visible.iter().map(|write| write.change.last_activity_at).collect();
    let step: Vec<Option<String>> = visible
        .iter()
        .map(|write| write.change.step.map(|step| step.as_str().to_owned()))
        .collect();
    let sets_primary: Vec<bool> = visible.iter().map(|write| write.primary_quote_id.is_some()).collect();
    let primary: Vec<Option<Uuid>> = visible.iter().map(|write| write.primary_quote_id.flatten()).collect();
    let status = |write: &&Write| write.change.trip_status.clone();
    let trip_status: Vec<Option<String>> = visible
        .iter()
        .map(|write| status(write).map(|known| known.status.as_str().to_owned()))
        .collect();
    let trip_at: Vec<Option<String>> = visible
        .iter()
        .map(|write| {
            status(write)
                .and_then(|known| known.version.at)
                .map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true))
        })
        .collect();
    let written = sqlx::query!(
        r#"
        WITH entered AS (
            INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted)
            SELECT session_id, quote_id, true
            FROM unnest($10::uuid[], $11::text[]) AS new (session_id, quote_id)
            ORDER BY session_id, quote_id
        )
        UPDATE public.chat_sessions AS session
        SET quotes_received_count = coalesce(session.quotes_received_count, 0) + new.counted,
            quotes_expected_count = greatest(coalesce(session.quotes_expected_count, 0), new.requests),
            operators_contacted_count = greatest(coalesce(session.operators_contacted_count, 0), new.requests),
            last_activity_at = greatest(session.last_activity_at, new.activity),
            current_step = coalesce(new.step, session.current_step),
            primary_quote_id = CASE WHEN new.sets_primary THEN new.primary_quote ELSE session.primary_quote_id END,
            workflow_state = CASE
                -- What the application keeps there that is no object is left alone.
                WHEN new.trip_status IS NULL OR jsonb_typeof(session.workflow_state) <> 'object'
                    THEN session.workflow_state
                ELSE coalesce(session.workflow_state, '{}') || jsonb_build_object(
                    'avinode_trip', jsonb_build_object('status', new.trip_status, 'at', new.trip_at))
            END,
            updated_at = clock_timestamp()
        FROM unnest($1::uuid[], $2::int[], $3::int[], $4::timestamptz[], $5::text[], $6::boolean[], $7::uuid[],
            $8::text[], $9::text[])
            AS new (id, counted, requests, activity, step, sets_primary, primary_quote, trip_status, trip_at)
        WHERE session.id = new.id
        "#,
        &ids,
        &counted,
        &requests,
        &activity as &[Option<DateTime<Utc>>],
        &step as &[Option<String>],
        &sets_primary,
        &primary as &[Option<Uuid>],
        &trip_status as &[Option<String>],
        &trip_at as &[Option<String>],
        &sessions,
        &quotes,
    )
    .execute(tx)
    .await?;
    Ok(written.rows_affected())
}

/// What we remember of a locked session after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `chat_sessions.id`.
    pub session: Uuid,
    /// The quote elected last.
    pub elected: Option<String>,
    /// The trip id it was matched by.
    pub matched_trip: Option<String>,
    /// The RFQ it was matched by.
    pub matched_rfq: Option<String>,
    /// The last number of its timeline.
    pub seq: i64,
}

/// Remembers the last decisions; a pin is never touched here.
pub async fn write_states(tx: &mut Transaction<'_>, states: &[State]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = states.iter().map(|state| state.session).collect();
    let elected: Vec<Option<String>> = states.iter().map(|state| state.elected.clone()).collect();
    let matched: Vec<Option<String>> = states.iter().map(|state| state.matched_trip.clone()).collect();
    let rfq: Vec<Option<String>> = states.iter().map(|state| state.matched_rfq.clone()).collect();
    let seq: Vec<i64> = states.iter().map(|state| state.seq).collect();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.session_state (session_id, elected_quote, matched_trip, matched_rfq, seq)
        SELECT id, elected, matched, rfq, seq
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS new (id, elected, matched, rfq, seq)
        ORDER BY id
        ON CONFLICT (session_id) DO UPDATE
        SET elected_quote = EXCLUDED.elected_quote, matched_trip = EXCLUDED.matched_trip,
            matched_rfq = EXCLUDED.matched_rfq, seq = EXCLUDED.seq
        "#,
        &ids,
        &elected as &[Option<String>],
        &matched as &[Option<String>],
        &rfq as &[Option<String>],
        &seq,
    )
    .execute(tx)
    .await?;
    Ok(())
}
