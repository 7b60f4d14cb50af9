//! Growth: the rate of applying when much is known, waits or is stored already, beside the rate when it is not.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgPool};

use crate::Result;
use crate::apply;
use crate::backlog::{self, Order};
use crate::database::Database;
use crate::options::Options;
use crate::report::Section;
use crate::samples::{Samples, number};

/// The state beside which events are applied.
#[derive(Debug, Clone, Copy)]
enum Beside {
    Nothing,
    /// So many events that wait behind the measured ones, for the same trips.
    Waiting(usize),
    /// So many deliveries of the past.
    Stored(usize),
    /// A transaction that began before the events were received, and stays open: vacuum removes no row version that it may see.
    OpenTransaction,
}

/// A database in which events are applied, and its figures.
struct Case {
    name: String,
    trips: usize,
    events: usize,
    /// Quotes per trip that are known before.
    history: usize,
    beside: Beside,
    /// The place of the case that it is compared with: the same trips and events, beside nothing.
    base: Option<usize>,
    rates: Samples,
    ratios: Samples,
}

pub async fn measure(server: &Database, options: &Options) -> Result<Section> {
    let mut cases = cases(options);
    let mut databases = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        println!("growth: preparing {}", case.name);
        databases.push(prepare(server, place, case).await?);
    }
    for round in 1..=options.rounds() {
        let mut rates: Vec<f64> = Vec::new();
        for (case, database) in cases.iter_mut().zip(&databases) {
            let rate = run(database, case).await?;
            println!("growth, round {round}: {}: {} events/s", case.name, number(rate));
            case.rates.push(rate);
            if let Some(base) = case.base.and_then(|base| rates.get(base)) {
                case.ratios.push(rate / base);
            }
            rates.push(rate);
        }
    }
    for database in databases {
        database.drop(server).await?;
    }
    let mut section = Section::new(
        "growth",
        format!(
            "Events from a backlog in random order, {} workers. The ratio is to the same events of the same trips in an empty database.",
            apply::WORKERS
        ),
        &["beside", "trips", "events", "events applied/s", "÷ empty"],
    );
    for case in &cases {
        section.row([
            case.name.clone(),
            number(case.trips as f64),
            number(case.events as f64),
            case.rates.to_string(),
            if case.base.is_some() {
                case.ratios.to_string()
            } else {
                "1".to_owned()
            },
        ]);
    }
    Ok(section)
}

fn cases(options: &Options) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    // Several batches: the events of the first transaction do not count.
    let events = options.sized(4_000, 2_000);
    let mut add = |name: String, trips, events, history, beside, base| {
        cases.push(Case {
            name,
            trips,
            events,
            history,
            beside,
            base,
            rates: Samples::default(),
            ratios: Samples::default(),
        });
        cases.len() - 1
    };
    let many = options.sized(500, 50);
    let empty = add(
        format!("nothing ({many} trips)"),
        many,
        events,
        0,
        Beside::Nothing,
        None,
    );
    add(
        "32 quotes a trip".to_owned(),
        many,
        events,
        32,
        Beside::Nothing,
        Some(empty),
    );
    for (history, trips) in options.sized(vec![(200, 200), (2_000, 50)], vec![(100, 20)]) {
        let empty = add(
            format!("nothing ({trips} trips)"),
            trips,
            events,
            0,
            Beside::Nothing,
            None,
        );
        add(
            format!("{} quotes a trip", number(history as f64)),
            trips,
            events,
            history,
            Beside::Nothing,
            Some(empty),
        );
    }
    let (waiting, stored) = (options.waiting(), options.stored());
    let name = |count, what| format!("{} {what}", number(count as f64));
    add(
        name(waiting, "events waiting"),
        many,
        events,
        0,
        Beside::Waiting(waiting),
        Some(empty),
    );
    add(
        name(stored, "stored deliveries"),
        many,
        events,
        0,
        Beside::Stored(stored),
        Some(empty),
    );
    let events = options.sized(20_000, 2_000);
    let empty = add(
        format!("nothing ({many} trips, more events)"),
        many,
        events,
        0,
        Beside::Nothing,
        None,
    );
    add(
        "an open transaction".to_owned(),
        many,
        events,
        0,
        Beside::OpenTransaction,
        Some(empty),
    );
    cases
}

/// Makes the state before the measurement, and saves it.
async fn prepare(server: &Database, place: usize, case: &Case) -> Result<Database> {
    let database = server.sibling(&format!("growth_{place}")).await?;
    let Case { trips, events, .. } = *case;
    backlog::seed_trips(&database, trips).await?;
    let known = case.history * trips;
    if known > 0 {
        backlog::receive(&database, 0..known, trips, Order::ByTrip).await?;
        backlog::drain(&database, apply::WORKERS).await?;
        database.execute("TRUNCATE avinode_ingest.outcomes").await?;
    }
    if let Beside::Stored(count) = case.beside {
        store(&database.pool, count).await?;
    }
    backlog::receive(&database, known..known + events, trips, Order::Random).await?;
    if let Beside::Waiting(count) = case.beside {
        wait_behind(&database.pool, events, count, trips).await?;
    }
    database.save("before").await?;
    Ok(database)
}

async fn run(database: &Database, case: &Case) -> Result<f64> {
    let mut open = None;
    if matches!(case.beside, Beside::OpenTransaction) {
        let mut connection = PgConnection::connect_with(&database.cluster.options(&database.name)).await?;
        sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
            .execute(&mut connection)
            .await?;
        open = Some(connection);
    }
    // TRUNCATE makes new files: the open transaction keeps the old row versions of this measurement only.
    database.restore("before").await?;
    let rate = match case.beside {
        Beside::Waiting(_) => apply::run_some(database, case.events).await?,
        _ => apply::run(database, case.events).await?.rate,
    };
    if let Some(connection) = open {
        connection.close().await?;
    }
    Ok(rate)
}

/// Stores deliveries of the hours before, whose jobs are done. Their bodies are short: the number of rows counts.
async fn store(pool: &PgPool, count: usize) -> Result<()> {
    sqlx::query(
        "INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
         SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
                 || '8' || substr(md5(n::text), 4, 15))::uuid, at, 'hmac#1', '', '{\"event\":\"TripSomethingElse\",\"data\":{}}'
         FROM generate_series(1, $1::bigint) AS n,
             LATERAL (SELECT now() - interval '1 hour' + n * (interval '50 minutes' / $1::bigint)) AS time (at)",
    )
    .bind(i64::try_from(count)?)
    .execute(pool)
    .await?;
    Ok(())
}

/// Adds events of the same trips, received after those that are measured: copies of one of them under other ids.
async fn wait_behind(pool: &PgPool, first: usize, count: usize, trips: usize) -> Result<()> {
    let template = backlog::body("evt-NUMBER", "2026-01-02T03:04:05.678Z", "TRIP", "RFQ", "QUOTE");
    sqlx::query(
        "WITH kept AS (
             INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
             SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
                     || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
                 clock_timestamp(), 'hmac#1', '',
                 convert_to(replace(replace(replace(replace($1, 'NUMBER', n::text), 'TRIP', 'atrip-' || 10000000 + n % $4),
                     'RFQ', 'arfq-' || 100000000 + n), 'QUOTE', 'aquote-' || 100000000 + n), 'UTF8')
             FROM generate_series($2::bigint, $2 + $3::bigint - 1) AS n
             RETURNING id, convert_from(body, 'UTF8')::json #>> '{data,trip,id}' AS trip
         )
         INSERT INTO avinode_ingest.jobs (kind, batch_key, delivery_id) SELECT 'full_event', trip, id FROM kept",
    )
    .bind(template)
    .bind(i64::try_from(first)?)
    .bind(i64::try_from(count)?)
    .bind(i64::try_from(trips)?)
    .execute(pool)
    .await?;
    Ok(())
}
