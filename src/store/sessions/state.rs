//! The table `session_state`: the last decision about a session. The pin, in the same table, is written by the triggers and
//! the API.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;

/// The state of a locked session after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
    pub session: Uuid,
    /// The quote selected last.
    pub selected_quote: Option<String>,
    /// The policy by which it was selected among all quotes; `None` if the last decision selected nothing.
    pub selected_by: Option<PrimaryQuotePolicy>,
    /// In whole minutes, so that a decision without a change writes nothing.
    pub selected_at: Option<DateTime<Utc>>,
    /// The trip id by which it was matched last.
    pub matched_trip: Option<String>,
    /// The RFQs by which it was matched last, separated by blanks.
    pub matched_rfq: Option<String>,
    /// The last number in its timeline.
    pub timeline_seq: i64,
}

/// Writes the state of sessions, except for the pin.
pub async fn write(tx: &mut Transaction<'_>, states: &[SessionState]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.session_state
            (session_id, selected_quote, matched_trip, matched_rfq, timeline_seq, selected_by, selected_at)
        SELECT id, selected, matched, rfq, seq, selected_by, selected_at
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[])
            AS new (id, selected, matched, rfq, seq, selected_by, selected_at)
        ORDER BY id
        ON CONFLICT (session_id) DO UPDATE
        SET selected_quote = EXCLUDED.selected_quote, matched_trip = EXCLUDED.matched_trip,
            matched_rfq = EXCLUDED.matched_rfq, timeline_seq = EXCLUDED.timeline_seq,
            selected_by = EXCLUDED.selected_by, selected_at = EXCLUDED.selected_at
        "#,
        &column(states, |state| state.session),
        &column(states, |state| state.selected_quote.as_deref()) as &[Option<&str>],
        &column(states, |state| state.matched_trip.as_deref()) as &[Option<&str>],
        &column(states, |state| state.matched_rfq.as_deref()) as &[Option<&str>],
        &column(states, |state| state.timeline_seq),
        &column(states, |state| state.selected_by.map(PrimaryQuotePolicy::as_str)) as &[Option<&str>],
        &column(states, |state| state.selected_at) as &[Option<DateTime<Utc>>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
