//! Quotes that are known and not shown to the application, by what is missing: for an operator to read.

use crate::postgres::transaction::Pool;

/// What a quote lacks to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnprojectedReason {
    /// No session has the trip's id, or one of its RFQs.
    Session,
    /// No session of the trip has a request.
    Request,
    /// No price, or none that the column can hold.
    Price,
    /// It is shown with an older price; its newest fact has none.
    NewestPrice,
    /// The application's table refused it.
    Consent,
    /// Nothing: the next sweep shows it.
    Turn,
}

/// Some quotes that are not shown.
#[derive(Debug, Clone)]
pub struct UnprojectedCount {
    /// What they lack.
    pub missing: UnprojectedReason,
    /// How many.
    pub quotes: i64,
    /// What the table said to one of those it refused.
    pub example: Option<String>,
}

/// Counts them.
///
/// # Errors
/// Those of the database.
pub async fn unshown(pool: &Pool) -> Result<Vec<UnprojectedCount>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query!(
        r#"
        SELECT CASE
                WHEN fact.projected_id IS NOT NULL THEN 'newest price'
                WHEN NOT avinode_ingest.can_be_shown(fact.amount) THEN 'price'
                WHEN fact.projection_error IS NOT NULL THEN 'consent'
                WHEN NOT sessions.are_there THEN 'session'
                WHEN NOT sessions.have_a_request THEN 'request'
                ELSE 'turn'
            END AS "missing!", count(*) AS "quotes!", min(fact.projection_error) AS example
        FROM avinode_ingest.quotes AS fact
        CROSS JOIN LATERAL (
            SELECT count(*) > 0 AS are_there, count(session.request_id) > 0 AS have_a_request
            FROM public.chat_sessions AS session
            WHERE fact.projected_id IS NULL
                AND (
                    avinode_ingest.normal_trip_id(session.avinode_trip_id) = ANY (ARRAY(
                        SELECT fact.trip_key
                        UNION ALL
                        SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = fact.trip_key
                    ))
                    OR avinode_ingest.normal_rfq_id(session.avinode_rfq_id) = ANY (ARRAY(
                        SELECT avinode_ingest.normal_rfq_id(rfq.request_id)
                        FROM avinode_ingest.requests AS rfq
                        WHERE rfq.trip_key = fact.trip_key
                    ))
                )
        ) AS sessions
        WHERE fact.received AND (fact.projected_id IS NULL OR fact.amount IS NULL)
        GROUP BY 1
        ORDER BY 1
        "#
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    let of_row = |missing: &str| match missing {
        "session" => UnprojectedReason::Session,
        "request" => UnprojectedReason::Request,
        "price" => UnprojectedReason::Price,
        "newest price" => UnprojectedReason::NewestPrice,
        "consent" => UnprojectedReason::Consent,
        _ => UnprojectedReason::Turn,
    };
    let counted = rows.into_iter().map(|row| UnprojectedCount {
        missing: of_row(&row.missing),
        quotes: row.quotes,
        example: row.example,
    });
    Ok(counted.collect())
}
