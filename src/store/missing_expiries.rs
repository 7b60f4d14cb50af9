//! Finds quotes without a job for their expiry: an admin discarded it, the database was restored without it, or it ran while a clock was
//! ahead.

use chrono::{DateTime, Utc};

use super::tx;
use crate::postgres::transaction::Pool;

/// The most quotes per resync. Those found get a job, so the next resync finds others.
const LIMIT: i64 = 1_000;

/// A quote without a job for its expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingExpiry {
    /// The key of its trip.
    pub trip: String,
    pub quote: String,
    pub valid_until: DateTime<Utc>,
}

/// Returns the received quotes that expire in the future, and the expired ones that a session still selects, without a live or
/// dead job for that. It reads all quotes that expire, so it is for rare use.
pub async fn find(pool: &Pool) -> Result<Vec<MissingExpiry>, sqlx::Error> {
    let mut tx = tx::begin_full_scan(pool).await?;
    let missing = sqlx::query_as!(
        MissingExpiry,
        r#"
        WITH timer AS MATERIALIZED (
            -- The trip in a key may be another id of the quote's trip by now.
            SELECT split_part(key, E'\t', 2) AS quote_id, split_part(key, E'\t', 3) AS micros
            FROM (
                SELECT key FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'
                UNION ALL
                SELECT key FROM avinode_ingest.dead_jobs WHERE kind = 'quote_expiry'
            ) AS job
        )
        SELECT fact.trip_key AS trip, fact.quote_id AS quote, fact.valid_until AS "valid_until!"
        FROM avinode_ingest.quote_facts AS fact
        WHERE fact.received AND isfinite(fact.valid_until)
            AND (
                fact.valid_until > statement_timestamp()
                OR fact.quote_id IN (
                    SELECT state.selected_quote
                    FROM avinode_ingest.session_state AS state
                    JOIN public.chat_sessions AS session ON session.id = state.session_id
                    WHERE state.selected_quote IS NOT NULL AND NOT state.pinned
                        AND session.status::text NOT IN ('completed', 'archived')
                )
            )
            AND NOT EXISTS (
                SELECT FROM timer
                WHERE timer.quote_id = fact.quote_id
                    AND timer.micros = (extract(epoch FROM fact.valid_until) * 1000000)::bigint::text
            )
        ORDER BY fact.valid_until
        LIMIT $1
        "#,
        LIMIT
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(missing)
}
