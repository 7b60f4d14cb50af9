//! Facts about RFQs: whether one was asked, and whether it was declined.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::read_decline;
use crate::domain::ids::RfqId;
use crate::domain::quote::Rfq;
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;
use crate::store::version;

/// Loads the RFQs of locked trips into them.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    keys: &[String],
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!("SELECT * FROM avinode_ingest.requests WHERE trip_key = ANY ($1)", keys)
        .fetch_all(tx)
        .await?;
    for row in rows {
        let (Some(trip), Ok(id)) = (trips.get_mut(&row.trip_key), RfqId::parse(&row.request_id)) else {
            continue;
        };
        let declined = version::read(row.declined_at, row.declined_source, row.declined_digest);
        let declined = read_decline(row.declined, declined, row.decline_reason);
        trip.requests.insert(
            id,
            Rfq {
                requested: row.requested,
                declined,
            },
        );
    }
    Ok(())
}

/// Writes RFQs of locked trips, sorted by key.
pub async fn write(tx: &mut Transaction<'_>, requests: &[(&str, &RfqId, &Rfq)]) -> Result<(), sqlx::Error> {
    let keys: Vec<String> = requests.iter().map(|(key, _, _)| (*key).to_owned()).collect();
    let ids: Vec<String> = requests.iter().map(|(_, id, _)| id.as_str().to_owned()).collect();
    let requested: Vec<bool> = requests.iter().map(|(_, _, request)| request.requested).collect();
    let decline = |position: usize| requests[position].2.declined.as_ref();
    let all = 0..requests.len();
    let declined: Vec<bool> = all.clone().map(|i| decline(i).is_some()).collect();
    let at: Vec<Option<DateTime<Utc>>> = all.clone().map(|i| decline(i).and_then(|d| d.version.at)).collect();
    let source: Vec<Option<i16>> = all
        .clone()
        .map(|i| decline(i).map(|d| version::source_number(d.version.source)))
        .collect();
    let digest: Vec<Option<Vec<u8>>> = all
        .clone()
        .map(|i| decline(i).map(|d| d.version.digest.to_vec()))
        .collect();
    let reason: Vec<Option<String>> = all.map(|i| decline(i).and_then(|d| d.reason.clone())).collect();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.requests (
            trip_key, request_id, requested, declined, declined_at, declined_source, declined_digest, decline_reason
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::timestamptz[], $6::smallint[], $7::bytea[],
            $8::text[]
        ) AS new (trip_key, request_id)
        ORDER BY trip_key, request_id
        ON CONFLICT (trip_key, request_id) DO UPDATE
        SET requested = EXCLUDED.requested, declined = EXCLUDED.declined, declined_at = EXCLUDED.declined_at,
            declined_source = EXCLUDED.declined_source, declined_digest = EXCLUDED.declined_digest,
            decline_reason = EXCLUDED.decline_reason
        "#,
        &keys,
        &ids,
        &requested,
        &declined,
        &at as &[Option<DateTime<Utc>>],
        &source as &[Option<i16>],
        &digest as &[Option<Vec<u8>>],
        &reason as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
