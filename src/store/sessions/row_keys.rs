//! Ledger keys of quotes that were recorded by their row, before the row had Avinode's id.

use uuid::Uuid;

use crate::postgres::transaction::Transaction;

/// The start of the ledger key of a quote without Avinode's id; the row's id follows.
pub const ROW_KEY: &str = "row:";

/// Renames the keys of rows that have Avinode's id by now, so that the webhook's quote is the same ledger entry. The sessions are
/// locked.
pub async fn rename(tx: &mut Transaction<'_>, sessions: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        WITH recorded AS MATERIALIZED (
            SELECT session_id, quote_id AS row_key, substr(quote_id, 5)::uuid AS row_id
            FROM avinode_ingest.ledger
            WHERE session_id = ANY ($1) AND quote_id ~ '^row:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        ), named AS MATERIALIZED (
            SELECT recorded.session_id, recorded.row_key, coalesce(
                (SELECT min(fact.quote_id) FROM avinode_ingest.quote_facts AS fact WHERE fact.projected_id = recorded.row_id),
                (
                    SELECT avinode_ingest.row_quote_id(quote.avinode_quote_id, quote.metadata)
                    FROM public.quotes AS quote
                    WHERE quote.id = recorded.row_id
                )
            ) AS quote_id
            FROM recorded
        ), first_named AS MATERIALIZED (
            SELECT DISTINCT ON (session_id, quote_id) session_id, row_key, quote_id
            FROM named
            WHERE quote_id IS NOT NULL
            ORDER BY session_id, quote_id, row_key
        )
        UPDATE avinode_ingest.ledger AS entry
        SET quote_id = named.quote_id
        FROM first_named AS named
        WHERE entry.session_id = named.session_id AND entry.quote_id = named.row_key
            -- Counted before under both keys: counts never shrink.
            AND NOT EXISTS (
                SELECT FROM avinode_ingest.ledger AS known
                WHERE known.session_id = named.session_id AND known.quote_id = named.quote_id
            )
        "#,
        sessions
    )
    .execute(tx)
    .await?;
    Ok(())
}
