//! Our tables about sessions: `session_state` (the pin, the last decision) and `ledger`.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::ids::QuoteId;
use crate::postgres::transaction::Transaction;

#[derive(Default)]
pub(super) struct SessionRecord {
    pub(super) pinned: bool,
    pub(super) selected_quote: Option<String>,
    pub(super) matched_trip: Option<String>,
    pub(super) matched_rfq: Option<String>,
    pub(super) timeline_seq: i64,
    pub(super) ledger: BTreeSet<QuoteId>,
}

/// Loads the records of locked sessions. It is a separate statement after the locks, so it sees the writes of the
/// transaction that held them before. It also shortens `lock_timeout` for other locks (a row of `quotes` that the
/// application writes): all waits of a transaction that holds sessions must stay far below `deadlock_timeout` in total.
pub(super) async fn load(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<BTreeMap<Uuid, SessionRecord>, sqlx::Error> {
    let mut records = BTreeMap::new();
    if ids.is_empty() {
        return Ok(records);
    }
    let rows = sqlx::query!(
        r#"
        WITH short_timeout AS MATERIALIZED (
            SELECT set_config('lock_timeout', '50ms', true)
        )
        SELECT session.id AS "id!", coalesce(state.pinned, false) AS "pinned!", state.selected_quote, state.matched_trip,
            state.matched_rfq, coalesce(state.timeline_seq, 0) AS "timeline_seq!",
            ARRAY(SELECT quote_id FROM avinode_ingest.ledger WHERE session_id = session.id) AS "ledger!"
        FROM short_timeout, unnest($1::uuid[]) AS session (id)
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        "#,
        ids
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        records.insert(
            row.id,
            SessionRecord {
                pinned: row.pinned,
                selected_quote: row.selected_quote,
                matched_trip: row.matched_trip,
                matched_rfq: row.matched_rfq,
                timeline_seq: row.timeline_seq,
                ledger: row.ledger.iter().filter_map(|id| QuoteId::parse(id).ok()).collect(),
            },
        );
    }
    Ok(records)
}

/// The state of a locked session after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
    pub session: Uuid,
    /// The quote selected last.
    pub selected_quote: Option<String>,
    /// The trip id by which it was matched.
    pub matched_trip: Option<String>,
    /// The RFQ by which it was matched.
    pub matched_rfq: Option<String>,
    /// The last number in its timeline.
    pub timeline_seq: i64,
}

/// Writes the state of sessions, except for the pin.
pub async fn write(tx: &mut Transaction<'_>, states: &[SessionState]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = states.iter().map(|state| state.session).collect();
    let selected: Vec<Option<String>> = states.iter().map(|state| state.selected_quote.clone()).collect();
    let matched: Vec<Option<String>> = states.iter().map(|state| state.matched_trip.clone()).collect();
    let rfq: Vec<Option<String>> = states.iter().map(|state| state.matched_rfq.clone()).collect();
    let seq: Vec<i64> = states.iter().map(|state| state.timeline_seq).collect();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.session_state (session_id, selected_quote, matched_trip, matched_rfq, timeline_seq)
        SELECT id, selected, matched, rfq, seq
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS new (id, selected, matched, rfq, seq)
        ORDER BY id
        ON CONFLICT (session_id) DO UPDATE
        SET selected_quote = EXCLUDED.selected_quote, matched_trip = EXCLUDED.matched_trip,
            matched_rfq = EXCLUDED.matched_rfq, timeline_seq = EXCLUDED.timeline_seq
        "#,
        &ids,
        &selected as &[Option<String>],
        &matched as &[Option<String>],
        &rfq as &[Option<String>],
        &seq,
    )
    .execute(tx)
    .await?;
    Ok(())
}
