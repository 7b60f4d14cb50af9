//! Trips as rows and as locks: a trip's facts and its sessions change under its row alone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::version;
use crate::domain::event::TripStatus;
use crate::domain::trip::{TripFacts, TripStatusFact};
use crate::postgres::transaction::Transaction;

/// Trips that this transaction has locked.
#[derive(Debug, Default)]
pub struct LockedTrips {
    /// Every id that was asked for, and each key, to the key of its trip.
    pub key_of: BTreeMap<String, String>,
    /// Status and last activity by key; the facts are loaded by `facts`.
    pub trips: BTreeMap<String, TripFacts>,
}

struct TripRow {
    key: String,
    /// Those of the ids asked for that lead to it.
    ids: Vec<String>,
    merged_into: Option<String>,
    status: Option<String>,
    status_at: Option<DateTime<Utc>>,
    status_source: Option<i16>,
    status_digest: Option<Vec<u8>>,
    status_seen_at: Option<DateTime<Utc>>,
    last_activity_at: Option<DateTime<Utc>>,
}

/// Locks the trips that have these ids (normal form), making rows for those never heard of. `None`: one of them was merged
/// with another while we waited for it; which rows to lock is not known any more, and the transaction has to begin anew.
///
/// Also a trip without facts is made and locked, because the lock is what orders a match against a fact that another
/// worker is about to commit.
///
/// Of a trip with several ids the row that stands for it is locked, and no other: an alias leads elsewhere only once that
/// row has been merged, which needs its lock.
pub async fn lock(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Option<LockedTrips>, sqlx::Error> {
    let mut ids: Vec<String> = ids.to_vec();
    ids.sort();
    ids.dedup();
    let mut locked = LockedTrips::default();
    if ids.is_empty() {
        return Ok(Some(locked));
    }
    let mut rows = lock_rows(tx, &ids).await?;
    if rows.iter().map(|row| row.ids.len()).sum::<usize>() < ids.len() {
        sqlx::query!(
            r#"
            INSERT INTO avinode_ingest.trips (key)
            SELECT key FROM unnest($1::text[]) AS new (key) ORDER BY key
            ON CONFLICT (key) DO NOTHING
            "#,
            &ids
        )
        .execute(&mut *tx)
        .await?;
        rows = lock_rows(tx, &ids).await?;
    }
    if rows.iter().any(|row| row.merged_into.is_some()) {
        return Ok(None);
    }
    for row in rows {
        let status = version::read(row.status_at, row.status_source, row.status_digest)
            .zip(row.status.as_deref().and_then(TripStatus::from_word))
            .map(|(version, status)| TripStatusFact {
                status,
                version,
                seen_at: row.status_seen_at,
            });
        let trip = TripFacts {
            status,
            last_activity_at: row.last_activity_at,
            ..TripFacts::default()
        };
        locked
            .key_of
            .extend(row.ids.into_iter().map(|id| (id, row.key.clone())));
        locked.key_of.insert(row.key.clone(), row.key.clone());
        locked.trips.insert(row.key, trip);
    }
    Ok(Some(locked))
}

/// Locks the rows that stand for the trips with these ids, in order. What leads to them is read before they are waited for:
/// a row that leads elsewhere by then says so itself.
async fn lock_rows(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Vec<TripRow>, sqlx::Error> {
    sqlx::query_as!(
        TripRow,
        r#"
        WITH asked AS MATERIALIZED (
            SELECT key AS id, coalesce(merged_into, key) AS key FROM avinode_ingest.trips WHERE key = ANY ($1)
        )
        SELECT trip.key, trip.merged_into, trip.status, trip.status_at, trip.status_source, trip.status_digest,
            trip.status_seen_at,
            trip.last_activity_at, ARRAY(SELECT asked.id FROM asked WHERE asked.key = trip.key) AS "ids!"
        FROM avinode_ingest.trips AS trip
        WHERE trip.key = ANY (ARRAY(SELECT asked.key FROM asked))
        ORDER BY trip.key
        FOR UPDATE OF trip
        "#,
        ids
    )
    .fetch_all(tx)
    .await
}

/// Writes status and last activity of trips that are locked.
pub async fn write(tx: &mut Transaction<'_>, trips: &[(&str, &TripFacts)]) -> Result<(), sqlx::Error> {
    let keys: Vec<String> = trips.iter().map(|(key, _)| (*key).to_owned()).collect();
    let status: Vec<Option<String>> = trips
        .iter()
        .map(|(_, trip)| trip.status.as_ref().map(|known| known.status.as_str().to_owned()))
        .collect();
    let at: Vec<Option<DateTime<Utc>>> = trips
        .iter()
        .map(|(_, trip)| trip.status.as_ref().and_then(|known| known.version.at))
        .collect();
    let source: Vec<Option<i16>> = trips
        .iter()
        .map(|(_, trip)| {
            trip.status
                .as_ref()
                .map(|known| version::source_number(known.version.source))
        })
        .collect();
    let digest: Vec<Option<Vec<u8>>> = trips
        .iter()
        .map(|(_, trip)| trip.status.as_ref().map(|known| known.version.digest.to_vec()))
        .collect();
    let seen_at: Vec<Option<DateTime<Utc>>> = trips
        .iter()
        .map(|(_, trip)| trip.status.as_ref().and_then(|known| known.seen_at))
        .collect();
    let activity: Vec<Option<DateTime<Utc>>> = trips.iter().map(|(_, trip)| trip.last_activity_at).collect();
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.trips AS trip
        SET status = new.status, status_at = new.at, status_source = new.source, status_digest = new.digest,
            last_activity_at = new.activity, status_seen_at = new.seen_at
        FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::bytea[], $6::timestamptz[],
            $7::timestamptz[]) AS new (key, status, at, source, digest, activity, seen_at)
        WHERE trip.key = new.key
        "#,
        &keys,
        &status as &[Option<String>],
        &at as &[Option<DateTime<Utc>>],
        &source as &[Option<i16>],
        &digest as &[Option<Vec<u8>>],
        &activity as &[Option<DateTime<Utc>>],
        &seen_at as &[Option<DateTime<Utc>>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
