//! The private database: its settings, and the state to which it is put back between measurements.

use std::sync::Arc;

use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use avinode_ingest::postgres::migrator;
use avinode_ingest::postgres::transaction::Pool;
use sqlx::{AssertSqlSafe, PgPool};

use crate::Result;

/// The state after the migrations.
const MIGRATED: &str = "migrated";
const DELIVERIES: &str = "avinode_ingest.deliveries";

/// Those of a small dedicated server. A checkpoint in the middle of a measurement is made rare, because it would be the
/// largest difference between two rounds.
const SETTINGS: [(&str, &str); 5] = [
    ("shared_buffers", "512MB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "1h"),
    ("max_connections", "200"),
    ("track_commit_timestamp", "on"), // the time at which a row became visible, without a query during the measurement
];

pub struct Database {
    pub cluster: Arc<EmbeddedPostgres>,
    pub pool: PgPool,
    pub name: String,
    /// True if `pg_stat_statements` counts.
    statements: bool,
}

impl Database {
    /// Starts a server with an empty, migrated database.
    pub async fn start(statements: bool) -> Result<Self> {
        let mut settings = SETTINGS.to_vec();
        if statements {
            settings.push(("shared_preload_libraries", "pg_stat_statements"));
        }
        let cluster = EmbeddedPostgres::start(EmbeddedOptions {
            settings: settings
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..EmbeddedOptions::default()
        })
        .await?;
        let started = Self::create(Arc::new(cluster), "measured", statements).await?;
        if statements {
            started.execute("CREATE EXTENSION pg_stat_statements").await?;
        }
        Ok(started)
    }

    /// Creates another database on the same server, empty and migrated.
    pub async fn sibling(&self, name: &str) -> Result<Self> {
        Self::create(self.cluster.clone(), name, false).await
    }

    async fn create(cluster: Arc<EmbeddedPostgres>, name: &str, statements: bool) -> Result<Self> {
        cluster.create_database(name).await?;
        migrator::migrate(&cluster.options(name)).await?;
        let created = Self {
            pool: PgPool::connect_with(cluster.options(name)).await?,
            cluster,
            name: name.to_owned(),
            statements,
        };
        created.save(MIGRATED).await?;
        Ok(created)
    }

    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// The same database for the product's own functions.
    pub fn product_pool(&self) -> Pool {
        Pool::from(self.pool.clone())
    }

    pub async fn execute(&self, sql: impl Into<String>) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&self.pool).await?;
        Ok(())
    }

    /// Returns the version and the settings that decide durability.
    pub async fn settings(&self) -> Result<String> {
        Ok(sqlx::query_scalar(
            "SELECT format('PostgreSQL %s, fsync %s, synchronous_commit %s, full_page_writes %s, shared_buffers %s',
                current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
                current_setting('full_page_writes'), current_setting('shared_buffers'))",
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// Puts all tables back to the state after the migrations: no deliveries, and nothing of the application.
    pub async fn clear(&self) -> Result<()> {
        self.truncate(&[DELIVERIES.to_owned()]).await?;
        self.restore(MIGRATED).await
    }

    async fn truncate(&self, tables: &[String]) -> Result<()> {
        let tables = tables.join(", ");
        self.execute(format!(
            "BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE {tables}; COMMIT"
        ))
        .await
    }

    /// Copies all tables but the deliveries, which nothing changes or deletes, so that [`Self::restore`] puts them back.
    pub async fn save(&self, state: &str) -> Result<()> {
        self.execute(format!("DROP SCHEMA IF EXISTS {state} CASCADE; CREATE SCHEMA {state}"))
            .await?;
        for table in self.tables().await? {
            let copy = copy_name(&table);
            self.execute(format!("CREATE UNLOGGED TABLE {state}.{copy} AS TABLE {table}"))
                .await?;
        }
        Ok(())
    }

    /// Puts all tables back to a saved state, without triggers, and prepares them for a measurement.
    pub async fn restore(&self, state: &str) -> Result<()> {
        let tables = self.tables().await?;
        self.truncate(&tables).await?;
        let mut sql = "BEGIN; SET LOCAL session_replication_role = replica;".to_owned();
        for table in tables {
            let (columns, copy) = (self.columns(&table).await?.join(", "), copy_name(&table));
            sql.push_str(&format!(
                "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {state}.{copy};"
            ));
        }
        self.execute(sql + "COMMIT").await?;
        self.settle().await
    }

    /// Vacuums, analyses and writes a checkpoint, so that no work of before is paid for during a measurement.
    pub async fn settle(&self) -> Result<()> {
        self.execute("VACUUM (ANALYZE)").await?;
        self.execute("CHECKPOINT").await
    }

    /// The tables that a measurement changes, with their schema.
    async fn tables(&self) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(
            "SELECT format('%I.%I', nspname, relname)
             FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname IN ('public', 'avinode_ingest') AND relkind IN ('r', 'p') AND NOT relispartition
                 AND relname NOT LIKE '%migrations%' AND relname <> 'deliveries'
             ORDER BY 1",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The columns of a table that can be inserted.
    pub async fn columns(&self, table: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(
            "SELECT quote_ident(attname) FROM pg_attribute
             WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
             ORDER BY attnum",
        )
        .bind(table)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Forgets the statements counted so far, if they are counted.
    pub async fn reset_statements(&self) -> Result<()> {
        match self.statements {
            true => self.execute("SELECT pg_stat_statements_reset()").await,
            false => Ok(()),
        }
    }

    /// Prints the statements that took the most time since the last reset, if they are counted.
    pub async fn print_statements(&self) -> Result<()> {
        if !self.statements {
            return Ok(());
        }
        let rows: Vec<(i64, f64, i64, i64, String)> = sqlx::query_as(
            "SELECT calls, total_exec_time, rows, shared_blks_hit, left(regexp_replace(query, '\\s+', ' ', 'g'), 110)
             FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 40",
        )
        .fetch_all(&self.pool)
        .await?;
        println!(
            "{:>9} {:>10} {:>10} {:>12}  statement",
            "calls", "total ms", "rows", "pages hit"
        );
        for (calls, milliseconds, rows, pages, query) in rows {
            println!("{calls:>9} {milliseconds:>10.1} {rows:>10} {pages:>12}  {query}");
        }
        Ok(())
    }

    /// Drops the database, if it is a sibling.
    pub async fn drop(self, server: &Self) -> Result<()> {
        self.pool.close().await;
        server
            .execute(format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
    }

    /// Stops the server. Siblings must be dropped before.
    pub async fn stop(self) -> Result<()> {
        self.pool.close().await;
        let cluster = Arc::into_inner(self.cluster).ok_or("a database of the server is still in use")?;
        cluster.stop().await?;
        Ok(())
    }
}

/// The name of a copy of a table in another schema.
pub fn copy_name(table: &str) -> String {
    table.replace('.', "_")
}
