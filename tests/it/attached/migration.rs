//! The migrations on the database of an application add to its schema and remove nothing.

use std::collections::BTreeMap;
use std::process::Command;

use avinode_ingest::postgres::binaries::PostgresBinaries;
use avinode_ingest::postgres::migrator;
use avinode_ingest::postgres::migrator::status::SchemaStatus;

use crate::support::cluster::Db;

const RLS_CHECKS: &str = include_str!("../host/rls_checks.sql");

/// Returns the output of `pg_dump` for the application's schemas, with these options.
pub fn dump(db: &Db, what: &[&str]) -> String {
    let program = PostgresBinaries::find(None, None).unwrap().program("pg_dump");
    let output = Command::new(program)
        .args(["--no-owner", "--schema=public", "--schema=auth", "--dbname", &db.url()])
        .args(what)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Newer versions fence their output with a key that changes from dump to dump.
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Returns the lines of `before` that are missing in `after`, ignoring the comma at the end of a column.
fn removed(before: &str, after: &str) -> Vec<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for line in after.lines() {
        *left.entry(line.trim_end_matches(',')).or_default() += 1;
    }
    let is_missing = |line: &&str| match left.get_mut(line.trim_end_matches(',')) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    before.lines().filter(is_missing).map(str::to_owned).collect()
}

/// Returns the objects of a dump by the line that names them.
fn objects(dump: &str) -> BTreeMap<&str, &str> {
    dump.split("\n--\n-- ")
        .filter_map(|thing| thing.split_once('\n'))
        .collect()
}

/// Returns additions other than our triggers, indexes and functions, and `chat_sessions` if we created it: rules, policies,
/// privileges, or columns of the application's tables (but for the one that some applications lack).
fn unexpected(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (objects(before), objects(after));
    let makes_sessions = !before.keys().any(|name| name.starts_with("Name: chat_sessions;"));
    let is_ours = |name: &str| {
        let of = |kind: &str, start: &str| name.contains(&format!("; Type: {kind};")) && name[6..].starts_with(start);
        of("TRIGGER", "chat_sessions avinode_ingest_session")
            || of("TRIGGER", "requests avinode_ingest_request_")
            || of("TRIGGER", "quotes avinode_ingest_quote_")
            || of("INDEX", "chat_sessions_")
            || of("INDEX", "requests_normal_")
            || of("INDEX", "quotes_by_")
            || [
                "archive_old_chat_sessions(",
                "complete_chat_session(",
                "update_chat_session_activity(",
            ]
            .iter()
            .any(|function| name.contains(function))
            || name[6..].starts_with("COLUMN quotes.avinode_quote_id;")
            || makes_sessions && name.contains("chat_session")
    };
    let mut found = Vec::new();
    for (name, thing) in &after {
        match before.get(name) {
            None if is_ours(name) => {}
            None => found.push((*name).to_owned()),
            Some(known) => {
                let added = removed(thing, known).into_iter();
                found.extend(added.filter(|line| line.trim().trim_end_matches(',') != "avinode_quote_id text"));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_add_to_the_applications_schema_and_remove_nothing() {
    for db in [Db::application().await, Db::application_without_sessions().await] {
        let (schema, data) = (["--schema-only"], ["--data-only", "--inserts"]);
        let before = (dump(&db, &schema), dump(&db, &data));
        // The count of session 11, which the application never wrote, becomes the number of known quotes.
        let session_11 = "INSERT INTO public.chat_sessions VALUES ('06000000-0000-4000-8000-000000000011'";
        let rows = before.1.lines().filter(|line| !line.starts_with(session_11));
        let before = (before.0, rows.map(|line| format!("{line}\n")).collect::<String>());
        migrator::migrate(&db.options).await.unwrap();
        let after = (dump(&db, &schema), dump(&db, &data));
        assert_eq!(removed(&before.0, &after.0), Vec::<String>::new());
        assert_ne!(before.0, after.0);
        // An added column (`quotes.avinode_quote_id` in the second database) is the last of its row, and NULL.
        let rows = after.1.replace(", NULL);\n", ");\n");
        assert_eq!(
            removed(&before.1.replace(", NULL);\n", ");\n"), &rows),
            Vec::<String>::new()
        );
        assert_eq!(unexpected(&before.0, &after.0), Vec::<String>::new());
        // A second run applies nothing.
        assert_eq!(migrator::migrate(&db.options).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_holds_on_every_database() {
    for db in [
        Db::new().await,
        Db::supabase().await,
        Db::attached().await,
        Db::application_without_sessions().await,
    ] {
        migrator::migrate(&db.options).await.unwrap();
        let status = migrator::status::schema_status(&db.pool).await.unwrap();
        assert!(matches!(status, SchemaStatus::Current { .. }), "{status:?}");
        db.run(RLS_CHECKS).await;
    }
}

/// Objects of our schema that the application's roles can use, or that lack a comment.
const LAPSES: &str = r#"
    SELECT format('%s may %s on %s', role, right_name, class.oid::regclass)
    FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role,
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS right_name, pg_class AS class
    WHERE class.relnamespace = 'avinode_ingest'::regnamespace AND class.relkind = 'r'
        AND has_table_privilege(role, class.oid, right_name)
    UNION ALL
    SELECT format('%s may call %s', role, proc.oid::regprocedure)
    FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role, pg_proc AS proc
    WHERE proc.pronamespace = 'avinode_ingest'::regnamespace AND proc.prosecdef
        AND has_function_privilege(role, proc.oid, 'EXECUTE')
        -- Row-level security calls it as the caller. (On a table of the application, no role may.)
        AND NOT (proc.proname = 'caller_agent_id' AND role = 'authenticated')
    UNION ALL
    -- If pg_temp is not in the path, the caller's temporary schema comes first, with types and tables of the caller.
    SELECT format('%s is a definer function without a search_path of its own that ends in pg_temp', proc.oid::regprocedure)
    FROM pg_proc AS proc
    WHERE proc.prosecdef AND proc.pronamespace IN ('avinode_ingest'::regnamespace, 'public'::regnamespace)
        AND NOT EXISTS (SELECT FROM unnest(proc.proconfig) AS setting WHERE setting ~ '^search_path=.*pg_temp$')
    UNION ALL
    SELECT format('%s has no comment', class.oid::regclass)
    FROM pg_class AS class
    WHERE class.relnamespace = 'avinode_ingest'::regnamespace AND class.relkind = 'r'
        AND class.relname <> 'schema_migrations' AND obj_description(class.oid, 'pg_class') IS NULL
    UNION ALL
    SELECT format('%s.%s has no comment', class.oid::regclass, attname)
    FROM pg_class AS class JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
    WHERE class.relnamespace = 'avinode_ingest'::regnamespace AND class.relkind = 'r'
        AND class.relname <> 'schema_migrations' AND col_description(class.oid, attnum) IS NULL
    "#;

#[tokio::test(flavor = "multi_thread")]
async fn our_schema_is_closed_and_each_of_its_columns_has_a_comment() {
    let db = Db::application_without_sessions().await;
    migrator::migrate(&db.options).await.unwrap();
    for db in [db, Db::attached().await] {
        let lapses: Vec<String> = sqlx::query_scalar(LAPSES).fetch_all(&db.pool).await.unwrap();
        assert_eq!(lapses, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_need_the_owner_of_the_tables_and_no_superuser() {
    let db = Db::application_without_sessions().await;
    let role = format!("owner_of_{}", uuid::Uuid::now_v7().simple());
    // As on Supabase, the owner of the application's tables is not a superuser.
    db.run(&format!(
        "CREATE ROLE {role} LOGIN BYPASSRLS;
         GRANT anon, authenticated, service_role TO {role};
         DO $$
         DECLARE
             owned record;
         BEGIN
             EXECUTE format('GRANT CREATE ON DATABASE %I TO {role}', current_database());
             GRANT CREATE, USAGE ON SCHEMA public TO {role};
             GRANT USAGE ON SCHEMA auth TO {role};
             FOR owned IN SELECT oid::regclass AS name FROM pg_class
                 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
             LOOP
                 EXECUTE format('ALTER TABLE %s OWNER TO {role}', owned.name);
             END LOOP;
         END $$"
    ))
    .await;
    migrator::migrate(&db.options.clone().username(&role)).await.unwrap();
    let lapses: Vec<String> = sqlx::query_scalar(LAPSES).fetch_all(&db.pool).await.unwrap();
    assert_eq!(lapses, Vec::<String>::new());
    db.run(RLS_CHECKS).await;
}
