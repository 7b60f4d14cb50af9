//! Queries for the privileges that our role lacks, and for columns of the application's `quotes` that we cannot fill.

/// Missing privileges, as a GRANT names them. Joins catalog rows, because names in a schema without USAGE cannot be looked up.
/// Locking a row needs UPDATE; DELETE on the application's tables is not needed.
pub(super) const MISSING_PRIVILEGES: &str = r#"
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
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS wanted (privilege, place)
        WHERE class.relkind IN ('r', 'p')
          -- Statements name the partitioned table. `check` reads the default partition on its own.
          AND (NOT class.relispartition OR relname = 'deliveries_default' AND privilege = 'SELECT')
          AND (
              privilege = ANY (needed)
              OR nspname = 'avinode_ingest' AND (relname <> 'schema_migrations' OR privilege = 'SELECT')
          )
          AND NOT has_table_privilege(class.oid, privilege)
        GROUP BY nspname, relname
    ) AS missing
    -- One line for all of our tables, and one per table of the application.
    GROUP BY nspname, privileges, CASE nspname WHEN 'public' THEN name END
    UNION ALL
    SELECT format('USAGE ON SEQUENCE %I.%I', nspname, relname)
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE nspname = 'avinode_ingest'
      -- In a CASE, because the function raises an error for anything but a sequence.
      AND CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(class.oid, 'USAGE') ELSE false END
      -- The sequence of an identity column needs no privilege.
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = class.oid AND deptype = 'i' AND refobjsubid > 0)
    UNION ALL
    -- Indexes and queries call these as the role that writes.
    SELECT format('EXECUTE ON FUNCTION %I.%I(%s)', nspname, proname, oidvectortypes(proargtypes))
    FROM pg_catalog.pg_proc AS proc
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
    WHERE nspname = 'avinode_ingest' AND proname IN (
          'normal_trip_id', 'normal_rfq_id', 'btrim_all', 'is_quote_id', 'row_quote_id', 'update_quotes',
          'rfq_id_in_rfp', 'session_trip_id', 'session_rfq_ids', 'ids_of_sessions', 'sessions_of_trips', 'sessions_of_rfqs',
          'lock_requests_of', 'read_deliveries', 'read_deliveries_of_times', 'quotes_have_payload', 'delivery_partitions',
          'uuid_of_time', 'time_of_uuid', 'make_delivery_partition', 'empty_delivery_partition', 'remove_delivery_partition', 'prune_audit'
      )
      AND NOT has_function_privilege(proc.oid, 'EXECUTE')
    UNION ALL
    SELECT format('EXECUTE ON FUNCTION %I.%I()', nspname, proname)
    FROM pg_catalog.pg_proc AS proc
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
    WHERE nspname = 'public' AND proname = 'archive_old_chat_sessions' AND pronargs = 0
      AND NOT has_function_privilege(proc.oid, 'EXECUTE')
"#;

/// Reasons why `quotes` rejects every row of ours: NOT NULL columns that we do not know, and a status type without the value
/// that we write.
pub(super) const REQUIRED_COLUMNS: &str = r#"
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
