//! What our role must be allowed to do, and what the application's `quotes` must not demand, asked of the catalogs.

/// What is missing, each as a GRANT has it. By the catalog's own rows: a name in a schema that is closed to us could not even
/// be looked up. Locking a row asks for UPDATE; what is deleted with a session is not ours to delete.
pub(super) const RIGHTS: &str = r#"
    SELECT format('USAGE ON SCHEMA %I', nspname) FROM pg_catalog.pg_namespace
    WHERE nspname IN ('avinode_ingest', 'public') AND NOT has_schema_privilege(oid, 'USAGE')
    UNION ALL
    SELECT format('%s ON %s', privileges, string_agg(name, ', ' ORDER BY name))
    FROM (
        SELECT format('%I.%I', nspname, relname) AS name, nspname, string_agg(privilege, ', ' ORDER BY place) AS privileges
        FROM pg_catalog.pg_class AS class
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        LEFT JOIN (VALUES
            ('chat_sessions', '{SELECT,INSERT,UPDATE}'::text[]), ('quotes', '{SELECT,INSERT,UPDATE}'),
            ('conversations', '{SELECT,UPDATE}'), ('requests', '{SELECT}'), ('iso_agents', '{SELECT}'),
            ('proposals', '{SELECT}')
        ) AS theirs (name, needed) ON nspname = 'public' AND theirs.name = relname
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS asked (privilege, place)
        WHERE class.relkind IN ('r', 'p')
          AND (
              privilege = ANY (needed)
              OR nspname = 'avinode_ingest' AND (relname <> 'schema_migrations' OR privilege = 'SELECT')
          )
          AND NOT has_table_privilege(class.oid, privilege)
        GROUP BY nspname, relname
    ) AS missing
    -- Ours together, the application's each by itself.
    GROUP BY nspname, privileges, CASE nspname WHEN 'public' THEN name END
    UNION ALL
    SELECT format('USAGE ON SEQUENCE %I.%I', nspname, relname)
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE nspname = 'avinode_ingest'
      -- In a CASE, because the function refuses whatever is no sequence.
      AND CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(class.oid, 'USAGE') ELSE false END
      -- The sequence of an identity column asks for no right.
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = class.oid AND deptype = 'i' AND refobjsubid > 0)
    UNION ALL
    -- Indexes and queries call these in the name of whoever writes.
    SELECT format('EXECUTE ON FUNCTION %I.%I(text)', nspname, proname)
    FROM pg_catalog.pg_proc AS proc
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
    WHERE nspname = 'avinode_ingest' AND proname IN ('normal_trip_id', 'normal_rfq_id', 'btrim_all')
      AND NOT has_function_privilege(proc.oid, 'EXECUTE')
    UNION ALL
    SELECT format('EXECUTE ON FUNCTION %I.%I()', nspname, proname)
    FROM pg_catalog.pg_proc AS proc
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
    WHERE nspname = 'public' AND proname = 'archive_old_chat_sessions' AND pronargs = 0
      AND NOT has_function_privilege(proc.oid, 'EXECUTE')
"#;

/// What keeps every row of ours out of `quotes`: columns that must be filled and that we do not know, and a status without
/// the word that we write.
pub(super) const DEMANDS: &str = r#"
    SELECT format('%s must be filled and has no default', attname)
    FROM pg_catalog.pg_attribute
    JOIN pg_catalog.pg_class AS class ON class.oid = attrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE nspname = 'public' AND relname = 'quotes' AND attnum > 0 AND NOT attisdropped
      AND attnotnull AND NOT atthasdef AND attidentity = ''
      AND attname NOT IN (
          'id', 'request_id', 'operator_id', 'operator_name', 'base_price', 'total_price', 'aircraft_type', 'status',
          'metadata', 'avinode_quote_id', 'received_at'
      )
    UNION ALL
    SELECT 'status has no value received'
    FROM pg_catalog.pg_attribute
    JOIN pg_catalog.pg_class AS class ON class.oid = attrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
    WHERE nspname = 'public' AND relname = 'quotes' AND attname = 'status' AND typtype = 'e'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_enum WHERE enumtypid = type.oid AND enumlabel = 'received')
    ORDER BY 1
"#;
