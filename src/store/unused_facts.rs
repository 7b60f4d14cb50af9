//! Deletes what is known of old trips that no session names. The ids of the trips stay: workers lock their rows.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::tx;
use crate::postgres::interval::interval;
use crate::postgres::prune_step::ROWS_PER_STEP;
use crate::postgres::transaction::Pool;

/// The last trip that a step read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastTrip {
    pub first_seen_at: DateTime<Utc>,
    pub key: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactStep {
    /// `None` after the last old trip.
    pub last: Option<LastTrip>,
    /// Trips that lost their facts.
    pub deleted: u64,
}

/// Reads old trips after this one, and deletes the facts of those without activity for `retention`, sessions and jobs.
///
/// A session that is matched with a trip meanwhile locks it as well: the trips are examined again under their locks.
pub async fn step(pool: &Pool, retention: Duration, after: Option<&LastTrip>) -> Result<FactStep, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        WITH page AS MATERIALIZED (
            SELECT trip.key, trip.first_seen_at, coalesce(trip.last_activity_at, trip.first_seen_at) AS active_at
            FROM avinode_ingest.trips AS trip
            WHERE trip.merged_into IS NULL AND trip.first_seen_at < clock_timestamp() - $1::interval
                AND trip.first_seen_at >= coalesce($2::timestamptz, '-infinity')
                AND (trip.first_seen_at, trip.key) > (coalesce($2::timestamptz, '-infinity'), coalesce($3::text, ''))
            ORDER BY trip.first_seen_at, trip.key
            LIMIT $4
        )
        SELECT key AS "key!", first_seen_at AS "first_seen_at!",
            active_at < clock_timestamp() - $1::interval AND (
                EXISTS (SELECT FROM avinode_ingest.quote_facts AS fact WHERE fact.trip_key = page.key)
                OR EXISTS (SELECT FROM avinode_ingest.rfqs AS fact WHERE fact.trip_key = page.key)
                OR EXISTS (SELECT FROM avinode_ingest.messages AS fact WHERE fact.trip_key = page.key)
            ) AS "has_old_facts!"
        FROM page
        ORDER BY first_seen_at, key
        "#,
        interval(retention),
        after.map(|last| last.first_seen_at),
        after.map(|last| last.key.as_str()),
        ROWS_PER_STEP,
    );
    let page = pool.fetch_all(query).await?;
    let keys: Vec<String> = page
        .iter()
        .filter(|trip| trip.has_old_facts)
        .map(|trip| trip.key.clone())
        .collect();
    let last = page.into_iter().last().map(|trip| LastTrip {
        first_seen_at: trip.first_seen_at,
        key: trip.key,
    });
    let deleted = match keys.is_empty() {
        true => 0,
        false => delete(pool, retention, &keys).await?,
    };
    Ok(FactStep { last, deleted })
}

async fn delete(pool: &Pool, retention: Duration, keys: &[String]) -> Result<u64, sqlx::Error> {
    let mut tx = tx::begin(pool).await?;
    // A trip that a worker has locked has activity.
    let locked = sqlx::query_scalar!(
        r#"
        SELECT key
        FROM avinode_ingest.trips
        WHERE key = ANY ($1) AND merged_into IS NULL
            AND coalesce(last_activity_at, first_seen_at) < clock_timestamp() - $2::interval
        ORDER BY key
        FOR UPDATE SKIP LOCKED
        "#,
        keys,
        interval(retention),
    )
    .fetch_all(&mut tx)
    .await?;
    // A statement of its own: it sees what was committed before the locks were granted.
    let unused = sqlx::query_scalar!(
        r#"
        SELECT trip.key AS "key!"
        FROM unnest($1::text[]) AS trip (key)
        WHERE NOT EXISTS (
                SELECT FROM avinode_ingest.sessions_of_trips(ARRAY(
                    SELECT trip.key UNION ALL SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = trip.key
                ))
            )
            AND NOT EXISTS (
                SELECT FROM avinode_ingest.sessions_of_rfqs(ARRAY(
                    SELECT avinode_ingest.normal_rfq_id(rfq.rfq_id) FROM avinode_ingest.rfqs AS rfq WHERE rfq.trip_key = trip.key
                ))
            )
            AND NOT EXISTS (SELECT FROM avinode_ingest.jobs AS job WHERE job.batch_key = trip.key)
        "#,
        &locked,
    )
    .fetch_all(&mut tx)
    .await?;
    sqlx::query!(
        r#"
        WITH quote AS (
            DELETE FROM avinode_ingest.quote_facts WHERE trip_key = ANY ($1) RETURNING quote_id
        ), rfq AS (
            DELETE FROM avinode_ingest.rfqs WHERE trip_key = ANY ($1)
        ), message AS (
            DELETE FROM avinode_ingest.messages WHERE trip_key = ANY ($1)
        )
        DELETE FROM avinode_ingest.inserted_values WHERE quote_id IN (SELECT quote_id FROM quote)
        "#,
        &unused,
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(unused.len() as u64)
}
