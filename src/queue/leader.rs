//! Duties that one process at a time has, by a time-limited lease row, and the retention of outcomes.

use std::time::Duration;

use crate::postgres::interval::interval;
use crate::postgres::transaction::Pool;

/// Rows that one transaction deletes, so that none runs long.
const CHUNK: i64 = 5_000;

/// Takes or keeps a duty for `holder` until `hold` has passed. `false`: another process has it.
pub async fn try_acquire_leadership(
    pool: &Pool,
    name: &str,
    holder: &str,
    hold: Duration,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let taken = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.leader_leases AS lease (name, holder, held_until)
        VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (name) DO UPDATE
        SET holder = EXCLUDED.holder, held_until = EXCLUDED.held_until
        WHERE lease.holder = EXCLUDED.holder OR lease.held_until < clock_timestamp()
        "#,
        name,
        holder,
        interval(hold),
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(taken.rows_affected() == 1)
}

/// Takes a duty that comes round every so often by a setting, if it was last done longer ago than that: whatever the setting
/// was then. `false`: it is not time yet.
pub async fn take_in_turn(pool: &Pool, name: &str, holder: &str, every: Duration) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let taken = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.leader_leases AS lease (name, holder, held_until, done_at)
        -- Programs of before go by the first of the two.
        VALUES ($1, $2, clock_timestamp() + $3, clock_timestamp())
        ON CONFLICT (name) DO UPDATE
        SET holder = EXCLUDED.holder, held_until = EXCLUDED.held_until, done_at = EXCLUDED.done_at
        WHERE lease.done_at IS NULL OR lease.done_at <= clock_timestamp() - $3
        "#,
        name,
        holder,
        interval(every),
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(taken.rows_affected() == 1)
}

/// Gives a duty up, so that another process need not wait for it to run out.
pub async fn leave_duty(pool: &Pool, name: &str, holder: &str) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "DELETE FROM avinode_ingest.leader_leases WHERE name = $1 AND holder = $2",
        name,
        holder
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await
}

/// Deletes outcomes that finished more than `keep` ago, in chunks. Returns how many.
pub async fn prune_outcomes(pool: &Pool, keep: Duration) -> Result<u64, sqlx::Error> {
    let mut pruned = 0;
    loop {
        let mut tx = pool.begin().await?;
        let chunk = sqlx::query!(
            r#"
            DELETE FROM avinode_ingest.outcomes
            WHERE job_id IN (
                SELECT job_id FROM avinode_ingest.outcomes
                WHERE finished_at < clock_timestamp() - $1::interval
                ORDER BY job_id
                LIMIT $2
            )
            "#,
            interval(keep),
            CHUNK,
        )
        .execute(&mut tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        pruned += chunk;
        if chunk < CHUNK.unsigned_abs() {
            return Ok(pruned);
        }
    }
}

/// Gives back every lease whose holder's name begins with `process`, at the end of that process.
pub async fn give_back_all(pool: &Pool, process: &str) -> Result<u64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let given = sqlx::query!(
        r#"
        UPDATE avinode_ingest.jobs
        SET lease_token = NULL, leased_by = NULL, isolated_since = NULL, due_at = clock_timestamp(),
            attempts = attempts - 1
        WHERE lease_token IS NOT NULL AND starts_with(leased_by, $1)
        "#,
        process
    )
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(given.rows_affected())
}
