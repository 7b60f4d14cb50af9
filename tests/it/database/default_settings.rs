//! Defaults of the database and of the role, as another program may have set them, change no statement of the service.

use std::time::{Duration, Instant};

use avinode_ingest::postgres::pool;
use avinode_ingest::service::ServiceSettings;
use avinode_ingest::store::admin::delivery_list::{self, DeliveryFilter};
use avinode_ingest::store::admin::subject_filter::{DeliveryRange, SubjectScope};
use sqlx::AssertSqlSafe;

use crate::crash::load::{self, Load};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::service::RunningService;

/// Shown in `pg_stat_activity`; the test's own connections have another one.
const SERVICE: &str = "serve under test";

/// Refuses every write of the service whose transaction has other settings than those that its statements are written for.
/// Timestamps, for example, are compared by what they are, whatever the default of TimeZone is.
const GUARD: &str = "
    CREATE FUNCTION public.guard() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        wrong text;
    BEGIN
        SELECT string_agg(format('%s = %s', name, current_setting(name)), ', ') INTO wrong
        FROM (VALUES
            ('transaction_isolation', '{read committed}'::text[]),
            -- Of the service, of the bulk operations of the sessions API, of maintenance, and of the readiness probe.
            ('statement_timeout', '{5s,1min,10min,500ms}'),
            ('jit', '{off}'),
            ('TimeZone', '{UTC}'),
            ('DateStyle', '{\"ISO, MDY\"}')
        ) AS expected (name, allowed)
        WHERE current_setting('application_name') = 'serve under test' AND NOT current_setting(name) = ANY (allowed);
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION '% of % runs with %', TG_OP, TG_TABLE_NAME, wrong;
        END IF;
        RETURN NULL;
    END
    $$;
    DO $$
    DECLARE
        guarded regclass;
    BEGIN
        FOR guarded IN
            SELECT oid::regclass FROM pg_class
            WHERE relkind = 'r'
              AND (relnamespace = 'avinode_ingest'::regnamespace OR oid = 'public.chat_sessions'::regclass)
        LOOP
            EXECUTE format('CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON %s
                FOR EACH STATEMENT EXECUTE FUNCTION public.guard()', guarded);
        END LOOP;
    END
    $$;";

/// Tables of another program with the service's names, before the service's in its search path.
const SHADOWS: &str = "
    CREATE SCHEMA shadows;
    CREATE TABLE shadows.chat_sessions (nothing text);
    CREATE TABLE shadows.quotes (nothing text);
    CREATE TABLE shadows.jobs (nothing text);
    CREATE TYPE shadows.chat_session_status AS ENUM ('nothing');";

const SERIALIZABLE: &[(&str, &str)] = &[("default_transaction_isolation", "'serializable'")];
const OTHERS: &[(&str, &str)] = &[
    ("default_transaction_isolation", "'repeatable read'"),
    ("default_transaction_deferrable", "on"),
    ("statement_timeout", "'1500ms'"),
    ("search_path", "shadows, public"),
    ("jit_above_cost", "0"),
    ("TimeZone", "'Asia/Tokyo'"),
    ("DateStyle", "'SQL, DMY'"),
    ("IntervalStyle", "'sql_standard'"),
    ("bytea_output", "'escape'"),
    ("extra_float_digits", "-10"),
    ("standard_conforming_strings", "off"),
    ("quote_all_identifiers", "on"),
];

/// Sets defaults of the database, or of the tests' role in it.
async fn set_defaults(db: &Db, of_role: bool, settings: &[(&str, &str)]) {
    let name = db.options.get_database().unwrap();
    let target = if of_role {
        format!("ROLE avinode IN DATABASE {name}")
    } else {
        format!("DATABASE {name}")
    };
    for (setting, value) in settings {
        db.run(&format!("ALTER {target} SET {setting} = {value}")).await;
    }
}

/// Receives and applies 600 deliveries of 12 senders, and returns how long it took. Fails on any 503.
async fn receive_and_apply(db: &Db, pooler: bool) -> Duration {
    const EVENTS: usize = 600;
    let sessions = load::sessions(&db.pool).await;
    db.run(GUARD).await;
    let pool = pool::pool(db.options.clone(), 10, SERVICE, Duration::from_secs(10)).behind_pooler(pooler);
    let settings = ServiceSettings {
        listens: !pooler,
        poll: Duration::from_millis(100),
        ..ServiceSettings::default()
    };
    let service = RunningService::start_on(pool.clone(), settings).await;
    let begun = Instant::now();
    let load = Load::start(service.base.strip_prefix("http://").unwrap(), EVENTS, 12, sessions);
    load.reach(EVENTS).await;
    assert_eq!(load.answers(503), 0, "deliveries answered 503");
    load.check(&db.pool).await;
    let took = begun.elapsed();
    service.stop().await;
    pool.close().await;
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_of_the_database_and_of_the_role_change_no_transaction_of_the_service() {
    let usual = receive_and_apply(&Db::new().await, false).await;
    for (of_role, settings, pooler) in [
        (false, SERIALIZABLE, false),
        (true, SERIALIZABLE, true),
        (true, OTHERS, false),
        (false, OTHERS, true),
    ] {
        let db = Db::new().await;
        db.run(SHADOWS).await;
        set_defaults(&db, of_role, settings).await;
        let took = receive_and_apply(&db, pooler).await;
        // Behind a pooler each statement has BEGIN and COMMIT. As serializable it took fifty times as long.
        let limit = usual * 4 + Duration::from_secs(1);
        assert!(
            took < limit.min(PATIENCE),
            "{took:?} instead of {usual:?} with {settings:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_is_compiled_whatever_the_default_of_the_server_is() {
    let db = Db::new().await;
    set_defaults(&db, false, &[("jit", "on"), ("jit_above_cost", "0")]).await;
    for pooler in [false, true] {
        let pool = pool::pool(db.options.clone(), 2, SERVICE, Duration::from_secs(10)).behind_pooler(pooler);
        let mut tx = pool.begin().await.unwrap();
        let filter = DeliveryFilter::default();
        let mut list = delivery_list::statement(&filter, &SubjectScope::default(), &DeliveryRange::default());
        let explained = AssertSqlSafe(format!("EXPLAIN (ANALYZE) {}", list.sql().as_str()));
        let arguments = sqlx::Execute::take_arguments(&mut list.build()).unwrap().unwrap();
        let plan: Vec<String> = sqlx::query_scalar_with(explained, arguments)
            .persistent(false)
            .fetch_all(&mut tx)
            .await
            .unwrap();
        assert!(!plan.iter().any(|line| line.contains("JIT")), "{plan:#?}");
        tx.commit().await.unwrap();
        pool.close().await;
    }
}
