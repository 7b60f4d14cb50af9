//! Row level security, with requests as PostgREST sends them: agents reach their own sessions, the application's server
//! reaches all, every other role none, and our own schema is closed to all of them.

mod columns;

use avinode_ingest::postgres::migrator;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::postgrest::Postgrest;

/// Dora has one active session and one that ended long ago, and so has Emil.
const TWO_AGENTS: &str = "
    INSERT INTO public.iso_agents (id, clerk_user_id, email, full_name) VALUES
        ('0a000000-0000-4000-8000-00000000000a', 'user_dora', 'dora@check.example', 'Dora'),
        ('0a000000-0000-4000-8000-00000000000b', 'user_emil', 'emil@check.example', 'Emil');
    INSERT INTO public.conversations (id, subject) VALUES ('0c000000-0000-4000-8000-00000000000c', 'Checks');
    INSERT INTO public.chat_sessions
        (id, conversation_id, iso_agent_id, status, session_started_at, session_ended_at, last_activity_at, created_at, updated_at)
    SELECT ('0d000000-0000-4000-8000-0000000000' || short)::uuid, '0c000000-0000-4000-8000-00000000000c',
        ('0a000000-0000-4000-8000-00000000000' || left(short, 1))::uuid, status::public.chat_session_status,
        now() - interval '1 year', ended, now() - interval '1 year', now(), now()
    FROM (VALUES ('a1', 'active', NULL), ('a2', 'completed', now() - interval '91 days'),
        ('b1', 'active', NULL), ('b2', 'completed', now() - interval '91 days')) AS session (short, status, ended)";

/// Default privileges that open every new object to all roles, our schema included.
const OPEN_BY_DEFAULT: &str = "
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role";

/// Two new projects of Supabase's, the second with defaults that open everything: `chat_sessions` is made by us.
async fn new_projects() -> Vec<Db> {
    let (new, open) = (Db::supabase().await, Db::supabase().await);
    open.run(OPEN_BY_DEFAULT).await;
    for db in [&new, &open] {
        migrator::migrate(&db.options).await.unwrap();
        db.run(TWO_AGENTS).await;
    }
    vec![new, open]
}

/// And an application with a table and policies of its own.
async fn databases() -> Vec<Db> {
    let mut all = new_projects().await;
    all.push(Db::attached().await);
    all[2].run(TWO_AGENTS).await;
    // On a table of ours an agent writes no times of creation: there they have defaults.
    all[2]
        .run(
            "ALTER TABLE public.chat_sessions ALTER session_started_at SET DEFAULT now(), ALTER last_activity_at SET DEFAULT now(),
                ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now()",
        )
        .await;
    all
}

/// The sessions that a request sees, by the ends of their ids.
async fn seen(tx: &mut Transaction<'static, Postgres>) -> String {
    let ends = "SELECT coalesce(string_agg(right(id::text, 2), ' ' ORDER BY id), 'none') FROM public.chat_sessions
        WHERE id::text LIKE '0d000000%'";
    sqlx::query_scalar(ends).fetch_one(&mut **tx).await.unwrap()
}

/// The number of rows that a statement wrote, or the code of its error.
async fn write(tx: &mut Transaction<'static, Postgres>, statement: &str) -> Result<u64, String> {
    sqlx::raw_sql("SAVEPOINT before_it").execute(&mut **tx).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut **tx)
        .await;
    done.map(|done| done.rows_affected()).map_err(|error| {
        let refusal = error.as_database_error().unwrap();
        refusal.code().unwrap().into_owned()
    })
}

/// The same where an error is expected, so that the transaction goes on.
async fn refused(tx: &mut Transaction<'static, Postgres>, statement: &str) {
    let done = write(tx, statement).await;
    assert!(
        done == Ok(0) || done == Err("42501".to_owned()),
        "{statement}: {done:?}"
    );
    if done.is_err() {
        sqlx::raw_sql("ROLLBACK TO before_it").execute(&mut **tx).await.unwrap();
    }
}

fn insert(agent: &str) -> String {
    format!(
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id)
         VALUES ('0c000000-0000-4000-8000-00000000000c', '0a000000-0000-4000-8000-00000000000{agent}')"
    )
}

fn update(session: &str) -> String {
    format!(
        "UPDATE public.chat_sessions SET current_step = 'taken', message_count = 7
         WHERE id = '0d000000-0000-4000-8000-0000000000{session}'"
    )
}

async fn rows(pool: &Pool, agent: &str) -> String {
    let whole = "SELECT string_agg(session::text, ' ' ORDER BY id) FROM public.chat_sessions AS session
        WHERE iso_agent_id = ('0a000000-0000-4000-8000-00000000000' || $1)::uuid";
    sqlx::query_scalar(whole).bind(agent).fetch_one(pool).await.unwrap()
}

const HELPERS: [&str; 3] = [
    "SELECT public.update_chat_session_activity('0d000000-0000-4000-8000-0000000000b1')",
    "SELECT public.complete_chat_session('0d000000-0000-4000-8000-0000000000b1')",
    "SELECT public.archive_old_chat_sessions()",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_inserts_and_updates_their_own_sessions_only() {
    for db in databases().await {
        let api = Postgrest::before(&db);
        let emils = rows(&db.pool, "b").await;
        let mut dora = api.agent("user_dora").await;
        assert_eq!(seen(&mut dora).await, "a1 a2");
        assert_eq!(write(&mut dora, &update("a1")).await, Ok(1));
        assert_eq!(write(&mut dora, &insert("a")).await, Ok(1));
        refused(&mut dora, &update("b1")).await;
        refused(&mut dora, &insert("b")).await;
        refused(&mut dora, "DELETE FROM public.chat_sessions").await;
        let given_away = "UPDATE public.chat_sessions SET iso_agent_id = '0a000000-0000-4000-8000-00000000000b'";
        refused(&mut dora, given_away).await;
        let upsert = insert("b")
            .replace("(conversation_id", "(id, conversation_id")
            .replace("VALUES (", "VALUES ('0d000000-0000-4000-8000-0000000000b1', ")
            + " ON CONFLICT (id) DO UPDATE SET current_step = 'taken'";
        refused(&mut dora, &upsert).await;
        for helper in HELPERS {
            write(&mut dora, helper).await.unwrap();
        }
        dora.commit().await.unwrap();
        assert_eq!(rows(&db.pool, "b").await, emils);
        // The claims of one request are gone with it.
        let unknown = &mut api.request("authenticated", "").await;
        assert_eq!(seen(unknown).await, "none");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_open_nothing_but_the_sessions_of_their_sub() {
    for db in databases().await {
        let api = Postgrest::before(&db);
        for (claims, sessions) in [
            (r#"{"sub": "user_emil", "role": "service_role"}"#, "b1 b2"),
            (r#"{"sub": "user_nobody"}"#, "none"),
            (r#"{"sub": ""}"#, "none"),
            (r#"{"sub": null, "clerk_user_id": "user_emil"}"#, "none"),
            (r#"{"sub": ["user_emil"]}"#, "none"),
            ("{}", "none"),
            ("null", "none"),
        ] {
            let mut caller = api.request("authenticated", claims).await;
            assert_eq!(seen(&mut caller).await, sessions, "{claims}");
            let touched = write(&mut caller, &update("a1")).await;
            assert_eq!(touched, Ok(0), "{claims}");
            refused(&mut caller, &insert("a")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_everything_and_anon_and_the_login_itself_nothing() {
    for db in databases().await {
        let api = Postgrest::before(&db);
        for role in ["anon", "none"] {
            let mut caller = api.request(role, r#"{"role": "anon"}"#).await;
            for statement in [
                update("b1"),
                insert("b"),
                "DELETE FROM public.chat_sessions".to_owned(),
                // Reading is asked for as writing is, so that a refusal counts as well as no row.
                "CREATE TEMPORARY TABLE taken ON COMMIT DROP AS SELECT * FROM public.chat_sessions".to_owned(),
            ] {
                refused(&mut caller, &statement).await;
            }
            for helper in &HELPERS[..2] {
                refused(&mut caller, helper).await;
            }
        }
        let mut server = api.server().await;
        assert_eq!(seen(&mut server).await, "a1 a2 b1 b2");
        assert_eq!(write(&mut server, &update("b1")).await, Ok(1));
        assert_eq!(write(&mut server, &insert("a")).await, Ok(1));
        let deleted = "DELETE FROM public.chat_sessions WHERE id = '0d000000-0000-4000-8000-0000000000a2'";
        assert_eq!(write(&mut server, deleted).await, Ok(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_schema_is_closed_to_every_role_of_the_application() {
    for db in databases().await {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'avinode_ingest'::regnamespace AND relkind = 'r'",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap();
        assert!(tables.len() > 10);
        let api = Postgrest::before(&db);
        for role in ["anon", "authenticated", "service_role"] {
            let mut caller = api.request(role, r#"{"sub": "user_dora"}"#).await;
            let mut statements: Vec<String> = tables
                .iter()
                .flat_map(|table| [format!("DELETE FROM {table}"), format!("TABLE {table}")])
                .collect();
            statements.extend(
                [
                    "SELECT avinode_ingest.caller_agent_id()",
                    "SELECT avinode_ingest.caller_passes_row_security()",
                    "SELECT avinode_ingest.record_session_changes('{}', '{}', '{}')",
                    "SELECT nextval('avinode_ingest.lease_tokens')",
                    "CREATE TABLE avinode_ingest.taken ()",
                ]
                .map(str::to_owned),
            );
            for statement in statements {
                let done = write(&mut caller, &statement).await;
                assert_eq!(done, Err("42501".to_owned()), "{role}: {statement}");
                sqlx::raw_sql("ROLLBACK TO before_it")
                    .execute(&mut *caller)
                    .await
                    .unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_table_of_ours_anon_gets_nothing_even_with_a_brokers_claims() {
    for db in new_projects().await {
        let mut caller = Postgrest::before(&db).request("anon", r#"{"sub": "user_emil"}"#).await;
        for statement in [update("b1"), insert("b"), "TABLE public.chat_sessions".to_owned()] {
            assert_eq!(
                write(&mut caller, &statement).await,
                Err("42501".to_owned()),
                "{statement}"
            );
            sqlx::raw_sql("ROLLBACK TO before_it")
                .execute(&mut *caller)
                .await
                .unwrap();
        }
    }
}

/// The caller's own types must not stand in for the built-in ones: the CHECK of a domain would run with the rights of the
/// function's definer.
#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_an_agent_creates_does_not_redirect_our_functions() {
    for db in databases().await {
        let emils = rows(&db.pool, "b").await;
        let calls = [
            HELPERS[0],
            HELPERS[1],
            HELPERS[2],
            // And their own writes, which our triggers look at.
            "UPDATE public.chat_sessions SET status = 'paused', primary_quote_id = NULL",
        ];
        for call in calls {
            // A connection each: what a function's words mean is settled when it first runs there.
            let api = Postgrest::before(&db);
            let mut dora = api.agent("user_dora").await;
            let mut traps = "CREATE FUNCTION pg_temp.take() RETURNS boolean LANGUAGE plpgsql AS $$
                BEGIN
                    IF current_user <> 'authenticated' THEN
                        UPDATE public.chat_sessions SET current_step = 'taken';
                    END IF;
                    RETURN true;
                END $$"
                .to_owned();
            for name in ["uuid", "text", "bool", "int4", "timestamptz", "interval", "jsonb"] {
                traps.push_str(&format!(
                    "; CREATE DOMAIN pg_temp.{name} AS pg_catalog.{name} CHECK (pg_temp.take())"
                ));
            }
            for name in [
                "chat_sessions",
                "iso_agents",
                "jobs",
                "session_state",
                "pg_roles",
                "pg_class",
            ] {
                traps.push_str(&format!("; CREATE TEMPORARY TABLE {name} ()"));
            }
            write(&mut dora, &traps).await.unwrap();
            write(&mut dora, call).await.unwrap();
            dora.commit().await.unwrap();
            assert_eq!(rows(&db.pool, "b").await, emils, "{call}");
        }
    }
}
