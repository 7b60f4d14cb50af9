//! Opening the database that a command is to use: the one that was named, or the embedded default.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::error::{CliError, Context};
use crate::config::database::DatabaseArgs;
use crate::postgres::attach;
use crate::postgres::data_dir::ClusterHome;
use crate::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::postgres::error::EmbeddedError;
use crate::postgres::migrator::error::MigrateError;
use crate::postgres::migrator::{self, SchemaStatus};
use crate::postgres::pool::{connect_options, pool};
use crate::postgres::transaction::Pool;

/// The embedded cluster's database.
pub const EMBEDDED_DATABASE: &str = "avinode_ingest";
/// What operators see in `pg_stat_activity`.
const APPLICATION_NAME: &str = "avinode-ingest";
/// How long a command waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long connections may take to close: one whose statement waits for a lock does not close before it has it.
const CLOSING: Duration = Duration::from_secs(3);

/// An open database.
pub struct CommandDatabase {
    /// Its connections.
    pub pool: Pool,
    /// How to reach it directly.
    pub options: PgConnectOptions,
    /// The private cluster it lives in, when it is ours; stopped by [`CommandDatabase::close`].
    pub embedded: Option<EmbeddedPostgres>,
}

impl CommandDatabase {
    /// Opens the named database, or starts the embedded one (and makes its database).
    pub async fn open(args: &DatabaseArgs) -> Result<Self, CliError> {
        match &args.database_url {
            Some(url) => Self::named(url, args).await,
            None => match start(args).await {
                Ok(embedded) => Self::private(embedded, args).await,
                Err(error) => Err(not_started(error)),
            },
        }
    }

    /// Opens it for a look: as [`CommandDatabase::open`], but where a running service owns the private Postgres, that one is
    /// looked into.
    pub async fn open_beside(args: &DatabaseArgs) -> Result<Self, CliError> {
        match &args.database_url {
            Some(url) => Self::named(url, args).await,
            None => match start(args).await {
                Ok(embedded) => Self::private(embedded, args).await,
                Err(error @ EmbeddedError::InUse { .. }) => {
                    let options = attach::running(&args.data_dir(), EMBEDDED_DATABASE);
                    Self::reached(options.ok_or_else(|| not_started(error))?, args).await
                }
                Err(error) => Err(not_started(error)),
            },
        }
    }

    /// Opens the database of a running service: the named one, or the private Postgres that one owns here. None where
    /// none is named and none is running: nothing is started.
    pub async fn open_running(args: &DatabaseArgs) -> Result<Option<Self>, CliError> {
        if let Some(url) = &args.database_url {
            return Self::named(url, args).await.map(Some);
        }
        match attach::running(&args.data_dir(), EMBEDDED_DATABASE) {
            Some(options) => Self::reached(options, args).await.map(Some),
            None => Ok(None),
        }
    }

    async fn named(url: &SecretString, args: &DatabaseArgs) -> Result<Self, CliError> {
        let options = connect_options(url.expose_secret())
            .map_err(|error| CliError::setting(format!("DATABASE_URL (--database-url): {error}")))?;
        Self::reached(options, args).await
    }

    async fn private(embedded: EmbeddedPostgres, args: &DatabaseArgs) -> Result<Self, CliError> {
        embedded
            .create_database(EMBEDDED_DATABASE)
            .await
            .context("make the private Postgres's database")?;
        let options = embedded.options(EMBEDDED_DATABASE);
        let pool = pool(options.clone(), args.max_connections, APPLICATION_NAME, PATIENCE);
        Ok(Self {
            pool,
            options,
            embedded: Some(embedded),
        })
    }

    /// Somebody else's server, once it has answered.
    async fn reached(options: PgConnectOptions, args: &DatabaseArgs) -> Result<Self, CliError> {
        let which = match &args.database_url {
            Some(_) => "database of DATABASE_URL",
            None => "private Postgres of the running service",
        };
        let pool = pool(options.clone(), args.max_connections, APPLICATION_NAME, PATIENCE);
        let pool = pool.behind_pooler(args.pooler);
        if let Err(error) = pool.reach().await {
            return Err(CliError::to(format!("connect to the {which}"), why(&options, error).await).unavailable());
        }
        Ok(Self {
            pool,
            options,
            embedded: None,
        })
    }

    /// Opens the database of a service for a look: the named one, or the private Postgres, which need not be running
    /// (it is then started for the command's length).
    pub async fn open_current(args: &DatabaseArgs) -> Result<Self, CliError> {
        let database = Self::open_beside(args).await?;
        if let Err(refused) = database.require_current().await {
            let _ = database.close().await; // the refusal is what there is to tell
            return Err(refused);
        }
        Ok(database)
    }

    /// Refuses a schema that this program cannot work with.
    pub async fn require_current(&self) -> Result<(), CliError> {
        let status = migrator::schema_status(&self.pool)
            .await
            .context("read the schema's version")?;
        let refused = |what: String| {
            Err(CliError::plain(what).hint("run `avinode-ingest migrate`, or start `serve` with --migrate"))
        };
        match status {
            SchemaStatus::Current { .. } => Ok(()),
            SchemaStatus::Ahead { applied, expected } => {
                tracing::warn!(applied, expected, "the schema is newer than this program");
                Ok(())
            }
            SchemaStatus::PreRelease => Err(CliError::to("use the database", MigrateError::PreRelease)),
            SchemaStatus::Fresh => refused("the database has no schema yet".to_owned()),
            SchemaStatus::Behind { applied, expected } => refused(format!(
                "the database's schema is older than this program: migration {applied} of {expected}"
            )),
            SchemaStatus::Dirty { version } => refused(format!("migration {version} was cut short or has changed")),
        }
    }

    /// Closes the connections and stops the private cluster.
    pub async fn close(self) -> Result<(), CliError> {
        if tokio::time::timeout(CLOSING, self.pool.close()).await.is_err() {
            tracing::warn!("the database does not answer; its connections are dropped");
        }
        match self.embedded {
            Some(embedded) => embedded.stop().await.context("stop the private Postgres"),
            None => Ok(()),
        }
    }
}

async fn start(args: &DatabaseArgs) -> Result<EmbeddedPostgres, EmbeddedError> {
    EmbeddedPostgres::start(EmbeddedOptions {
        bin_dir: args.postgres_bin.clone(),
        home: ClusterHome::Kept(args.data_dir()),
        settings: Vec::new(),
    })
    .await
}

fn not_started(error: EmbeddedError) -> CliError {
    CliError::to("start the private Postgres", error).unavailable()
}

/// A pool that has tried until its patience ended says only that; one attempt more says why.
async fn why(options: &PgConnectOptions, error: sqlx::Error) -> sqlx::Error {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return error;
    }
    match tokio::time::timeout(Duration::from_secs(3), options.connect()).await {
        Ok(Err(said)) => said,
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            error
        }
        Err(_) => error,
    }
}
