//! Grants to the application's roles that let an agent claim trips, or plant rows among the quotes of another one.

use sqlx::FromRow;

use crate::transaction::Pool;

/// A privilege of an application's role on columns that decide to whom quotes are shown.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OpenGrant {
    pub role: String,
    /// `public.chat_sessions`, `public.requests` or `public.quotes`.
    pub table_name: String,
    /// `INSERT` or `UPDATE`.
    pub privilege: String,
    /// Separated by commas.
    pub columns: String,
    /// The statements that leave the role its other columns.
    pub revoke: String,
}

pub async fn open_grants(pool: &Pool) -> Result<Vec<OpenGrant>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let grants = sqlx::query_as(OPEN_GRANTS).persistent(false).fetch_all(&mut tx).await?;
    tx.commit().await?;
    Ok(grants)
}

/// Not listed: a table where row-level security has no policy that lets the role write.
const OPEN_GRANTS: &str = r#"
    SELECT role.rolname::text AS role, format('public.%I', relname) AS table_name, wanted.privilege,
        string_agg(attname, ', ' ORDER BY attnum) FILTER (WHERE attname = ANY (guarded.columns)) AS columns,
        format('REVOKE %s ON public.%I FROM %I', wanted.privilege, relname, role.rolname)
            || coalesce(format('; GRANT %s (%s) ON public.%I TO %I', wanted.privilege,
                string_agg(format('%I', attname), ', ' ORDER BY attnum) FILTER (WHERE attname <> ALL (guarded.columns)),
                relname, role.rolname), '') AS revoke
    FROM (VALUES
        ('chat_sessions', '{avinode_trip_id,avinode_rfq_id,avinode_rfp_id,request_id,created_at}'::name[]),
        ('requests', '{avinode_trip_id}'), ('quotes', '{request_id,avinode_quote_id}')
    ) AS guarded (table_name, columns)
    JOIN pg_catalog.pg_class AS class ON relname = guarded.table_name AND relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relnamespace AND nspname = 'public'
    JOIN pg_catalog.pg_roles AS role ON role.rolname IN ('anon', 'authenticated') AND NOT rolsuper AND NOT rolbypassrls
    CROSS JOIN (VALUES ('INSERT', 'a'), ('UPDATE', 'w')) AS wanted (privilege, command)
    JOIN pg_catalog.pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        AND has_column_privilege(role.oid, class.oid, attnum, wanted.privilege)
    WHERE NOT relrowsecurity OR EXISTS (
        SELECT FROM pg_catalog.pg_policy
        WHERE polrelid = class.oid AND polpermissive AND polcmd::text IN ('*', wanted.command) AND (
            polroles = ARRAY[0::oid]
            OR EXISTS (SELECT FROM unnest(polroles) AS member WHERE member <> 0 AND pg_has_role(role.oid, member, 'USAGE'))
        )
    )
    GROUP BY role.rolname, relname, wanted.privilege, guarded.columns
    HAVING count(*) FILTER (WHERE attname = ANY (guarded.columns)) > 0
    ORDER BY role.rolname, relname, wanted.privilege
"#;
