//! Reads the server's settings and our role's privileges for `check`. It reads system catalogs only, so it works before the
//! schema is migrated.
//!
//! The queries are not checked macros: those name their statements, and `check` has to work behind a transaction pooler that is
//! not configured. Each group is one transaction, because an unnamed statement is sent in several messages.

use chrono::{DateTime, Utc};
use sqlx::Row;

use self::privileges::{MISSING_PRIVILEGES, REQUIRED_COLUMNS};
use super::server_error::readable;
use super::transaction::{Pool, Transaction};

pub mod grants;
mod privileges;

/// The oldest supported version, as in `server_version_num`.
pub const OLDEST_VERSION: i32 = 140_000;

/// Settings of the server.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ServerInfo {
    /// For example 150018.
    pub version_num: i32,
    /// For example `15.18`.
    pub version: String,
    /// The role of our connections.
    pub role: String,
    /// The server is a standby, or `default_transaction_read_only` is on.
    pub read_only: bool,
    pub fsync: bool,
    pub full_page_writes: bool,
    pub synchronous_commit: String,
    pub synchronous_standby_names: String,
    pub deadlock_timeout_ms: i32,
}

pub async fn server(pool: &Pool) -> Result<ServerInfo, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let server = sqlx::query_as(
        r#"
        SELECT current_setting('server_version_num')::int AS version_num,
            split_part(current_setting('server_version'), ' ', 1) AS version,
            current_user::text AS role,
            current_setting('transaction_read_only')::bool AS read_only,
            current_setting('fsync')::bool AS fsync,
            current_setting('full_page_writes')::bool AS full_page_writes,
            current_setting('synchronous_commit') AS synchronous_commit,
            current_setting('synchronous_standby_names') AS synchronous_standby_names,
            (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout') AS deadlock_timeout_ms
        "#,
    )
    .persistent(false)
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(server)
}

/// Returns the time of the server's clock.
pub async fn now(pool: &Pool) -> Result<DateTime<Utc>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let now = sqlx::query_scalar("SELECT clock_timestamp()")
        .persistent(false)
        .fetch_one(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(now)
}

/// Detects a transaction pooler: returns whether each connection keeps its server process and its settings.
///
/// Opens two connections. Outside of a transaction, each reads its server process, and one sets a setting that it must find
/// again. Repeated, with one or two reads on the other connection in between: with other clients, or where a pooler hands out its
/// connections in turn, a single read may look like a session. Uses the simple protocol, which sends one message per query.
pub async fn keeps_sessions(pool: &Pool) -> Result<bool, sqlx::Error> {
    probe_sessions(pool).await.map_err(readable)
}

async fn probe_sessions(pool: &Pool) -> Result<bool, sqlx::Error> {
    let mut one = pool.connection().await?;
    let mut other = pool.connection().await?;
    let set = "SELECT pg_backend_pid() AS pid, set_config('avinode_ingest.probe', 'kept', false) AS kept";
    let read = "SELECT pg_backend_pid() AS pid, current_setting('avinode_ingest.probe', true) AS kept";
    let clear = "SELECT set_config('avinode_ingest.probe', '', false)";
    let first: i32 = sqlx::raw_sql(set).fetch_one(one.raw()).await?.try_get("pid")?;
    let mut keeps = true;
    for round in 0..10 {
        for _ in 0..=round % 2 {
            let second: i32 = sqlx::raw_sql(read).fetch_one(other.raw()).await?.try_get("pid")?;
            keeps &= first != second;
        }
        let again = sqlx::raw_sql(read).fetch_one(one.raw()).await?;
        let kept: Option<String> = again.try_get("kept")?;
        keeps &= first == again.try_get::<i32, _>("pid")? && kept.as_deref() == Some("kept");
    }
    sqlx::raw_sql(clear).fetch_one(one.raw()).await?;
    Ok(keeps)
}

/// Problems of a migrated schema; all lists are empty if there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaProblems {
    /// Missing privileges, as `SELECT, INSERT ON public.quotes`.
    pub rights: Vec<String>,
    /// Tables with rows that row-level security hides from our role.
    pub hidden: Vec<String>,
    /// Our triggers on `chat_sessions` and `requests` that are missing or disabled.
    pub triggers: Vec<String>,
    /// Our indexes that an interrupted migration left invalid.
    pub indexes: Vec<String>,
    /// Columns of the application's `quotes` that reject every row of ours, as `note must be filled and has no default`.
    pub columns: Vec<String>,
}

pub async fn schema_problems(pool: &Pool) -> Result<SchemaProblems, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let problems = SchemaProblems {
        rights: list(&mut tx, MISSING_PRIVILEGES).await?,
        hidden: list(&mut tx, HIDDEN_TABLES).await?,
        triggers: list(&mut tx, BROKEN_TRIGGERS).await?,
        indexes: list(&mut tx, INVALID_INDEXES).await?,
        columns: list(&mut tx, REQUIRED_COLUMNS).await?,
    };
    tx.commit().await?;
    Ok(problems)
}

async fn list(tx: &mut Transaction<'_>, query: &'static str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(query).persistent(false).fetch_all(tx).await
}

/// A table is not listed if a policy allows our role everything.
const HIDDEN_TABLES: &str = r#"
    SELECT format('%I.%I', nspname, relname)
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE nspname = 'public' AND relname IN (
          'chat_sessions', 'quotes', 'conversations', 'requests', 'iso_agents', 'proposals'
      )
      AND row_security_active(class.oid)
      AND NOT (
          -- A permissive policy that allows everything, and no restrictive one that takes something away.
          SELECT coalesce(bool_or(polpermissive AND polcmd = '*' AND pg_get_expr(polqual, polrelid) = 'true'), false)
              AND coalesce(bool_and(polpermissive OR pg_get_expr(polqual, polrelid) = 'true'), true)
          FROM pg_catalog.pg_policy
          WHERE polrelid = class.oid AND (
              polroles = ARRAY[0::oid]
              OR EXISTS (SELECT FROM unnest(polroles) AS role WHERE role <> 0 AND pg_has_role(role, 'USAGE'))
          )
      )
    ORDER BY 1
"#;

/// `tgenabled`: `R` fires on a replica only, `D` never.
const BROKEN_TRIGGERS: &str = r#"
    SELECT name || CASE WHEN tgname IS NULL THEN ' is missing' ELSE ' is disabled' END
    FROM (VALUES
        ('chat_sessions', 'avinode_ingest_session_inserted'), ('chat_sessions', 'avinode_ingest_session_updated'),
        ('chat_sessions', 'avinode_ingest_session_deleted'), ('chat_sessions', 'avinode_ingest_sessions_truncated'),
        ('requests', 'avinode_ingest_request_inserted'), ('requests', 'avinode_ingest_request_updated'),
        ('quotes', 'avinode_ingest_quote_proposed')
    ) AS needed (table_name, name)
    LEFT JOIN pg_catalog.pg_trigger ON tgname = name AND tgrelid = (
        SELECT class.oid FROM pg_catalog.pg_class AS class
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE nspname = 'public' AND relname = needed.table_name
    )
    WHERE tgname IS NULL OR tgenabled NOT IN ('O', 'A')
    ORDER BY 1
"#;

const INVALID_INDEXES: &str = r#"
    SELECT format('%I.%I', nspname, class.relname)
    FROM pg_catalog.pg_index
    JOIN pg_catalog.pg_class AS class ON class.oid = indexrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE NOT indisvalid
      AND (
          nspname = 'avinode_ingest'
          OR nspname = 'public' AND (
              class.relname LIKE 'chat\_sessions\_by\_%'
              OR class.relname LIKE 'chat\_sessions\_normal\_%'
              OR class.relname LIKE 'requests\_normal\_%'
              OR class.relname IN ('quotes_by_avinode_quote_id', 'quotes_by_quote_id', 'quotes_by_row_quote_id')
          )
      )
    ORDER BY 1
"#;
