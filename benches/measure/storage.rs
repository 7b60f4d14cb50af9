//! Disk: bytes of each table and of its indexes, per delivery that was received and applied.

use std::collections::BTreeMap;

use crate::Result;
use crate::backlog::{self, Order};
use crate::database::Database;
use crate::options::Options;
use crate::report::Section;
use crate::samples::number;

/// Quotes of a trip.
const QUOTES: usize = 10;
/// Tables that grow by less than this many bytes a delivery are one row.
const LEAST: f64 = 1.0;

/// Bytes of the rows with their long values, and bytes of the indexes.
type Sizes = BTreeMap<String, (f64, f64)>;

pub async fn measure(database: &Database, options: &Options) -> Result<Section> {
    let events = options.events();
    let trips = events / QUOTES;
    backlog::seed_trips(database, trips).await?;
    database.settle().await?;
    let before = sizes(database).await?;
    backlog::receive(database, 0..events, trips, Order::Random).await?;
    backlog::drain(database, 2).await?;
    database.settle().await?;
    let mut grown: Vec<(String, f64, f64)> = sizes(database)
        .await?
        .into_iter()
        .map(|(table, (rows, indexes))| {
            let (rows_before, indexes_before) = before.get(&table).copied().unwrap_or_default();
            let per_delivery = |now: f64, then: f64| (now - then) / events as f64;
            (
                table,
                per_delivery(rows, rows_before),
                per_delivery(indexes, indexes_before),
            )
        })
        .collect();
    grown.sort_by(|left, right| (right.1 + right.2).total_cmp(&(left.1 + left.2)));
    let mut section = Section::new(
        "storage",
        format!(
            "{} quote events of {} bytes, applied over {} trips with {QUOTES} quotes each; bytes per delivery, after a vacuum.",
            number(events as f64),
            number(backlog::event(0, trips).len() as f64),
            number(trips as f64)
        ),
        &["table", "rows", "indexes", "together"],
    );
    let row = |name: &str, rows: f64, indexes: f64| {
        [
            name.to_owned(),
            number(rows.round()),
            number(indexes.round()),
            number((rows + indexes).round()),
        ]
    };
    let (large, small): (Vec<_>, Vec<_>) = grown.iter().partition(|(_, rows, indexes)| rows + indexes >= LEAST);
    let sum = |tables: &[&(String, f64, f64)]| {
        tables
            .iter()
            .fold((0.0, 0.0), |(rows, indexes), table| (rows + table.1, indexes + table.2))
    };
    for (table, rows, indexes) in &large {
        section.row(row(table, *rows, *indexes));
    }
    let (rows, indexes) = sum(&small);
    section.row(row("all others", rows, indexes));
    let (rows, indexes) = sum(&grown.iter().collect::<Vec<_>>());
    section.row(row("all", rows, indexes));
    Ok(section)
}

/// Partitions count as their table.
async fn sizes(database: &Database) -> Result<Sizes> {
    let sizes: Vec<(String, f64, f64)> = sqlx::query_as(
        "SELECT coalesce(inhparent, pg_class.oid)::regclass::text, sum(pg_table_size(pg_class.oid))::float8,
             sum(pg_indexes_size(pg_class.oid))::float8
         FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid
         WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'avinode_ingest'::regnamespace)
         GROUP BY 1",
    )
    .fetch_all(&database.pool)
    .await?;
    let sizes = sizes.into_iter().map(|(table, rows, indexes)| (table, (rows, indexes)));
    Ok(sizes.collect())
}
