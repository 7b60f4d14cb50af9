//! One step over a table with texts: reads a page by key, and redacts the rows in it that need it. The rules work on rows as JSON.

use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;

use super::ROWS_PER_STEP;
use super::scope::RedactionScope;
use crate::domain::redaction::Redaction;
use crate::postgres::transaction::{Pool, Transaction};

pub type Row = Map<String, Value>;

/// A table, and the rule for its rows. All names are constants of [`super::records`].
pub struct RedactedTable {
    pub name: &'static str,
    /// The key with its types, by which pages are read.
    pub key: &'static [(&'static str, &'static str)],
    /// The columns that hold texts.
    pub texts: &'static [&'static str],
    /// Columns that the rule reads beside.
    pub read: &'static [&'static str],
    /// Of trips: the column by which their rows are found. Without it all rows are read.
    pub by: Option<(&'static str, By)>,
    pub is_in_scope: fn(&RedactionScope, &Row) -> bool,
    /// Returns true if the row changes.
    pub redact: fn(&Redaction, &mut Row) -> bool,
    pub write: RowWrite,
    /// Locks the row of the trip first, as workers do: they write back what they read under that lock.
    pub locks_trip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Trip,
    Quote,
    Session,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowWrite {
    Update,
    Delete,
}

/// The result of a step.
#[derive(Debug, Clone, Default)]
pub struct TextStep {
    /// The last row that was read; `None` after the last one of all.
    pub last: Option<Row>,
    pub rows: u64,
}

impl RedactedTable {
    /// Redacts rows after this one.
    pub async fn step(
        &self,
        pool: &Pool,
        scope: &RedactionScope,
        after: Option<&Row>,
        dry_run: bool,
    ) -> Result<TextStep, sqlx::Error> {
        let page = self.page(pool, scope, after).await?;
        let last = page.last().cloned();
        let affected = self.redacted(scope, page);
        let rows = affected.len() as u64;
        if dry_run || affected.is_empty() {
            return Ok(TextStep { last, rows });
        }
        let mut tx = pool.begin_with("SET LOCAL lock_timeout = '300ms'; ").await?;
        if self.locks_trip {
            lock_trips(&mut tx, &affected).await?;
        }
        // Once more under the locks: a worker may have written them meanwhile.
        let locked = self.lock(&mut tx, affected).await?;
        let rows = self.write(&mut tx, self.redacted(scope, locked)).await?;
        tx.commit().await?;
        Ok(TextStep { last, rows })
    }

    fn redacted(&self, scope: &RedactionScope, rows: Vec<Row>) -> Vec<Row> {
        let in_scope = rows.into_iter().filter(|row| (self.is_in_scope)(scope, row));
        in_scope
            .filter_map(|mut row| (self.redact)(&scope.redaction, &mut row).then_some(row))
            .collect()
    }

    async fn page(&self, pool: &Pool, scope: &RedactionScope, after: Option<&Row>) -> Result<Vec<Row>, sqlx::Error> {
        let key = self.names(self.key.iter().map(|(name, _)| *name));
        let trips = scope.trips.as_ref().and_then(|trips| {
            let (column, by) = self.by?;
            Some(match by {
                By::Trip => (format!("{column} = ANY ($1::text[])"), trips.trip_keys.clone()),
                By::Quote => (format!("{column} = ANY ($1::text[])"), trips.quotes.clone()),
                By::Session => (
                    format!("{column} = ANY ($1::text[]::uuid[])"),
                    trips.sessions.iter().map(ToString::to_string).collect(),
                ),
            })
        });
        let (filter, values) = trips.unwrap_or_else(|| ("$1::text[] IS NOT NULL".to_owned(), Vec::new()));
        let beyond = match after {
            None => "$2::jsonb IS NULL".to_owned(),
            Some(_) => {
                let of = |(name, kind): &(&str, &str)| format!("($2::jsonb ->> '{name}')::{kind}");
                let values: Vec<String> = self.key.iter().map(of).collect();
                format!("({key}) > ({})", values.join(", "))
            }
        };
        let columns = self.names(self.columns());
        let statement = format!(
            "SELECT to_jsonb(page) FROM (
                SELECT {columns} FROM avinode_ingest.{} WHERE {filter} AND {beyond} ORDER BY {key} LIMIT {ROWS_PER_STEP}
            ) AS page ORDER BY {key}",
            self.name
        );
        let mut tx = pool.begin().await?;
        let rows: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(values)
            .bind(after.map(|row| Value::Object(row.clone())))
            .fetch_all(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(objects(rows))
    }

    async fn lock(&self, tx: &mut Transaction<'_>, rows: Vec<Row>) -> Result<Vec<Row>, sqlx::Error> {
        let columns: Vec<String> = self.columns().map(|name| format!("stored.{name}")).collect();
        let statement = format!(
            "SELECT to_jsonb(locked) FROM (
                SELECT {} FROM avinode_ingest.{name} AS stored
                JOIN jsonb_populate_recordset(NULL::avinode_ingest.{name}, $1) AS wanted ON {}
                FOR UPDATE OF stored
            ) AS locked",
            columns.join(", "),
            self.same_key("wanted"),
            name = self.name,
        );
        let rows: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(Value::Array(rows.into_iter().map(Value::Object).collect()))
            .fetch_all(tx)
            .await?;
        Ok(objects(rows))
    }

    async fn write(&self, tx: &mut Transaction<'_>, rows: Vec<Row>) -> Result<u64, sqlx::Error> {
        let name = self.name;
        let values = format!("jsonb_populate_recordset(NULL::avinode_ingest.{name}, $1) AS new");
        let same = self.same_key("new");
        let statement = match self.write {
            RowWrite::Update => {
                let columns: Vec<String> = self.texts.iter().map(|text| format!("{text} = new.{text}")).collect();
                let columns = columns.join(", ");
                format!("UPDATE avinode_ingest.{name} AS stored SET {columns} FROM {values} WHERE {same}")
            }
            RowWrite::Delete => format!("DELETE FROM avinode_ingest.{name} AS stored USING {values} WHERE {same}"),
        };
        let written = sqlx::query(AssertSqlSafe(statement))
            .bind(Value::Array(rows.into_iter().map(Value::Object).collect()))
            .execute(tx)
            .await?;
        Ok(written.rows_affected())
    }

    fn columns(&self) -> impl Iterator<Item = &'static str> {
        let key = self.key.iter().map(|(name, _)| *name);
        key.chain(self.texts.iter().copied()).chain(self.read.iter().copied())
    }

    fn names(&self, names: impl Iterator<Item = &'static str>) -> String {
        names.collect::<Vec<_>>().join(", ")
    }

    fn same_key(&self, other: &str) -> String {
        let same = self
            .key
            .iter()
            .map(|(name, _)| format!("stored.{name} = {other}.{name}"));
        same.collect::<Vec<_>>().join(" AND ")
    }
}

async fn lock_trips(tx: &mut Transaction<'_>, rows: &[Row]) -> Result<(), sqlx::Error> {
    let trips: Vec<String> = rows
        .iter()
        .filter_map(|row| row.get("trip_key")?.as_str().map(str::to_owned))
        .collect();
    sqlx::query!(
        "SELECT key FROM avinode_ingest.trips WHERE key = ANY ($1) ORDER BY key FOR UPDATE",
        &trips
    )
    .fetch_all(tx)
    .await
    .map(drop)
}

fn objects(rows: Vec<Value>) -> Vec<Row> {
    let object = |row| match row {
        Value::Object(row) => Some(row),
        _ => None,
    };
    rows.into_iter().filter_map(object).collect()
}
