//! What we remember beside sessions, in tables of our own: the pin, the last decision, the ledger.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::ids::QuoteId;
use crate::postgres::transaction::Transaction;

/// What we remember beside a session.
#[derive(Default)]
pub(super) struct SessionRecord {
    pub(super) pinned: bool,
    pub(super) elected: Option<String>,
    pub(super) matched_trip: Option<String>,
    pub(super) matched_rfq: Option<String>,
    pub(super) seq: i64,
    pub(super) ledger: BTreeSet<QuoteId>,
}

/// What we remember beside locked sessions. A statement of its own, after the locks: it sees what the last holder of
/// a session wrote. From here on little patience is left for other locks (a row of `quotes` that the application
/// writes): what is waited for while sessions are held must stay far below `deadlock_timeout` in all.
pub(super) async fn load(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<BTreeMap<Uuid, SessionRecord>, sqlx::Error> {
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
            SessionRecord {
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

/// What we remember of a locked session after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
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
pub async fn write(tx: &mut Transaction<'_>, states: &[SessionState]) -> Result<(), sqlx::Error> {
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
