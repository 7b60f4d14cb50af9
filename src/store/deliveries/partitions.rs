//! The partitions of `deliveries`, one for each month (docs/adr/0005-deliveries-by-month.md), and the deletion of old deliveries.
//!
//! A step that waits for a lock waits for a fraction of a second, then does nothing, and its caller tries again. A delivery that a
//! job needs is never deleted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::interval::interval;
use crate::postgres::prune_step::ROWS_PER_STEP;
use crate::postgres::sqlstate::{is_contention, sqlstate};
use crate::postgres::transaction::Pool;

/// The months for which there are partitions, in addition to the present one. An older program, which makes none, may run for as
/// long.
pub const MONTHS_AHEAD: i32 = 12;

/// The result of a step that needs a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepResult<T> {
    Done(T),
    /// Another transaction holds the lock. Nothing was changed.
    Busy,
}

impl<T> StepResult<T> {
    fn from_result(result: Result<T, sqlx::Error>) -> Result<Self, sqlx::Error> {
        match result {
            Ok(done) => Ok(Self::Done(done)),
            Err(error) if sqlstate(&error).as_deref().is_some_and(is_contention) => {
                tracing::debug!("partitions of deliveries: {error}");
                Ok(Self::Busy)
            }
            Err(error) => Err(error),
        }
    }
}

/// Makes the first missing partition up to [`MONTHS_AHEAD`]. Returns its name; `None` if none is missing.
pub async fn make_next(pool: &Pool) -> Result<StepResult<Option<String>>, sqlx::Error> {
    let statement = sqlx::query!(
        "SELECT avinode_ingest.make_delivery_partition($1) AS made",
        MONTHS_AHEAD
    );
    StepResult::from_result(pool.fetch_one(statement).await.map(|row| row.made))
}

/// Returns the names of the partitions whose deliveries were all received longer than `retention` ago, the oldest first.
pub async fn expired(pool: &Pool, retention: Duration) -> Result<Vec<String>, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        SELECT name AS "name!" FROM avinode_ingest.delivery_partitions()
        WHERE NOT is_default AND upper_id <= avinode_ingest.uuid_of_time(clock_timestamp() - $1::interval)
        ORDER BY upper_id
        "#,
        interval(retention),
    );
    let rows = pool.fetch_all(statement).await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Removes all rows of an expired partition. Returns false if a job needs one of them.
pub async fn empty(pool: &Pool, partition: &str, retention: Duration) -> Result<StepResult<bool>, sqlx::Error> {
    let statement = sqlx::query!(
        r#"SELECT avinode_ingest.empty_delivery_partition($1, clock_timestamp() - $2::interval) AS "emptied!""#,
        partition,
        interval(retention),
    );
    StepResult::from_result(pool.fetch_one(statement).await.map(|row| row.emptied))
}

/// Drops an expired partition that was emptied. Returns false if it has rows again. Deliveries wait with this step for a lock, for
/// `max_wait_ms` and 50 ms at most.
pub async fn remove(
    pool: &Pool,
    partition: &str,
    retention: Duration,
    max_wait_ms: i32,
) -> Result<StepResult<bool>, sqlx::Error> {
    let statement = sqlx::query!(
        r#"SELECT avinode_ingest.remove_delivery_partition($1, clock_timestamp() - $2::interval, $3) AS "removed!""#,
        partition,
        interval(retention),
        max_wait_ms,
    );
    StepResult::from_result(pool.fetch_one(statement).await.map(|row| row.removed))
}

/// One step of the deletion of single deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedDeliveries {
    pub deleted: u64,
    /// The highest id of the step; the next one begins after it. `None`: there are no more.
    pub last: Option<Uuid>,
}

/// Deletes deliveries that are older than `retention` and outside of the partitions that will be dropped: in the default partition,
/// and beside those that a job needs. One step, after the id `after`.
pub async fn delete_single(pool: &Pool, retention: Duration, after: Uuid) -> Result<DeletedDeliveries, sqlx::Error> {
    let mut tx = pool.begin().await?;
    // Locked first and looked for in the jobs by another statement: a replay that locked a delivery before has committed its job.
    let ids: Vec<Uuid> = sqlx::query_scalar!(
        r#"
        SELECT id FROM avinode_ingest.deliveries
        WHERE id > $2 AND id < (
            SELECT least(avinode_ingest.uuid_of_time(clock_timestamp() - $1::interval), min(part.lower_id::text)::uuid)
            FROM (
                SELECT coalesce(lower_id, '00000000-0000-0000-0000-000000000000') AS lower_id
                FROM avinode_ingest.delivery_partitions()
                WHERE NOT is_default AND upper_id > avinode_ingest.uuid_of_time(clock_timestamp() - $1::interval)
            ) AS part
        )
        ORDER BY id
        LIMIT $3
        FOR UPDATE SKIP LOCKED
        "#,
        interval(retention),
        after,
        ROWS_PER_STEP,
    )
    .fetch_all(&mut tx)
    .await?;
    let Some((lowest, highest)) = ids.first().copied().zip(ids.last().copied()) else {
        return Ok(DeletedDeliveries { deleted: 0, last: None });
    };
    let deleted = sqlx::query!(
        r#"
        DELETE FROM avinode_ingest.deliveries
        WHERE id = ANY ($1) AND id BETWEEN $2 AND $3
            AND id <> ALL (ARRAY(
                SELECT delivery_id FROM avinode_ingest.jobs WHERE delivery_id BETWEEN $2 AND $3
                UNION ALL
                SELECT delivery_id FROM avinode_ingest.dead_jobs WHERE delivery_id BETWEEN $2 AND $3
            ))
        "#,
        &ids,
        lowest,
        highest,
    )
    .execute(&mut tx)
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(DeletedDeliveries {
        deleted,
        last: Some(highest),
    })
}

/// The state of the partitions, for `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    /// The first month of the next two without a partition, as `2027-01`.
    pub missing: Option<String>,
    /// The oldest partition that should have been dropped more than a day ago.
    pub overdue: Option<OverduePartition>,
    /// Deliveries in the default partition, counted up to 1,000.
    pub in_default: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverduePartition {
    pub name: String,
    /// The time at which it expired.
    pub since: DateTime<Utc>,
    /// The jobs that need its deliveries, dead ones included.
    pub jobs: i64,
}

/// Reads the state of the partitions. The statements are unnamed, because `check` works behind any pooler.
pub async fn status(pool: &Pool, retention: Duration) -> Result<PartitionStatus, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let (missing, in_default) = sqlx::query_as(
        r"
        SELECT (
            SELECT min(to_char(month, 'YYYY-MM'))
            FROM generate_series(0, 1) AS ahead,
                LATERAL (SELECT date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => ahead))
                    AS next (month)
            WHERE NOT EXISTS (
                SELECT FROM avinode_ingest.delivery_partitions()
                WHERE NOT is_default
                    AND (lower_id IS NULL OR lower_id <= avinode_ingest.uuid_of_time(month AT TIME ZONE 'UTC'))
                    AND upper_id > avinode_ingest.uuid_of_time(month AT TIME ZONE 'UTC')
            )
        ), (
            SELECT count(*) FROM (SELECT FROM avinode_ingest.deliveries_default LIMIT 1000) AS misplaced
        )",
    )
    .persistent(false)
    .fetch_one(&mut tx)
    .await?;
    let overdue: Option<(String, DateTime<Utc>, i64)> = sqlx::query_as(
        r"
        SELECT name, avinode_ingest.time_of_uuid(upper_id) + $1, (
            SELECT count(*) FROM (
                SELECT delivery_id FROM avinode_ingest.jobs
                UNION ALL
                SELECT delivery_id FROM avinode_ingest.dead_jobs
            ) AS job
            WHERE delivery_id < upper_id AND (lower_id IS NULL OR delivery_id >= lower_id)
        )
        FROM avinode_ingest.delivery_partitions()
        WHERE NOT is_default AND upper_id <= avinode_ingest.uuid_of_time(clock_timestamp() - $1 - interval '1 day')
        ORDER BY upper_id
        LIMIT 1",
    )
    .bind(interval(retention))
    .persistent(false)
    .fetch_optional(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(PartitionStatus {
        missing,
        overdue: overdue.map(|(name, since, jobs)| OverduePartition { name, since, jobs }),
        in_default,
    })
}
