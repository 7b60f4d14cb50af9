//! The floor of applying: the final rows of a run of the workers, written by set-based SQL in the same batches. It reads no
//! state, decides nothing and sends no row: the rows come from tables of the same server. No implementation with these
//! tables can be faster.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::Result;
use crate::database::{Database, copy_name};

/// The inserted tables: name, the condition that joins a row to its event, and the trip's order.
const INSERTED: [(&str, &str); 7] = [
    ("avinode_ingest.event_keys", "source.event_id = event.event_id"),
    ("avinode_ingest.quote_facts", "source.quote_id = event.quote_id"),
    ("public.quotes", "source.avinode_quote_id = event.quote_id"),
    ("avinode_ingest.ledger", "source.quote_id = event.quote_id"),
    ("avinode_ingest.timeline", "source.delivery_id = event.delivery_id"),
    ("avinode_ingest.outcomes", "source.job_id = event.job_id"),
    (
        "avinode_ingest.rfqs",
        "source.rfq_id = event.rfq_id AND event.is_first_of_rfq",
    ),
];

/// Writes the rows of the run that has just ended, from the state before it. Returns the events per second.
pub async fn run(database: &Database, before: &str, connections: usize) -> Result<f64> {
    let events = prepare(database).await?;
    database.restore(before).await?;
    let next = Arc::new(AtomicI64::new(1));
    let batches: i64 = sqlx::query_scalar("SELECT max(batch) FROM floor.events")
        .fetch_one(&database.pool)
        .await?;
    let mut writers = Vec::new();
    for _ in 0..connections {
        let mut connection = PgConnection::connect_with(&database.cluster.options(&database.name)).await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        let next = next.clone();
        writers.push(async move {
            loop {
                let batch = next.fetch_add(1, Ordering::Relaxed);
                if batch > batches {
                    return connection.close().await;
                }
                sqlx::query("SELECT floor.write($1)")
                    .bind(batch)
                    .execute(&mut connection)
                    .await?;
            }
        });
    }
    let began = Instant::now();
    let running: Vec<_> = writers.into_iter().map(tokio::spawn).collect();
    for writer in running {
        writer.await??;
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    check(database, events).await?;
    Ok(rate)
}

/// Those of the workers' transactions. Nested loops find the rows of a batch in the order of its table, which is the order of
/// trips: two writers never wait for each other in a circle.
const SETTINGS: &str = "SET avinode_ingest.writer = 'on'; SET synchronous_commit = off; SET jit = off; \
    SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off";

/// Copies the rows, each with the number of its batch, and makes the function that writes a batch. Returns the events.
async fn prepare(database: &Database) -> Result<i64> {
    database
        .execute("DROP SCHEMA IF EXISTS floor CASCADE; CREATE SCHEMA floor")
        .await?;
    // A batch is a transaction of the workers; the transaction of an outcome is its xmin.
    database
        .execute(
            "CREATE UNLOGGED TABLE floor.events AS
             WITH batch AS (
                 SELECT xmin::text AS transaction, row_number() OVER (ORDER BY max(finished_at)) AS batch
                 FROM avinode_ingest.outcomes WHERE kind = 'full_event' GROUP BY 1
             )
             SELECT batch.batch, job_id, delivery_id, event_key.event_id, fact.quote_id, fact.rfq_id, fact.trip_key,
                 fact.projected_id, row_number() OVER (PARTITION BY fact.rfq_id ORDER BY batch.batch, job_id) = 1 AS is_first_of_rfq
             FROM avinode_ingest.outcomes AS outcome
             JOIN batch ON batch.transaction = outcome.xmin::text
             JOIN avinode_ingest.event_keys AS event_key USING (delivery_id)
             JOIN avinode_ingest.quote_facts AS fact
                 ON fact.quote_id = 'aquote-' || 100000000 + split_part(event_key.event_id, '-', 2)::int;
             CREATE INDEX ON floor.events (batch); ANALYZE floor.events;
             CREATE UNLOGGED TABLE floor.trips AS
             SELECT event.batch, event.trip_key, session.id AS session_id, count(*) AS quotes, max(event.projected_id::text)::uuid AS quote
             FROM floor.events AS event
             JOIN public.chat_sessions AS session ON session.avinode_trip_id = 'atrip-' || substring(event.trip_key FROM '\\d+$')
             GROUP BY 1, 2, 3 ORDER BY 1, 2;
             CREATE INDEX ON floor.trips (batch, trip_key)",
        )
        .await?;
    let mut writes = Vec::new();
    for table in [
        "avinode_ingest.trips",
        "avinode_ingest.session_state",
        "public.chat_sessions",
    ] {
        database
            .execute(format!(
                "CREATE UNLOGGED TABLE floor.{} AS TABLE {table}",
                copy_name(table)
            ))
            .await?;
    }
    for (table, is_of_event) in INSERTED {
        let (columns, copy) = (database.columns(table).await?.join(", "), copy_name(table));
        database
            .execute(format!(
                "CREATE UNLOGGED TABLE floor.{copy} AS
                 SELECT event.batch, source.* FROM floor.events AS event JOIN {table} AS source ON {is_of_event}
                 ORDER BY event.batch, event.trip_key, event.quote_id;
                 CREATE INDEX ON floor.{copy} (batch)"
            ))
            .await?;
        writes.push(format!(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM floor.{copy} WHERE batch = $1;"
        ));
    }
    writes.insert(0, update(database, "avinode_ingest.trips", "key", "trip_key").await?);
    writes.push(update(database, "avinode_ingest.session_state", "session_id", "session_id").await?);
    writes.push(SESSIONS.to_owned());
    writes.push(JOBS.to_owned());
    database
        .execute(format!(
            "CREATE FUNCTION floor.write(bigint) RETURNS void LANGUAGE plpgsql AS $$ BEGIN {} END $$",
            writes.join("\n")
        ))
        .await?;
    Ok(sqlx::query_scalar("SELECT count(*) FROM floor.events")
        .fetch_one(&database.pool)
        .await?)
}

/// The columns that a quote changes. The primary quote is one of the batch, because the final one may not be written yet.
const SESSIONS: &str = "UPDATE public.chat_sessions AS session
    SET quotes_received_count = session.quotes_received_count + trip.quotes, primary_quote_id = trip.quote,
        quotes_expected_count = final.quotes_expected_count, operators_contacted_count = final.operators_contacted_count,
        last_activity_at = final.last_activity_at, current_step = final.current_step, updated_at = clock_timestamp()
    FROM floor.trips AS trip JOIN floor.public_chat_sessions AS final ON final.id = trip.session_id
    WHERE trip.batch = $1 AND session.id = trip.session_id;";

const JOBS: &str = "DELETE FROM avinode_ingest.jobs AS job USING floor.events AS event
    WHERE event.batch = $1 AND job.id = event.job_id;";

/// An update of all columns of the rows of a batch's trips to their final values.
async fn update(database: &Database, table: &str, key: &str, of_trip: &str) -> Result<String> {
    let columns = database.columns(table).await?;
    let set: Vec<String> = columns
        .iter()
        .filter(|column| *column != key)
        .map(|column| format!("{column} = final.{column}"))
        .collect();
    let copy = copy_name(table);
    database
        .execute(format!("CREATE INDEX ON floor.{copy} ({key})"))
        .await?;
    Ok(format!(
        "UPDATE {table} AS row SET {} FROM floor.trips AS trip JOIN floor.{copy} AS final ON final.{key} = trip.{of_trip}
         WHERE trip.batch = $1 AND row.{key} = trip.{of_trip};",
        set.join(", ")
    ))
}

/// Checks that the floor wrote as many rows as the workers did, counted every quote and finished every job.
async fn check(database: &Database, events: i64) -> Result<()> {
    for (table, _) in INSERTED {
        let copy = copy_name(table);
        let (written, expected): (i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM floor.{copy})"
        )))
        .fetch_one(&database.pool)
        .await?;
        if written < expected || expected == 0 {
            return Err(format!("the floor wrote {written} of {expected} rows of {table}").into());
        }
    }
    let (counted, left): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT sum(quotes_received_count) FROM public.chat_sessions), (SELECT count(*) FROM avinode_ingest.jobs)",
    )
    .fetch_one(&database.pool)
    .await?;
    match counted == events && left == 0 {
        true => Ok(()),
        false => Err(format!("the floor counted {counted} of {events} quotes and left {left} jobs").into()),
    }
}
