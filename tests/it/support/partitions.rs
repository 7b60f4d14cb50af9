//! Partitions of deliveries as they are after years.

use super::pool::Pool;

/// Replaces the first partition, which has all ids of the past and must be empty, by one for each of these many past months.
pub async fn replace_past_by_months(pool: &Pool, months: i32) {
    let replace = format!(
        "DO $$
        DECLARE
            past text := (SELECT name FROM avinode_ingest.delivery_partitions() WHERE NOT is_default AND lower_id IS NULL);
            beyond timestamptz := (
                SELECT avinode_ingest.time_of_uuid(upper_id) FROM avinode_ingest.delivery_partitions() WHERE name = past
            );
            month timestamp;
        BEGIN
            EXECUTE format('DROP TABLE avinode_ingest.%I', past);
            FOR month IN SELECT generate_series(
                date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') - make_interval(months => {months}),
                beyond AT TIME ZONE 'UTC' - interval '1 month', '1 month'
            ) LOOP
                EXECUTE format('CREATE TABLE avinode_ingest.%I PARTITION OF avinode_ingest.deliveries
                    FOR VALUES FROM (%L) TO (%L)', 'deliveries_' || to_char(month, 'YYYY_MM'),
                    avinode_ingest.uuid_of_time(month AT TIME ZONE 'UTC'),
                    avinode_ingest.uuid_of_time((month + interval '1 month') AT TIME ZONE 'UTC'));
            END LOOP;
        END
        $$"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(replace)).execute(pool).await.unwrap();
}

/// The partitions, in the order of their ids; the default partition is the last.
pub async fn names(pool: &Pool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT name FROM avinode_ingest.delivery_partitions() ORDER BY is_default, lower_id NULLS FIRST",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The partition of the month that was this many months ago.
pub async fn of_month(pool: &Pool, months_ago: i32) -> String {
    sqlx::query_scalar("SELECT to_char((clock_timestamp() AT TIME ZONE 'UTC') - make_interval(months => $1), '\"deliveries_\"YYYY_MM')")
        .bind(months_ago)
        .fetch_one(pool)
        .await
        .unwrap()
}
