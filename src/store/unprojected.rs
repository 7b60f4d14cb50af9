//! Counts the known quotes that the application cannot see, or sees with another price, by reason, for `check`.

use strum::EnumString;

use crate::postgres::transaction::Pool;

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum UnprojectedReason {
    /// No session has the trip's id or one of its RFQs.
    NoSession,
    /// No session of the trip has a request.
    NoRequest,
    /// The quote has no price, or one that the column cannot hold.
    NoPrice,
    /// The row shows an older price; the newest fact has none.
    NewestPriceMissing,
    /// The application's table refused the row.
    Refused,
    /// The row has a price that Avinode never stated: it stays.
    ChangedByApplication,
    /// The next resync projects the quote.
    Pending,
}

#[derive(Debug, Clone)]
pub struct UnprojectedCount {
    pub reason: UnprojectedReason,
    pub quotes: i64,
    /// The error of one quote that the table refused, or one quote with both prices.
    pub example: Option<String>,
}

/// Counts the received quotes without a current row in `public.quotes`, by reason.
pub async fn count_by_reason(pool: &Pool) -> Result<Vec<UnprojectedCount>, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        SELECT CASE
                WHEN shown.price IS NOT NULL THEN 'changed_by_application'
                WHEN fact.projected_id IS NOT NULL THEN 'newest_price_missing'
                WHEN NOT avinode_ingest.is_projectable_price(fact.amount) THEN 'no_price'
                WHEN fact.projection_error IS NOT NULL THEN 'refused'
                WHEN NOT sessions.any_exists THEN 'no_session'
                WHEN NOT sessions.any_has_request THEN 'no_request'
                ELSE 'pending'
            END AS "reason!", count(*) AS "quotes!",
            min(CASE
                WHEN shown.price IS NULL THEN fact.projection_error
                ELSE format('%s has %s, Avinode states %s %s', fact.quote_id, left(shown.price::text, 40), fact.amount, fact.currency)
            END) AS example
        FROM avinode_ingest.quote_facts AS fact
        LEFT JOIN LATERAL (
            SELECT quote.total_price AS price
            FROM public.quotes AS quote
            WHERE quote.id = fact.projected_id AND abs(quote.total_price - fact.amount) >= 0.01
                AND NOT coalesce(fact.stated_values -> 'price' ? round(quote.total_price, 2)::text, false)
                -- Nor did the application insert it, which reads Avinode as well.
                AND NOT EXISTS (
                    SELECT FROM avinode_ingest.inserted_values AS inserted
                    WHERE inserted.quote_id = fact.quote_id AND inserted.part = 'price'
                        AND inserted.value = round(quote.total_price, 2)::text
                )
        ) AS shown ON true
        CROSS JOIN LATERAL (
            SELECT count(*) > 0 AS any_exists, count(session.request_id) FILTER (
                WHERE NOT EXISTS (
                    SELECT FROM public.requests AS request
                    WHERE request.id = session.request_id AND request.iso_agent_id <> session.iso_agent_id
                ) AND NOT EXISTS (
                    SELECT FROM avinode_ingest.session_state AS state
                    WHERE state.session_id = session.id AND state.withheld_trip IS NOT NULL
                )
            ) > 0 AS any_has_request
            FROM public.chat_sessions AS session
            WHERE fact.projected_id IS NULL
                AND session.id = ANY (ARRAY(
                    SELECT session_id
                    FROM avinode_ingest.sessions_of_trips(fact.trip_key || ARRAY(
                        SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = fact.trip_key
                    ))
                    UNION ALL
                    SELECT session_id
                    FROM avinode_ingest.sessions_of_rfqs(ARRAY(
                        SELECT avinode_ingest.normal_rfq_id(rfq.rfq_id)
                        FROM avinode_ingest.rfqs AS rfq
                        WHERE rfq.trip_key = fact.trip_key
                    ))
                ))
        ) AS sessions
        WHERE fact.received AND (fact.projected_id IS NULL OR fact.amount IS NULL OR shown.price IS NOT NULL)
        GROUP BY 1
        ORDER BY 1
        "#
    );
    let counts = pool.fetch_all(query).await?.into_iter().map(|row| UnprojectedCount {
        reason: row.reason.parse().unwrap_or(UnprojectedReason::Pending),
        quotes: row.quotes,
        example: row.example,
    });
    Ok(counts.collect())
}
