//! One embedded cluster per run, a migrated template on it, and a database per test made from the template.
//!
//! The cluster lives on a thread of its own: each test has its own runtime, and none of them outlives it. It ends with
//! the process, by its watchdog.

use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use avinode_ingest::postgres::data_dir::ClusterHome;
use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use avinode_ingest::postgres::migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::pool::Pool;

/// How to reach the cluster's databases.
struct Cluster {
    server: PgConnectOptions,
    url: String,
}

const TEMPLATE: &str = "template_migrated";
/// The application's database, migrated. Made by the first test that asks for it.
const ATTACHED: &str = "template_attached";
/// A new database of Supabase's.
const SUPABASE: &str = include_str!("../host/supabase.sql");
/// The application's tables and rows, as they are found there.
const APPLICATION: &str = include_str!("../host/attached.sql");
const WITHOUT_SESSIONS: &str = include_str!("../host/attached_without_sessions.sql");

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
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
                    home: ClusterHome::ThrowAway,
                    settings: settings
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .to_vec(),
                })
                .await
                .unwrap();
                cluster.create_database(TEMPLATE).await.unwrap();
                migrator::migrate(&cluster.options(TEMPLATE)).await.unwrap();
                send.send(Cluster {
                    server: cluster.options("postgres"),
                    url: cluster.url(""),
                })
                .unwrap();
                // Kept for as long as the process: the watchdog ends it.
                std::future::pending::<()>().await;
            });
        });
        receive
            .recv_timeout(Duration::from_secs(120))
            .expect("the cluster starts")
    })
}

/// A database of a test's own.
pub struct Db {
    /// How to reach it.
    pub options: PgConnectOptions,
    /// Its connections.
    pub pool: Pool,
    name: String,
}

impl Db {
    /// A migrated, standalone database.
    pub async fn new() -> Self {
        Self::made(&format!("TEMPLATE {TEMPLATE}")).await
    }

    /// An empty database.
    pub async fn empty() -> Self {
        Self::made("TEMPLATE template0").await
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

    /// The application's database, migrated.
    pub async fn attached() -> Self {
        static MADE: OnceCell<()> = OnceCell::const_new();
        MADE.get_or_init(|| async {
            let template = Self::named(ATTACHED.to_owned(), "TEMPLATE template0").await;
            template.run(SUPABASE).await;
            template.run(APPLICATION).await;
            migrator::migrate(&template.options).await.unwrap();
            template.pool.close().await;
        })
        .await;
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

    /// Its address, as `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        cluster()
            .url
            .replacen("postgres:///", &format!("postgres:///{}", self.name), 1)
    }

    async fn made(how: &str) -> Self {
        Self::named(format!("test_{}", Uuid::now_v7().simple()), how).await
    }

    async fn named(name: String, how: &str) -> Self {
        let server = cluster().server.clone();
        let mut connection = server.connect().await.unwrap();
        let statement = format!("CREATE DATABASE {name} {how}");
        // Two copies of one template at once get into each other's way for a moment.
        for attempt in 0.. {
            match sqlx::raw_sql(AssertSqlSafe(statement.clone()))
                .execute(&mut connection)
                .await
            {
                Ok(_) => break,
                Err(error) if attempt < 200 => {
                    assert!(error.to_string().contains("being accessed"), "{error}");
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        connection.close().await.unwrap();
        let options = server.database(&name);
        let pool = Pool::new(options.clone(), 12);
        Self { options, pool, name }
    }
}
