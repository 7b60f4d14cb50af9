//! The table `trips`. A trip's row is also the lock under which its facts and sessions change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::version::{self, VersionColumns};
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;

/// The trips that this transaction has locked.
#[derive(Debug, Default)]
pub struct LockedTrips {
    /// Maps every requested id, and each key, to the key of its trip.
    pub key_of: BTreeMap<String, String>,
    /// Status and last activity by key; [`facts::load`](super::facts::load) adds the other facts.
    pub trips: BTreeMap<String, TripFacts>,
}

/// A locked row.
pub(super) struct TripRow {
    pub(super) key: String,
    /// The requested ids of this trip.
    pub(super) ids: Vec<String>,
    pub(super) merged_into: Option<String>,
    pub(super) status: Option<String>,
    pub(super) status_at: Option<DateTime<Utc>>,
    pub(super) status_source: Option<i16>,
    pub(super) status_digest: Option<Vec<u8>>,
    pub(super) status_seen_at: Option<DateTime<Utc>>,
    pub(super) statuses: Option<Value>,
    pub(super) status_first_seen_at: Option<DateTime<Utc>>,
    pub(super) last_activity_at: Option<DateTime<Utc>>,
}

/// Locks the trips with these ids (in normal form), and creates rows for unknown ids. `None` if one of them was merged into
/// another trip while this transaction waited for it: the rows to lock are then different ones, and the caller must begin
/// again.
///
/// A trip without facts is created and locked, too: the lock orders a match and a fact that another worker is about to
/// commit.
///
/// For a trip with several ids only its canonical row is locked: an alias can change its target only when that row is merged,
/// which needs its lock.
pub async fn lock(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Option<LockedTrips>, sqlx::Error> {
    let mut ids: Vec<String> = ids.to_vec();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Some(LockedTrips::default()));
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
    Ok(LockedTrips::of(rows))
}

impl LockedTrips {
    /// `None` if one of them was merged into another trip.
    pub(super) fn of(rows: Vec<TripRow>) -> Option<Self> {
        let mut locked = Self::default();
        for row in rows {
            if row.merged_into.is_some() {
                return None;
            }
            let version = VersionColumns {
                at: row.status_at,
                seen_at: row.status_seen_at,
                source: row.status_source,
                digest: row.status_digest,
            };
            let newest = version
                .read()
                .zip(row.status.as_deref().and_then(|word| word.parse().ok()));
            // The other facts are loaded by `facts::load`.
            let trip = TripFacts {
                status: version::read_newest(row.statuses, newest),
                status_first_seen_at: row.status_first_seen_at,
                last_activity_at: row.last_activity_at,
                ..TripFacts::default()
            };
            locked
                .key_of
                .extend(row.ids.into_iter().map(|id| (id, row.key.clone())));
            locked.key_of.insert(row.key.clone(), row.key.clone());
            locked.trips.insert(row.key, trip);
        }
        Some(locked)
    }
}

/// Locks the canonical rows of the trips with these ids, in order. The aliases are read before the locks are taken: a row
/// that was merged meanwhile is returned with its `merged_into`.
async fn lock_rows(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Vec<TripRow>, sqlx::Error> {
    sqlx::query_as!(
        TripRow,
        r#"
        WITH requested AS MATERIALIZED (
            SELECT key AS id, coalesce(merged_into, key) AS key FROM avinode_ingest.trips WHERE key = ANY ($1)
        )
        SELECT trip.key, trip.merged_into, trip.status, trip.status_at, trip.status_source, trip.status_digest,
            trip.status_seen_at, trip.statuses, trip.status_first_seen_at, trip.last_activity_at,
            ARRAY(SELECT requested.id FROM requested WHERE requested.key = trip.key) AS "ids!"
        FROM avinode_ingest.trips AS trip
        WHERE trip.key = ANY (ARRAY(SELECT requested.key FROM requested))
        ORDER BY trip.key
        FOR UPDATE OF trip
        "#,
        ids
    )
    .fetch_all(tx)
    .await
}
