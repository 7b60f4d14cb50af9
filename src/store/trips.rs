//! Trips as rows and as locks: a trip's facts and its sessions change under its row alone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::version;
use crate::domain::event::TripStatus;
use crate::domain::trip::{Status, Trip};
use crate::postgres::transaction::Transaction;

/// Trips that this transaction has locked.
#[derive(Debug, Default)]
pub struct Locked {
    /// Every id that was asked for, to the key of its trip.
    pub key_of: BTreeMap<String, String>,
    /// Status and last activity by key; the facts are loaded by `facts`.
    pub trips: BTreeMap<String, Trip>,
}

struct Row {
    key: String,
    merged_into: Option<String>,
    status: Option<String>,
    status_at: Option<DateTime<Utc>>,
    status_source: Option<i16>,
    status_digest: Option<Vec<u8>>,
    status_seen_at: Option<DateTime<Utc>>,
    last_activity_at: Option<DateTime<Utc>>,
}

/// Locks the trips that have these ids (normal form), making rows for those never heard of.
///
/// Also a trip without facts is made and locked, because the lock is what orders a match against a fact that another
/// worker is about to commit.
pub async fn lock(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Locked, sqlx::Error> {
    let mut ids: Vec<String> = ids.to_vec();
    ids.sort();
    ids.dedup();
    let mut locked = Locked::default();
    if ids.is_empty() {
        return Ok(locked);
    }
    let mut rows = lock_rows(tx, &ids).await?;
    if rows.len() < ids.len() {
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
    // An alias leads to the trip it was merged into, which is locked in turn.
    let targets: Vec<String> = rows.iter().filter_map(|row| row.merged_into.clone()).collect();
    if !targets.is_empty() {
        rows.extend(lock_rows(tx, &targets).await?);
    }
    for row in rows {
        match row.merged_into {
            Some(target) => {
                locked.key_of.insert(row.key, target);
            }
            None => {
                let status = version::read(row.status_at, row.status_source, row.status_digest)
                    .zip(row.status.as_deref().and_then(TripStatus::from_word))
                    .map(|(version, status)| Status {
                        status,
                        version,
                        seen_at: row.status_seen_at,
                    });
                let trip = Trip {
                    status,
                    last_activity_at: row.last_activity_at,
                    ..Trip::default()
                };
                locked.key_of.insert(row.key.clone(), row.key.clone());
                locked.trips.insert(row.key, trip);
            }
        }
    }
    Ok(locked)
}

async fn lock_rows(tx: &mut Transaction<'_>, keys: &[String]) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"
        SELECT key, merged_into, status, status_at, status_source, status_digest, status_seen_at, last_activity_at
        FROM avinode_ingest.trips
        WHERE key = ANY ($1)
        ORDER BY key
        FOR UPDATE
        "#,
        keys
    )
    .fetch_all(tx)
    .await
}

/// Writes status and last activity of trips that are locked.
pub async fn write(tx: &mut Transaction<'_>, trips: &[(&str, &Trip)]) -> Result<(), sqlx::Error> {
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
