//! Finds out what an id names, by looking it up.

use uuid::Uuid;

use super::TraceTarget;
use crate::domain::ids::{QuoteId, RfqId, TripId};
use crate::postgres::transaction::Pool;

/// Returns the target with this id. An id that is stored nowhere has the type of its prefix: `aquote-`, `arfq-`, `asellermsg-`; any
/// other text that may be a trip's is taken for one. `None` for a UUID that is stored nowhere, and for a text that is no id.
pub async fn target(pool: &Pool, id: &str) -> Result<Option<TraceTarget>, sqlx::Error> {
    if let Ok(id) = id.parse::<Uuid>() {
        return by_uuid(pool, id).await;
    }
    let (Ok(quote), Ok(rfq), Ok(trip)) = (QuoteId::parse(id), RfqId::parse(id), TripId::parse(id)) else {
        return Ok(None);
    };
    let rfq = rfq.normalized();
    let found = sqlx::query!(
        r#"
        SELECT EXISTS (SELECT FROM avinode_ingest.quote_facts WHERE quote_id = $1)
                OR EXISTS (SELECT FROM avinode_ingest.delivery_subjects WHERE kind = 'other' AND quotes @> ARRAY[$1]) AS "quote!",
            EXISTS (SELECT FROM avinode_ingest.rfqs WHERE avinode_ingest.normal_rfq_id(rfq_id) = $2)
                OR EXISTS (SELECT FROM avinode_ingest.delivery_subjects WHERE kind = 'other' AND rfqs @> ARRAY[$2]) AS "rfq!",
            EXISTS (SELECT FROM avinode_ingest.trips WHERE key = $3)
                OR EXISTS (SELECT FROM avinode_ingest.sessions_of_trips(ARRAY[$3])) AS "trip!"
        "#,
        quote.as_str(),
        rfq,
        trip.as_str(),
    );
    let found = pool.fetch_one(found).await?;
    let lower = id.trim().to_ascii_lowercase();
    let prefix = lower.split('-').next().unwrap_or_default();
    Ok(Some(match (found.quote, found.rfq, found.trip, prefix) {
        (true, ..) | (false, false, false, "aquote") => TraceTarget::Quote(quote.to_string()),
        (_, true, ..) | (_, _, false, "arfq") => TraceTarget::Rfq(rfq),
        (_, _, false, prefix) if prefix.ends_with("msg") && lower.contains('-') => {
            TraceTarget::Message(id.trim().to_owned())
        }
        _ => TraceTarget::Trip(trip.to_string()),
    }))
}

async fn by_uuid(pool: &Pool, id: Uuid) -> Result<Option<TraceTarget>, sqlx::Error> {
    let found = sqlx::query!(
        r#"
        SELECT EXISTS (SELECT FROM avinode_ingest.deliveries WHERE id = $1)
                OR EXISTS (SELECT FROM avinode_ingest.delivery_subjects WHERE delivery_id = $1) AS "delivery!",
            EXISTS (SELECT FROM public.chat_sessions WHERE id = $1) AS "session!",
            (SELECT quote_id FROM avinode_ingest.quote_facts WHERE projected_id = $1 LIMIT 1) AS quote
        "#,
        id
    );
    let found = pool.fetch_one(found).await?;
    Ok(match found.quote {
        _ if found.delivery => Some(TraceTarget::Delivery(id)),
        _ if found.session => Some(TraceTarget::Session(id)),
        // The row of a quote in the application's table.
        quote => quote.map(TraceTarget::Quote),
    })
}
