//! Loads the ledgers of locked sessions.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{LockedSession, row_keys};
use crate::domain::ids::QuoteId;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;

/// Loads the ledgers of sessions: the entries of these quotes for a session in `named`, all entries for any other.
pub async fn load(
    tx: &mut Transaction<'_>,
    sessions: &mut [LockedSession],
    named: &BTreeMap<Uuid, BTreeSet<QuoteId>>,
) -> Result<(), sqlx::Error> {
    let all = |session: &&LockedSession| !named.contains_key(&session.snapshot.id);
    let complete: Vec<Uuid> = sessions.iter().filter(all).map(|session| session.snapshot.id).collect();
    let with_row_keys = sessions.iter().filter(|session| session.has_row_keys);
    let with_row_keys: Vec<Uuid> = with_row_keys.map(|session| session.snapshot.id).collect();
    if !with_row_keys.is_empty() {
        row_keys::rename(tx, &with_row_keys).await?;
    }
    let entries: Vec<(Uuid, &QuoteId)> = named
        .iter()
        .flat_map(|(session, quotes)| quotes.iter().map(|quote| (*session, quote)))
        .collect();
    if complete.is_empty() && entries.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        r#"
        SELECT session_id AS "session_id!", quote_id AS "quote_id!"
        FROM avinode_ingest.ledger
        WHERE session_id = ANY ($1)
        UNION ALL
        SELECT known.session_id, known.quote_id
        FROM unnest($2::uuid[], $3::text[]) AS named (session_id, quote_id)
        CROSS JOIN LATERAL (
            SELECT session_id, quote_id
            FROM avinode_ingest.ledger
            WHERE session_id = named.session_id AND quote_id = named.quote_id
            OFFSET 0 -- not joined: the planner overestimates the rows
        ) AS known
        "#,
        &complete,
        &column(&entries, |(session, _)| *session),
        &column(&entries, |(_, quote)| quote.as_str()) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    let mut by_session: BTreeMap<Uuid, BTreeSet<QuoteId>> = BTreeMap::new();
    for row in rows {
        let quotes = by_session.entry(row.session_id).or_default();
        quotes.extend(QuoteId::parse(&row.quote_id));
    }
    for session in sessions {
        session.snapshot.ledger = by_session.remove(&session.snapshot.id).unwrap_or_default();
    }
    Ok(())
}
