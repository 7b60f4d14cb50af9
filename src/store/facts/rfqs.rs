//! The table `rfqs`: the RFQs of trips, sent or not, and their declines.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::ids::RfqId;
use crate::domain::quote::Rfq;
use crate::domain::trip::TripFacts;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::version::{self, VersionColumns};

/// Loads all RFQs of the locked trips `complete`, and the RFQs `named`.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    complete: &[String],
    named: &BTreeSet<(String, RfqId)>,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT trip_key AS "trip_key!", rfq_id AS "rfq_id!", sent AS "sent!", declined AS "declined!", declined_at,
            declined_seen_at, declined_source, declined_digest, decline_reason, declines
        FROM avinode_ingest.rfqs
        WHERE trip_key = ANY ($1)
        UNION ALL
        SELECT known.*
        FROM unnest($2::text[], $3::text[]) AS named (trip_key, rfq_id)
        CROSS JOIN LATERAL (
            SELECT trip_key, rfq_id, sent, declined, declined_at, declined_seen_at, declined_source, declined_digest,
                decline_reason, declines
            FROM avinode_ingest.rfqs
            WHERE trip_key = named.trip_key AND rfq_id = named.rfq_id
            OFFSET 0 -- not joined: the planner overestimates the rows
        ) AS known
        "#,
        complete,
        &column(named, |(key, _)| key.as_str()) as &[&str],
        &column(named, |(_, rfq)| rfq.as_str()) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let (Some(trip), Ok(id)) = (trips.get_mut(&row.trip_key), RfqId::parse(&row.rfq_id)) else {
            continue;
        };
        let decline = VersionColumns {
            at: row.declined_at,
            seen_at: row.declined_seen_at,
            source: row.declined_source,
            digest: row.declined_digest,
        };
        let newest = decline.read().filter(|_| row.declined).zip(Some(row.decline_reason));
        let decline = version::read_newest(row.declines, newest);
        let sent = row.sent;
        trip.rfqs.insert(id, Rfq { sent, decline });
    }
    Ok(())
}

/// Writes RFQs of locked trips, sorted by key.
pub async fn write(tx: &mut Transaction<'_>, rfqs: &[(&str, &RfqId, &Rfq)]) -> Result<(), sqlx::Error> {
    let declines = column(rfqs, |(_, _, rfq)| rfq.decline.get());
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.rfqs (
            trip_key, rfq_id, sent, declined, declined_at, declined_source, declined_digest, decline_reason,
            declined_seen_at, declines
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::timestamptz[], $6::smallint[], $7::bytea[],
            $8::text[], $9::timestamptz[], $10::jsonb[]
        ) AS new (trip_key, rfq_id)
        ORDER BY trip_key, rfq_id
        ON CONFLICT (trip_key, rfq_id) DO UPDATE
        SET sent = EXCLUDED.sent, declined = EXCLUDED.declined, declined_at = EXCLUDED.declined_at,
            declined_source = EXCLUDED.declined_source, declined_digest = EXCLUDED.declined_digest,
            decline_reason = EXCLUDED.decline_reason, declined_seen_at = EXCLUDED.declined_seen_at,
            declines = EXCLUDED.declines
        "#,
        &column(rfqs, |(trip_key, _, _)| *trip_key) as &[&str],
        &column(rfqs, |(_, id, _)| id.as_str()) as &[&str],
        &column(rfqs, |(_, _, rfq)| rfq.sent),
        &column(&declines, Option::is_some),
        &column(&declines, |&decline| decline?.version.at) as &[Option<DateTime<Utc>>],
        &column(&declines, |&decline| Some(decline?.version.source as i16)) as &[Option<i16>],
        &column(&declines, |&decline| Some(&decline?.version.digest[..])) as &[Option<&[u8]>],
        &column(&declines, |&decline| decline?.value.as_deref()) as &[Option<&str>],
        &column(&declines, |&decline| Some(decline?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(rfqs, |(_, _, rfq)| version::write_newest(&rfq.decline)) as &[Option<Value>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
