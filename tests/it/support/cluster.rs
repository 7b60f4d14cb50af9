//! One cluster per run, migrated templates on it, and a database per test made from a template.
//!
//! `make test` starts the cluster outside the test processes and passes its address in `TEST_POSTGRES_URL`
//! (`scripts/with-postgres`). Without it, each test process starts an embedded cluster on a thread of its own, which ends
//! with the process.

use std::future::Future;
use std::str::FromStr;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use avinode_ingest::postgres::data_dir::ClusterHome;
use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use avinode_ingest::postgres::migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::PATIENCE;
use super::eventually::eventually;
use super::pool::Pool;

/// The address of the cluster.
struct Cluster {
    /// Its maintenance database.
    server: PgConnectOptions,
    /// The address without a database: `postgres:///?host=…&user=…`.
    url: String,
}

/// A migrated, standalone database.
const MIGRATED: &str = "template_migrated";
/// The application's database, migrated.
const ATTACHED: &str = "template_attached";
/// A new database of Supabase's.
const SUPABASE: &str = include_str!("../host/supabase.sql");
/// The application's tables and rows, as they are found there.
const APPLICATION: &str = include_str!("../host/attached.sql");
const WITHOUT_SESSIONS: &str = include_str!("../host/attached_without_sessions.sql");

/// State T: the application drops its session tracking while the service is attached.
const DROPS_SESSIONS: &str = include_str!("../host/state_t.sql");
/// The same tables, created again and empty.
const SESSIONS_BACK: &str = include_str!("../host/state_t_back.sql");
/// State C, after state T: sessions are rows of `requests`.
const SESSIONS_IN_REQUESTS: &str = include_str!("../host/state_c.sql");

/// Serialises the processes that make a template.
const TEMPLATE_LOCK: i64 = 7_351_204;

#[expect(clippy::disallowed_methods, reason = "the tests' own setting, not the program's")]
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| match std::env::var("TEST_POSTGRES_URL") {
        Ok(url) => Cluster {
            server: PgConnectOptions::from_str(&url).unwrap().database("postgres"),
            url,
        },
        Err(_) => embedded_cluster(),
    })
}

fn embedded_cluster() -> Cluster {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let settings = [("fsync", "off"), ("max_connections", "300")];
            let cluster = EmbeddedPostgres::start(EmbeddedOptions {
                bin_dir: None,
                home: ClusterHome::Temporary,
                settings: settings
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec(),
            })
            .await
            .unwrap();
            send.send(Cluster {
                server: cluster.options("postgres"),
                url: cluster.url(""),
            })
            .unwrap();
            // Each test has its own runtime, and none of them outlives this one: the watchdog ends the cluster.
            std::future::pending::<()>().await;
        });
    });
    receive
        .recv_timeout(Duration::from_secs(120))
        .expect("the cluster starts")
}

/// Makes a template once in all processes of a run: `fill` is called with its unfinished copy.
async fn template<F: Future<Output = ()>>(name: &str, fill: impl FnOnce(Db) -> F) {
    let mut connection = cluster().server.connect().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut connection)
        .await
        .unwrap();
    let made: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    if !made {
        let unfinished = Db::create(format!("unfinished_{name}"), "TEMPLATE template0").await;
        let database = unfinished.name.clone();
        let pool = unfinished.pool.clone();
        fill(unfinished).await;
        pool.close().await;
        // A test that fails half-way leaves no template.
        sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {database} RENAME TO {name}")))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

/// A database of a test's own.
pub struct Db {
    /// The connection options.
    pub options: PgConnectOptions,
    /// Its connections.
    pub pool: Pool,
    name: String,
}

impl Db {
    /// A migrated, standalone database.
    pub async fn new() -> Self {
        static MADE: OnceCell<()> = OnceCell::const_new();
        let make = || {
            template(MIGRATED, |db| async move {
                migrator::migrate(&db.options).await.unwrap();
            })
        };
        MADE.get_or_init(make).await;
        Self::made(&format!("TEMPLATE {MIGRATED}")).await
    }

    /// An empty database.
    pub async fn empty() -> Self {
        Self::made("TEMPLATE template0").await
    }

    /// An empty database with this encoding.
    pub async fn encoded(encoding: &str) -> Self {
        Self::made(&format!("TEMPLATE template0 ENCODING '{encoding}'")).await
    }

    /// A new database of Supabase's, without any table.
    pub async fn supabase() -> Self {
        let db = Self::empty().await;
        db.run(SUPABASE).await;
        db
    }

    /// The application's database with its rows, before the first migration.
    pub async fn application() -> Self {
        let db = Self::supabase().await;
        db.run(APPLICATION).await;
        db
    }

    /// The same before the application had session tracking.
    pub async fn application_without_sessions() -> Self {
        let db = Self::application().await;
        db.run(WITHOUT_SESSIONS).await;
        db
    }

    /// The application's database in state C, before the first migration.
    pub async fn application_with_sessions_in_requests() -> Self {
        let db = Self::application().await;
        db.drop_sessions().await;
        db.move_sessions_into_requests().await;
        db
    }

    /// The application drops its session tracking: state T.
    pub async fn drop_sessions(&self) {
        self.run(DROPS_SESSIONS).await;
    }

    /// The application creates its session tracking again.
    pub async fn create_sessions_again(&self) {
        self.run(SESSIONS_BACK).await;
    }

    /// The application keeps its sessions in `requests` from now on: state C, after state T.
    pub async fn move_sessions_into_requests(&self) {
        self.run(SESSIONS_IN_REQUESTS).await;
    }

    /// The application's database, migrated.
    pub async fn attached() -> Self {
        static MADE: OnceCell<()> = OnceCell::const_new();
        let make = || {
            template(ATTACHED, |db| async move {
                db.run(SUPABASE).await;
                db.run(APPLICATION).await;
                migrator::migrate(&db.options).await.unwrap();
            })
        };
        MADE.get_or_init(make).await;
        Self::made(&format!("TEMPLATE {ATTACHED}")).await
    }

    /// Runs a text of statements, as the superuser.
    pub async fn run(&self, statements: &str) {
        let mut connection = self.options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// Without autovacuum of its tables, whose own reads PostgreSQL counts among those of the statements.
    pub async fn without_autovacuum(self) -> Self {
        self.run(
            "DO $$
             DECLARE name regclass;
             BEGIN
                 FOR name IN SELECT oid FROM pg_class
                     WHERE relkind = 'r' AND relnamespace IN ('avinode_ingest'::regnamespace, 'public'::regnamespace)
                 LOOP
                     EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', name);
                 END LOOP;
             END
             $$",
        )
        .await;
        self
    }

    /// Its address, as `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        cluster()
            .url
            .replacen("postgres:///", &format!("postgres:///{}", self.name), 1)
    }

    async fn made(how: &str) -> Self {
        Self::create(format!("test_{}", Uuid::now_v7().simple()), how).await
    }

    async fn create(name: String, how: &str) -> Self {
        let server = cluster().server.clone();
        let statement = format!("CREATE DATABASE {name} {how}");
        // Two concurrent copies of one template get into each other's way for a moment.
        eventually(PATIENCE, "the template can be copied", async || {
            let mut connection = server.connect().await.unwrap();
            let created = sqlx::raw_sql(AssertSqlSafe(statement.clone()))
                .execute(&mut connection)
                .await;
            connection.close().await.unwrap();
            created.inspect_err(|error| assert!(error.to_string().contains("being accessed"), "{error}"))
        })
        .await;
        let options = server.database(&name);
        let pool = Pool::new(options.clone(), 12);
        Self { options, pool, name }
    }
}
