//! Reads the timelines of all sessions in the order of their positions.
//!
//! A position is drawn from a sequence when an entry is inserted, and the entry becomes visible when its transaction commits: a
//! lower position may become visible after a higher one. `nextval()` locks the sequence until the end of the transaction,
//! so the holders of that lock are the transactions that may still add an entry below the last position. No other
//! transaction of the instance is waited for, as it would be by `pg_snapshot_xmin`.

use uuid::Uuid;

use super::pg_timestamp::PgTimestamp;
use crate::domain::chat_session::stream::StreamEntry;
use crate::postgres::transaction::Pool;

/// The channel of notifications about committed timeline entries.
pub const CHANNEL: &str = "avinode_ingest_timeline";

/// Returns the last position that was drawn.
pub async fn last(pool: &Pool) -> Result<i64, sqlx::Error> {
    let query = sqlx::query!(
        r#"SELECT coalesce(pg_sequence_last_value('avinode_ingest.timeline_positions'::regclass), 0) AS "last!""#
    );
    Ok(pool.fetch_one(query).await?.last)
}

/// Returns the other transactions that may have drawn a position and have not ended. Read after [`last`], none is missing
/// that drew a position up to it: the lock is taken before the position, and released after the transaction is visible.
pub async fn open_transactions(pool: &Pool) -> Result<Vec<String>, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        SELECT DISTINCT virtualtransaction AS "transaction!"
        FROM pg_catalog.pg_locks
        WHERE locktype = 'relation' AND relation = 'avinode_ingest.timeline_positions'::regclass
            AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
            AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
        "#
    );
    let rows = pool.fetch_all(query).await?;
    Ok(rows.into_iter().map(|row| row.transaction).collect())
}

/// Waits until everything that is committed is durable: workers commit without waiting for the disk, and a crash would draw the
/// same positions again for other entries.
pub async fn make_durable(pool: &Pool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin_with("SET LOCAL synchronous_commit = on; ").await?;
    // A transaction that writes nothing would not wait for the disk.
    sqlx::query!("SELECT pg_logical_emit_message(true, 'avinode_ingest'::text, ''::text)::text AS place")
        .fetch_one(&mut tx)
        .await?;
    tx.commit().await
}

/// Reads at most `limit` entries after `after` and up to `to`.
pub async fn read(pool: &Pool, after: i64, to: i64, limit: i64) -> Result<Vec<StreamEntry>, sqlx::Error> {
    let query = sqlx::query_as!(
        StreamEntry,
        r#"
        SELECT entry.position AS "position!", entry.session_id AS "session_id!", session.iso_agent_id AS "iso_agent_id?: Uuid",
            entry.seq AS "seq!", entry.recorded_at AS "recorded_at!", entry.happened_at AS "happened_at!: PgTimestamp",
            entry.kind AS "kind!", entry.detail AS "detail!", entry.delivery_id AS "delivery_id?", entry.actor AS "actor?"
        FROM (
            SELECT *
            FROM avinode_ingest.timeline
            WHERE position > $1 AND position <= $2
            ORDER BY position
            LIMIT $3
        ) AS entry
        LEFT JOIN public.chat_sessions AS session ON session.id = entry.session_id
        ORDER BY entry.position
        "#,
        after,
        to,
        limit,
    );
    pool.fetch_all(query).await
}

/// Returns whether every entry after this position is still there. Retention deletes the oldest entries first, so an entry at or
/// before the position shows that none after it was deleted; without one, only the very next position does. A position that
/// was never drawn is of another database, or of transactions that a failover lost.
pub async fn is_kept(pool: &Pool, after: i64) -> Result<bool, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        SELECT $1 <= drawn.last AND (
            EXISTS (SELECT FROM avinode_ingest.timeline WHERE position IS NULL)
            OR EXISTS (SELECT FROM avinode_ingest.timeline WHERE position <= $1)
            OR $1 = coalesce((SELECT min(position) - 1 FROM avinode_ingest.timeline), drawn.last)
        ) AS "is_kept!"
        FROM (
            SELECT coalesce(pg_sequence_last_value('avinode_ingest.timeline_positions'::regclass), 0) AS last
        ) AS drawn
        "#,
        after,
    );
    Ok(pool.fetch_one(query).await?.is_kept)
}
