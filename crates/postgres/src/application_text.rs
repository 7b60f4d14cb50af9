//! The columns of the application's tables that hold text: personal data may be in them, and the service does not delete it.

use super::transaction::Pool;

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TextColumns {
    /// Without its schema, which is `public`.
    pub table: String,
    pub columns: Vec<String>,
}

const TEXT_COLUMNS: &str = r#"
    SELECT relname::text AS "table", array_agg(attname::text ORDER BY attnum) AS columns
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_catalog.pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
    WHERE nspname = 'public' AND relkind IN ('r', 'p')
        AND relname IN ('chat_sessions', 'quotes', 'requests', 'conversations', 'proposals', 'iso_agents')
        AND (typcategory = 'S' OR typname IN ('json', 'jsonb', 'bytea', '_text', '_varchar'))
    GROUP BY relname
    ORDER BY relname
"#;

/// Reads the columns of the tables that the service knows.
pub async fn read(pool: &Pool) -> Result<Vec<TextColumns>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let columns = sqlx::query_as(TEXT_COLUMNS)
        .persistent(false)
        .fetch_all(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(columns)
}
