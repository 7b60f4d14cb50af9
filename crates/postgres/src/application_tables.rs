//! The application's tables that the service needs: an application may drop one while the service runs, or keep its sessions
//! elsewhere.
//!
//! The queries are not checked macros: they read system catalogs only, and run before the schema is migrated. Each group is one
//! transaction, because an unnamed statement is sent in several messages.

use std::fmt;

use super::transaction::Pool;

/// The application's tables, compared with those that the service needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplicationTables {
    /// All exist, or the first migration will create the missing ones.
    Complete,
    /// These are missing, although the schema is migrated: jobs wait for them. As `public.chat_sessions`.
    Missing(Vec<String>),
    /// There is no `chat_sessions`, and `requests` has the columns of sessions.
    SessionsInRequests,
}

impl ApplicationTables {
    /// The way out that an admin has; `None` if nothing is wrong.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Complete => None,
            Self::Missing(_) => Some(
                "jobs wait until the application creates them again; to create them here, run `avinode-ingest migrate \
                 --standalone-sessions`",
            ),
            Self::SessionsInRequests => Some(
                "to make tables of its own all the same, run `avinode-ingest migrate --standalone-sessions`; nothing is \
                 created without that",
            ),
        }
    }
}

impl fmt::Display for ApplicationTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("all tables of the application exist"),
            Self::Missing(tables) => write!(f, "missing tables of the application: {}", tables.join(", ")),
            Self::SessionsInRequests => f.write_str(
                "the application keeps its sessions in public.requests, but this service tracks public.chat_sessions, which \
                 does not exist",
            ),
        }
    }
}

#[derive(sqlx::FromRow)]
struct TablesRow {
    missing: Vec<String>,
    is_migrated: bool,
    has_sessions: bool,
    requests_are_sessions: bool,
}

const TABLES: &str = r#"
    WITH existing AS MATERIALIZED (
        SELECT nspname, relname, class.oid
        FROM pg_catalog.pg_class AS class
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE relkind IN ('r', 'p', 'v', 'f') AND nspname IN ('public', 'avinode_ingest')
    )
    SELECT ARRAY(
            SELECT 'public.' || needed
            FROM unnest(ARRAY['chat_sessions', 'conversations', 'iso_agents', 'proposals', 'quotes', 'requests']) AS needed
            WHERE needed NOT IN (SELECT relname::text FROM existing WHERE nspname = 'public')
            ORDER BY 1
        ) AS missing,
        EXISTS (
            SELECT FROM existing WHERE nspname = 'avinode_ingest' AND relname = 'session_state'
        ) AS is_migrated,
        EXISTS (SELECT FROM existing WHERE nspname = 'public' AND relname = 'chat_sessions') AS has_sessions,
        (
            SELECT count(*) = 3
            FROM existing
            JOIN pg_catalog.pg_attribute ON attrelid = existing.oid AND attnum > 0 AND NOT attisdropped
            WHERE nspname = 'public' AND relname = 'requests'
              AND attname IN ('session_status', 'current_step', 'workflow_state')
        ) AS requests_are_sessions
"#;

/// Reads the state of the application's tables.
pub async fn read(pool: &Pool) -> Result<ApplicationTables, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row: TablesRow = sqlx::query_as(TABLES).persistent(false).fetch_one(&mut tx).await?;
    tx.commit().await?;
    let TablesRow {
        missing,
        is_migrated,
        has_sessions,
        requests_are_sessions,
    } = row;
    Ok(match missing.is_empty() {
        _ if !has_sessions && requests_are_sessions => ApplicationTables::SessionsInRequests,
        false if is_migrated => ApplicationTables::Missing(missing),
        _ => ApplicationTables::Complete,
    })
}

/// Creates the service's triggers that are missing, because the application created a table again. Returns their names.
///
/// # Errors
/// Our role may not create a trigger on the table, or the application has locked it: nothing was created.
pub async fn restore_triggers(pool: &Pool) -> Result<Vec<String>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let missing: bool = sqlx::query_scalar(MISSING_TRIGGERS)
        .persistent(false)
        .fetch_one(&mut tx)
        .await?;
    if !missing {
        tx.commit().await?;
        return Ok(Vec::new());
    }
    // The application's writes queue behind a statement that waits for a lock: see `migrator`.
    sqlx::raw_sql("SET LOCAL lock_timeout = '300ms'")
        .execute(&mut tx)
        .await?;
    let restored = sqlx::query_scalar("SELECT avinode_ingest.restore_triggers()")
        .persistent(false)
        .fetch_one(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(restored)
}

/// True if a trigger of the service is missing on a table that exists.
const MISSING_TRIGGERS: &str = r#"
    SELECT EXISTS (
        SELECT
        FROM pg_catalog.pg_class AS class
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE nspname = 'public' AND relname IN ('chat_sessions', 'requests', 'quotes') AND relkind IN ('r', 'p')
          AND (
              SELECT count(*) FROM pg_catalog.pg_trigger
              WHERE tgrelid = class.oid AND tgname LIKE 'avinode\_ingest\_%'
          ) < CASE relname WHEN 'chat_sessions' THEN 4 WHEN 'requests' THEN 2 ELSE 1 END
    )
"#;
