//! The facts of trips that are not loaded one by one.

use std::collections::BTreeMap;

use crate::domain::trip::{OtherFacts, TripFacts};
use crate::postgres::transaction::Transaction;

/// Sums up the facts of these trips that are not loaded. Those that are loaded are, at this moment, as they are stored.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    keys: &[String],
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT trip.key AS "key!",
            (SELECT count(*) FROM avinode_ingest.rfqs WHERE trip_key = trip.key AND sent) AS "sent_rfqs!",
            (
                EXISTS (SELECT FROM avinode_ingest.quote_facts WHERE trip_key = trip.key AND (received OR declined))
                OR EXISTS (SELECT FROM avinode_ingest.rfqs WHERE trip_key = trip.key AND (sent OR declined))
            ) AS "has_contacted_sellers!"
        FROM unnest($1::text[]) AS trip (key)
        "#,
        keys
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let Some(trip) = trips.get_mut(&row.key) else { continue };
        let sent = usize::try_from(row.sent_rfqs).unwrap_or(usize::MAX);
        trip.others = Some(OtherFacts {
            sent_rfqs: sent.saturating_sub(trip.sent_rfqs()),
            has_contacted_sellers: row.has_contacted_sellers,
        });
    }
    Ok(())
}
