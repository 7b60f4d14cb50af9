//! Writes decisions to locked sessions: the rows of `chat_sessions`, the ledger, `session_state` and the timeline, in one statement.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::decide::SessionUpdate;
use crate::domain::ids::QuoteId;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::domain::workflow::WorkflowStep;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::sessions::state::SessionState;
use crate::store::timeline::TimelineRow;

#[derive(Debug, Clone)]
pub struct SessionWrite {
    pub session: Uuid,
    pub update: SessionUpdate,
    /// The new value of the column, if it changes.
    pub primary_quote_id: Option<Option<Uuid>>,
}

impl SessionWrite {
    /// True if the row of `chat_sessions` changes.
    pub fn changes_row(&self) -> bool {
        let SessionUpdate {
            counted_quotes,
            step,
            primary: _, // the column changes only where `primary_quote_id` says so
            rfqs_sent,
            last_activity_at,
            trip_status,
        } = &self.update;
        !counted_quotes.is_empty()
            || step.is_some()
            || rfqs_sent.is_some()
            || last_activity_at.is_some()
            || trip_status.is_some()
            || self.primary_quote_id.is_some()
    }
}

/// Writes the rows of `chat_sessions` that change, inserts the counted quotes into the ledger, and writes states (except for the
/// pin) and timeline entries. An event is left out if the session's timeline has its dedup key already. Returns the number of rows
/// of `chat_sessions`.
pub async fn write(
    tx: &mut Transaction<'_>,
    writes: &[SessionWrite],
    states: &[SessionState],
    timeline: &[TimelineRow],
) -> Result<u64, sqlx::Error> {
    let counted: Vec<(Uuid, &QuoteId)> = writes
        .iter()
        .flat_map(|write| write.update.counted_quotes.iter().map(|quote| (write.session, quote)))
        .collect();
    let changed: Vec<&SessionWrite> = writes.iter().filter(|write| write.changes_row()).collect();
    if changed.is_empty() && states.is_empty() && timeline.is_empty() {
        return Ok(0);
    }
    let statuses = column(&changed, |write| {
        write.update.trip_status.as_ref().and_then(Option::as_ref)
    });
    let micros = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let written = sqlx::query!(
        r#"
        WITH entered AS (
            INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted)
            SELECT session_id, quote_id, true
            FROM unnest($11::uuid[], $12::text[]) AS new (session_id, quote_id)
            ORDER BY session_id, quote_id
        ), decided AS (
            INSERT INTO avinode_ingest.session_state
                (session_id, selected_quote, matched_trip, matched_rfq, timeline_seq, selected_by, selected_at, withheld_trip)
            SELECT id, selected, matched, rfq, seq, selected_by, selected_at, withheld
            FROM unnest($13::uuid[], $14::text[], $15::text[], $16::text[], $17::bigint[], $18::text[], $19::timestamptz[],
                $27::text[]) AS new (id, selected, matched, rfq, seq, selected_by, selected_at, withheld)
            ORDER BY id
            ON CONFLICT (session_id) DO UPDATE
            SET selected_quote = EXCLUDED.selected_quote, matched_trip = EXCLUDED.matched_trip,
                matched_rfq = EXCLUDED.matched_rfq, timeline_seq = EXCLUDED.timeline_seq,
                selected_by = EXCLUDED.selected_by, selected_at = EXCLUDED.selected_at,
                withheld_trip = EXCLUDED.withheld_trip
        ), appended AS (
            INSERT INTO avinode_ingest.timeline (session_id, seq, happened_at, kind, dedup_key, delivery_id, detail, actor)
            SELECT session_id, seq, happened_at, kind, dedup_key, delivery_id, detail, actor
            FROM unnest($20::uuid[], $21::bigint[], $22::timestamptz[], $23::text[], $24::text[], $25::uuid[], $26::jsonb[],
                $28::text[]) AS new (session_id, seq, happened_at, kind, dedup_key, delivery_id, detail, actor)
            ORDER BY session_id, seq
            ON CONFLICT (session_id, dedup_key) DO NOTHING
        )
        UPDATE public.chat_sessions AS session
        -- A count at its maximum stays there.
        SET quotes_received_count = least(coalesce(session.quotes_received_count, 0)::bigint + new.counted, 2147483647)::integer,
            quotes_expected_count = greatest(coalesce(session.quotes_expected_count, 0), new.rfqs_sent),
            operators_contacted_count = greatest(coalesce(session.operators_contacted_count, 0), new.rfqs_sent),
            last_activity_at = greatest(session.last_activity_at, new.activity),
            current_step = coalesce(new.step, session.current_step),
            primary_quote_id = CASE WHEN new.sets_primary THEN new.primary_quote ELSE session.primary_quote_id END,
            workflow_state = CASE
                -- A value of the application's that is not an object, or huge, is left alone.
                WHEN NOT new.sets_trip OR jsonb_typeof(session.workflow_state) <> 'object'
                    THEN session.workflow_state
                WHEN new.trip_status IS NULL THEN session.workflow_state - 'avinode_trip'
                ELSE coalesce(session.workflow_state, '{}') || jsonb_build_object(
                    'avinode_trip', jsonb_build_object('status', new.trip_status, 'at', new.trip_at))
            END,
            updated_at = clock_timestamp()
        FROM unnest($1::uuid[], $2::int[], $3::int[], $4::timestamptz[], $5::text[], $6::boolean[], $7::uuid[],
            $8::text[], $9::text[], $10::boolean[])
            AS new (id, counted, rfqs_sent, activity, step, sets_primary, primary_quote, trip_status, trip_at, sets_trip)
        WHERE session.id = new.id
        "#,
        &column(&changed, |write| write.session),
        &column(&changed, |write| i32::try_from(write.update.counted_quotes.len())
            .unwrap_or(i32::MAX)),
        &column(&changed, |write| write.update.rfqs_sent.unwrap_or(0)),
        &column(&changed, |write| write.update.last_activity_at) as &[Option<DateTime<Utc>>],
        &column(&changed, |write| write.update.step.map(WorkflowStep::as_str)) as &[Option<&str>],
        &column(&changed, |write| write.primary_quote_id.is_some()),
        &column(&changed, |write| write.primary_quote_id.flatten()) as &[Option<Uuid>],
        &column(&statuses, |&known| Some(known?.status.as_str())) as &[Option<&str>],
        &column(&statuses, |&known| known?.at.map(micros)) as &[Option<String>],
        &column(&changed, |write| write.update.trip_status.is_some()),
        &column(&counted, |(session, _)| *session),
        &column(&counted, |(_, quote)| quote.as_str()) as &[&str],
        &column(states, |state| state.session),
        &column(states, |state| state.selected_quote.as_deref()) as &[Option<&str>],
        &column(states, |state| state.matched_trip.as_deref()) as &[Option<&str>],
        &column(states, |state| state.matched_rfq.as_deref()) as &[Option<&str>],
        &column(states, |state| state.timeline_seq),
        &column(states, |state| state.selected_by.map(PrimaryQuotePolicy::as_str)) as &[Option<&str>],
        &column(states, |state| state.selected_at) as &[Option<DateTime<Utc>>],
        &column(timeline, |row| row.session),
        &column(timeline, |row| row.seq),
        &column(timeline, |row| row.event.at) as &[Option<DateTime<Utc>>],
        &column(timeline, |row| row.event.kind.as_str()) as &[&str],
        &column(timeline, |row| row.event.dedup_key.as_str()) as &[&str],
        &column(timeline, |row| row.delivery_id) as &[Option<Uuid>],
        &column(timeline, |row| row.event.detail.clone()),
        &column(states, |state| state.withheld_trip.as_deref()) as &[Option<&str>],
        &column(timeline, |row| row.actor.as_ref().map(Actor::as_str)) as &[Option<&str>],
    )
    .execute(tx)
    .await?;
    Ok(written.rows_affected())
}
