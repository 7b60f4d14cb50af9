//! Shared counters: numbers that all processes add to, each in a row of `leader_leases`. A table of its own would hold a row.

use ingest_postgres::transaction::Pool;

/// Adds to a counter. The holder of the row is the process that added last.
pub async fn add(pool: &Pool, name: &str, process: &str, number: i64) -> Result<(), sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.leader_leases AS counter (name, holder, held_until, status)
        VALUES ($1, $2, clock_timestamp(), jsonb_build_object('total', $3::bigint))
        ON CONFLICT (name) DO UPDATE
        SET holder = EXCLUDED.holder, held_until = EXCLUDED.held_until,
            status = jsonb_build_object('total', coalesce((counter.status ->> 'total')::bigint, 0) + $3::bigint)
        "#,
        name,
        process,
        number,
    );
    pool.execute(statement).await.map(drop)
}

/// Reads a counter; 0 if no process has added to it.
pub async fn read(pool: &Pool, name: &str) -> Result<i64, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        SELECT coalesce((
            SELECT (status ->> 'total')::bigint FROM avinode_ingest.leader_leases WHERE name = $1
        ), 0) AS "total!"
        "#,
        name
    );
    Ok(pool.fetch_one(statement).await?.total)
}
