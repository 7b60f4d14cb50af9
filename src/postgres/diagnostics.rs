//! What a server and our place in it look like, for `check`: asked of the catalogs, so it works where nothing of ours is
//! there yet.
//!
//! The queries are not the checked macros': those name their statements, and `check` has to work behind a transaction
//! pooler that refuses such. Each group is one transaction, because an unnamed statement is sent in several messages.

use chrono::{DateTime, Utc};
use sqlx::Row;

use self::privileges::{DEMANDS, RIGHTS};
use super::server_error::readable;
use super::transaction::Pool;

mod privileges;

/// The oldest version that is supported, as `server_version_num` has it.
pub const OLDEST_VERSION: i32 = 140_000;

/// What the server says of itself.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ServerInfo {
    /// For example 150018.
    pub version_num: i32,
    /// For example `15.18`.
    pub version: String,
    /// The role that we are there.
    pub role: String,
    /// No transaction may write: a standby, or a default of the role or the database.
    pub read_only: bool,
    /// Whether commits reach the disk.
    pub fsync: bool,
    /// Whether a page torn by a crash can be mended.
    pub full_page_writes: bool,
    /// The default for transactions that do not say otherwise.
    pub synchronous_commit: String,
    /// Which standbys a commit waits for; empty for none.
    pub synchronous_standby_names: String,
    /// How long a lock is waited for before deadlocks are looked for.
    pub deadlock_timeout_ms: i32,
}

/// Asks for the server's settings.
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

/// The server's clock.
pub async fn now(pool: &Pool) -> Result<DateTime<Utc>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let now = sqlx::query_scalar("SELECT clock_timestamp()")
        .persistent(false)
        .fetch_one(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(now)
}

/// Whether connections are sessions, or a pooler lends the same server connection to one after the other.
///
/// Two connections, both open: both are asked, outside of a transaction, who serves them, and one sets something that
/// has to be there when it is asked again. Several times, and the other one now once and now twice: among other clients of
/// a pooler, or where it lends in turn, one answer may look like a session. In the simple protocol, whose queries are one
/// message each.
pub async fn sessions_last(pool: &Pool) -> Result<bool, sqlx::Error> {
    probe_sessions(pool).await.map_err(readable)
}

async fn probe_sessions(pool: &Pool) -> Result<bool, sqlx::Error> {
    let mut one = pool.inner().acquire().await?;
    let mut other = pool.inner().acquire().await?;
    let set = "SELECT pg_backend_pid() AS pid, set_config('avinode_ingest.probe', 'kept', false) AS kept";
    let ask = "SELECT pg_backend_pid() AS pid, current_setting('avinode_ingest.probe', true) AS kept";
    let clear = "SELECT set_config('avinode_ingest.probe', '', false)";
    let first: i32 = sqlx::raw_sql(set).fetch_one(&mut *one).await?.try_get("pid")?;
    let mut lasts = true;
    for round in 0..10 {
        for _ in 0..=round % 2 {
            let second: i32 = sqlx::raw_sql(ask).fetch_one(&mut *other).await?.try_get("pid")?;
            lasts &= first != second;
        }
        let again = sqlx::raw_sql(ask).fetch_one(&mut *one).await?;
        let kept: Option<String> = again.try_get("kept")?;
        lasts &= first == again.try_get::<i32, _>("pid")? && kept.as_deref() == Some("kept");
    }
    sqlx::raw_sql(clear).fetch_one(&mut *one).await?;
    Ok(lasts)
}

/// What is missing or broken of what the service rests on. Empty lists are good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaProblems {
    /// What our role may not do, as `SELECT, INSERT ON public.quotes`.
    pub rights: Vec<String>,
    /// Tables whose rows row-level security hides from our role.
    pub hidden: Vec<String>,
    /// Our triggers on `chat_sessions` that are missing or disabled.
    pub triggers: Vec<String>,
    /// Our indexes that an interrupted migration left invalid.
    pub indexes: Vec<String>,
    /// What in the application's `quotes` refuses every row of ours, as `note must be filled and has no default`.
    pub demands: Vec<String>,
}

/// Looks at a migrated database.
pub async fn broken(pool: &Pool) -> Result<SchemaProblems, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let mut lists = Vec::new();
    for question in [RIGHTS, HIDDEN, TRIGGERS, INDEXES, DEMANDS] {
        let answer = sqlx::query_scalar::<_, String>(question).persistent(false);
        lists.push(answer.fetch_all(&mut tx).await?);
    }
    tx.commit().await?;
    let mut next = lists.into_iter();
    let mut next = || next.next().unwrap_or_default();
    Ok(SchemaProblems {
        rights: next(),
        hidden: next(),
        triggers: next(),
        indexes: next(),
        demands: next(),
    })
}

/// Row-level security counts as passed where a policy lets our role do everything.
const HIDDEN: &str = r#"
    SELECT format('%I.%I', nspname, relname)
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE nspname = 'public' AND relname IN (
          'chat_sessions', 'quotes', 'conversations', 'requests', 'iso_agents', 'proposals'
      )
      AND row_security_active(class.oid)
      AND NOT (
          -- One that lets everything through, and none that takes something away again.
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

/// `R` fires on a replica only, `D` never.
const TRIGGERS: &str = r#"
    SELECT name || CASE WHEN tgname IS NULL THEN ' is missing' ELSE ' is disabled' END
    FROM unnest(ARRAY['avinode_ingest_session_inserted', 'avinode_ingest_session_updated']) AS name
    LEFT JOIN pg_catalog.pg_trigger ON tgname = name AND tgrelid = (
        SELECT class.oid FROM pg_catalog.pg_class AS class
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE nspname = 'public' AND relname = 'chat_sessions'
    )
    WHERE tgname IS NULL OR tgenabled NOT IN ('O', 'A')
    ORDER BY 1
"#;

const INDEXES: &str = r#"
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
              OR class.relname IN ('quotes_by_avinode_quote_id', 'quotes_by_quote_id')
          )
      )
    ORDER BY 1
"#;
