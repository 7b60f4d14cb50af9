//! The table `rfqs`: the RFQs of trips, sent or not, and their declines.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::ids::RfqId;
use crate::domain::quote::Rfq;
use crate::domain::trip::TripFacts;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::version;

/// Loads the RFQs of locked trips.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    keys: &[String],
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!("SELECT * FROM avinode_ingest.rfqs WHERE trip_key = ANY ($1)", keys)
        .fetch_all(tx)
        .await?;
    for row in rows {
        let (Some(trip), Ok(id)) = (trips.get_mut(&row.trip_key), RfqId::parse(&row.rfq_id)) else {
            continue;
        };
        let decline = version::read(row.declined_at, row.declined_source, row.declined_digest);
        let decline = version::read_decline(row.declined, decline, row.decline_reason);
        let sent = row.sent;
        trip.rfqs.insert(id, Rfq { sent, decline });
    }
    Ok(())
}

/// Writes RFQs of locked trips, sorted by key.
pub async fn write(tx: &mut Transaction<'_>, rfqs: &[(&str, &RfqId, &Rfq)]) -> Result<(), sqlx::Error> {
    let declines = column(rfqs, |(_, _, rfq)| rfq.decline.as_ref());
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.rfqs (
            trip_key, rfq_id, sent, declined, declined_at, declined_source, declined_digest, decline_reason
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::timestamptz[], $6::smallint[], $7::bytea[],
            $8::text[]
        ) AS new (trip_key, rfq_id)
        ORDER BY trip_key, rfq_id
        ON CONFLICT (trip_key, rfq_id) DO UPDATE
        SET sent = EXCLUDED.sent, declined = EXCLUDED.declined, declined_at = EXCLUDED.declined_at,
            declined_source = EXCLUDED.declined_source, declined_digest = EXCLUDED.declined_digest,
            decline_reason = EXCLUDED.decline_reason
        "#,
        &column(rfqs, |(trip_key, _, _)| *trip_key) as &[&str],
        &column(rfqs, |(_, id, _)| id.as_str()) as &[&str],
        &column(rfqs, |(_, _, rfq)| rfq.sent),
        &column(&declines, Option::is_some),
        &column(&declines, |&decline| decline?.version.at) as &[Option<DateTime<Utc>>],
        &column(&declines, |&decline| Some(decline?.version.source as i16)) as &[Option<i16>],
        &column(&declines, |&decline| Some(&decline?.version.digest[..])) as &[Option<&[u8]>],
        &column(&declines, |&decline| decline?.reason.as_deref()) as &[Option<&str>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
