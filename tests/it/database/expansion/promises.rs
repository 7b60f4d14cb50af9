//! The objects of a schema that a program may use, and the constraints on what it writes, from the catalogue of Postgres.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

/// Tables, columns, indexes, functions and triggers: what a program may use. Partitions come and go, and are left out.
const PROMISES: &str = "
    WITH ours AS (
        SELECT oid, relkind, relrowsecurity FROM pg_class
        WHERE relnamespace IN ('public'::regnamespace, 'avinode_ingest'::regnamespace) AND NOT relispartition
    ), columns AS (
        SELECT format('column %s.%I', attrelid::regclass, attname) AS name, format_type(atttypid, atttypmod) AS type, attnotnull,
            atthasdef OR attidentity <> '' AS is_filled
        FROM pg_attribute JOIN ours ON ours.oid = attrelid
        WHERE relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT attisdropped
    )
    SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END, oid::regclass)
    FROM ours WHERE relkind IN ('r', 'p', 'v', 'S')
    UNION ALL SELECT format('%s %s', name, type) FROM columns
    UNION ALL SELECT format('%s %s', name, CASE WHEN attnotnull THEN 'is never NULL' ELSE 'accepts NULL' END) FROM columns
    UNION ALL SELECT format('%s has a default', name) FROM columns WHERE is_filled
    UNION ALL SELECT regexp_replace(pg_get_indexdef(indexrelid), ' INDEX \\S+ ON (ONLY )?', ' INDEX ON ')
    FROM pg_index JOIN ours ON ours.oid = indrelid
    UNION ALL SELECT format('function %s(%s) returns %s', pg_proc.oid::regproc, pg_get_function_identity_arguments(pg_proc.oid),
        pg_get_function_result(pg_proc.oid))
    FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, 'avinode_ingest'::regnamespace)
    UNION ALL SELECT format('trigger %I on %s, enabled %s', tgname, tgrelid::regclass, tgenabled)
    FROM pg_trigger JOIN ours ON ours.oid = tgrelid WHERE NOT tgisinternal";

/// The constraints of a table on new rows: table, name of the constraint, its text, and its columns. A column that
/// must be given is about the whole table.
const DEMANDS: &str = "
    WITH ours AS (
        SELECT oid, relrowsecurity FROM pg_class
        WHERE relnamespace IN ('public'::regnamespace, 'avinode_ingest'::regnamespace) AND NOT relispartition AND relkind IN ('r', 'p')
    )
    SELECT attrelid::regclass::text, attname::text, format('column %s.%I must be given', attrelid::regclass, attname), ARRAY[]::text[]
    FROM pg_attribute JOIN ours ON ours.oid = attrelid
    WHERE attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef AND attidentity = ''
    UNION ALL SELECT conrelid::regclass::text, conname::text,
        format('constraint %I on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(pg_constraint.oid)),
        ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey))
    FROM pg_constraint JOIN ours ON ours.oid = conrelid WHERE contype IN ('c', 'f', 'x')
    UNION ALL SELECT indrelid::regclass::text, indexrelid::regclass::text,
        regexp_replace(pg_get_indexdef(indexrelid), ' INDEX \\S+ ON (ONLY )?', ' INDEX ON '),
        ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey))
    FROM pg_index JOIN ours ON ours.oid = indrelid WHERE indisunique
    UNION ALL SELECT oid::regclass::text, 'row-level security', format('row-level security on %s', oid::regclass), ARRAY[]::text[]
    FROM ours WHERE relrowsecurity";

const COLUMNS: &str = "
    SELECT attrelid::regclass::text, attname::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace IN ('public'::regnamespace, 'avinode_ingest'::regnamespace) AND attnum > 0 AND NOT attisdropped";

/// A demand, and the columns that it is about.
#[derive(Debug)]
struct Demand {
    text: String,
    columns: Vec<String>,
}

#[derive(Debug)]
pub struct Schema {
    promises: BTreeSet<String>,
    /// By table and name.
    demands: BTreeMap<(String, String), Demand>,
    /// By table.
    columns: BTreeMap<String, BTreeSet<String>>,
}

impl Schema {
    pub async fn read(connection: &mut PgConnection) -> Self {
        let promises: Vec<String> = sqlx::query_scalar(PROMISES).fetch_all(&mut *connection).await.unwrap();
        let demands: Vec<(String, String, String, Vec<String>)> =
            sqlx::query_as(DEMANDS).fetch_all(&mut *connection).await.unwrap();
        let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let all: Vec<(String, String)> = sqlx::query_as(COLUMNS).fetch_all(connection).await.unwrap();
        for (table, column) in all {
            columns.entry(table).or_default().insert(column);
        }
        let demands = demands
            .into_iter()
            .map(|(table, name, text, columns)| ((table, name), Demand { text, columns }));
        Self {
            promises: promises.into_iter().collect(),
            demands: demands.collect(),
            columns,
        }
    }

    /// The objects that a later schema lacks, and the constraints that it adds. A constraint of the same name that
    /// changed is left out: it may ask for less.
    pub fn broken_in(&self, later: &Self) -> Vec<String> {
        let lost = self.promises.difference(&later.promises).cloned();
        let is_new = |((table, name), demand): &(&(String, String), &Demand)| {
            let Some(known) = self.columns.get(table) else {
                return false;
            };
            let concerns_older_programs =
                demand.columns.is_empty() || demand.columns.iter().any(|column| known.contains(column));
            concerns_older_programs && !self.demands.contains_key(&(table.clone(), name.clone()))
        };
        let demanded = later
            .demands
            .iter()
            .filter(is_new)
            .map(|(_, demand)| demand.text.clone());
        lost.chain(demanded).collect()
    }
}
