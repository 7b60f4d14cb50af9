//! Opens the database of a command: the named one, or the private Postgres.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::error::{CliError, Context};
use crate::config::database::{DATABASE_URL, DatabaseArgs};
use crate::config::operator_api::is_only_target;
use crate::config::secret::refuse_placeholder_password;
use crate::config::setting_error::SettingError;
use crate::postgres::application_tables::{self, ApplicationTables};
use crate::postgres::attach;
use crate::postgres::data_dir::ClusterHome;
use crate::postgres::database_url;
use crate::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::postgres::error::EmbeddedError;
use crate::postgres::hosts::DatabaseHosts;
use crate::postgres::migrator::error::MigrateError;
use crate::postgres::migrator::status::SchemaStatus;
use crate::postgres::migrator::{self, AppliedMigration};
use crate::postgres::pool::pool;
use crate::postgres::transaction::Pool;

/// The private Postgres's database.
pub const EMBEDDED_DATABASE: &str = "avinode_ingest";
/// Shown in `pg_stat_activity`.
const APPLICATION_NAME: &str = "avinode-ingest";
/// The warning where `postgres::encryption` is optional.
pub const OPTIONAL_ENCRYPTION: &str = "DATABASE_URL leads to another machine without sslmode: the connection is encrypted only if the \
                                       server offers it";
/// How long a command waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long connections may take to close: one that waits for a lock does not close before it has the lock.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The arguments of a command that reads or changes the database.
#[derive(Debug, clap::Args)]
pub struct DatabaseCommandArgs {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// An open database.
pub struct CommandDatabase {
    pub pool: Pool,
    /// For a connection outside of the pool.
    pub hosts: DatabaseHosts,
    /// The private Postgres, where this process started it; [`CommandDatabase::close`] stops it.
    pub embedded: Option<EmbeddedPostgres>,
}

impl CommandDatabase {
    /// Opens the named database, or starts the private Postgres and creates its database.
    pub async fn open(args: &DatabaseArgs) -> Result<Self, CliError> {
        match named(args)? {
            Some(hosts) => Self::connect(hosts, args).await,
            None => match start(args).await {
                Ok(embedded) => Self::private(embedded, args).await,
                Err(error) => Err(not_started(error)),
            },
        }
    }

    /// Opens the named database, or the private Postgres that a service runs here; `None` where neither is there. Starts nothing.
    pub async fn open_running(args: &DatabaseArgs) -> Result<Option<Self>, CliError> {
        let hosts = named(args)?.or_else(|| running(args));
        match hosts {
            Some(hosts) => Self::connect(hosts, args).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens a database with a schema that this program can work with: the named one, the private Postgres that a service runs here, or
    /// else the private Postgres, started until the command ends.
    ///
    /// # Errors
    /// Only the operator API is set, which this command does not use.
    pub async fn open_current(args: &DatabaseArgs) -> Result<Self, CliError> {
        if is_only_target(args) {
            return Err(CliError::setting(
                "this command needs the database, and only INGEST_URL is set: set DATABASE_URL or INGEST_DATA_DIR",
            ));
        }
        let database = match named(args)? {
            Some(hosts) => Self::connect(hosts, args).await?,
            None => match start(args).await {
                Ok(embedded) => Self::private(embedded, args).await?,
                Err(error @ EmbeddedError::InUse { .. }) => {
                    let hosts = running(args).ok_or_else(|| not_started(error))?;
                    Self::connect(hosts, args).await?
                }
                Err(error) => return Err(not_started(error)),
            },
        };
        if let Err(refused) = database.require_current().await {
            let _ = database.close().await; // the refusal is the error to report
            return Err(refused);
        }
        Ok(database)
    }

    async fn private(embedded: EmbeddedPostgres, args: &DatabaseArgs) -> Result<Self, CliError> {
        embedded
            .create_database(EMBEDDED_DATABASE)
            .await
            .context("create the private Postgres's database")?;
        let hosts = DatabaseHosts::from(embedded.options(EMBEDDED_DATABASE));
        Ok(Self {
            embedded: Some(embedded),
            ..Self::unconnected(hosts, args)
        })
    }

    /// Connects to a server that this process did not start.
    async fn connect(hosts: DatabaseHosts, args: &DatabaseArgs) -> Result<Self, CliError> {
        let mut database = Self::unconnected(hosts, args);
        database.pool = database.pool.behind_pooler(args.transaction_pooler);
        if let Err(error) = database.pool.ping().await {
            let server = match &args.database_url {
                Some(_) => "database of DATABASE_URL",
                None => "private Postgres of the running service",
            };
            return Err(CliError::to(format!("connect to the {server}"), error).unavailable());
        }
        Ok(database)
    }

    fn unconnected(hosts: DatabaseHosts, args: &DatabaseArgs) -> Self {
        let max = args.database_max_connections;
        Self {
            pool: pool(&hosts, max, APPLICATION_NAME, ACQUIRE_TIMEOUT),
            hosts,
            embedded: None,
        }
    }

    /// Applies missing migrations. Tables that the application dropped are created again only if the settings say so.
    pub async fn migrate(&self, args: &DatabaseArgs) -> Result<Vec<AppliedMigration>, CliError> {
        let tables = self.application_tables().await?;
        let status = migrator::status::schema_status(&self.pool)
            .await
            .context("read the version of the schema")?;
        if args.standalone_sessions {
            return migrator::migrate_standalone(&self.hosts).await.map_err(not_migrated);
        }
        match tables.remedy() {
            // Nothing to apply: the application's tables are not needed.
            Some(_) if matches!(status, SchemaStatus::Current { .. }) => Ok(Vec::new()),
            Some(remedy) => Err(CliError::plain(tables.to_string()).hint(remedy)),
            None => migrator::migrate(&self.hosts).await.map_err(not_migrated),
        }
    }

    /// Logs a warning if tables of the application are missing: the service receives, and its jobs wait.
    pub async fn warn_of_missing_tables(&self) -> Result<(), CliError> {
        let tables = self.application_tables().await?;
        if let Some(remedy) = tables.remedy() {
            tracing::warn!("{tables}; {remedy}");
        }
        Ok(())
    }

    async fn application_tables(&self) -> Result<ApplicationTables, CliError> {
        application_tables::read(&self.pool)
            .await
            .context("look for the tables of the application")
    }

    /// Refuses a schema that this program cannot work with, with exit code 78.
    pub async fn require_current(&self) -> Result<(), CliError> {
        let status = migrator::status::schema_status(&self.pool)
            .await
            .context("read the version of the schema")?;
        let refused = |reason: String| {
            let hint = "run `avinode-ingest migrate`, or start `serve` with --migrate";
            Err(CliError::plain(reason).hint(hint).unfit_schema())
        };
        match status {
            SchemaStatus::Current { .. } => Ok(()),
            SchemaStatus::Ahead { applied, expected } => {
                tracing::warn!(
                    applied,
                    expected,
                    "the schema (migration {applied}) is newer than this program (migration {expected})"
                );
                Ok(())
            }
            SchemaStatus::TooNew(incompatible) => Err(CliError::to("use the database", incompatible).unfit_schema()),
            SchemaStatus::PreRelease => Err(CliError::to("use the database", MigrateError::PreRelease).unfit_schema()),
            SchemaStatus::Fresh => refused("the database has no schema yet".to_owned()),
            SchemaStatus::Behind { applied, expected } => refused(format!(
                "the schema of the database is older than this program: migration {applied} of {expected}"
            )),
            SchemaStatus::Encoding(unsupported) => Err(CliError::to("use the database", unsupported).unfit_schema()),
            SchemaStatus::Dirty { version } => refused(format!("migration {version} was interrupted or has changed")),
        }
    }

    /// Closes the connections and stops the private Postgres.
    pub async fn close(self) -> Result<(), CliError> {
        if tokio::time::timeout(CLOSE_TIMEOUT, self.pool.close()).await.is_err() {
            tracing::warn!("the database does not answer; dropped its connections");
        }
        match self.embedded {
            Some(embedded) => embedded.stop().await.context("stop the private Postgres"),
            None => Ok(()),
        }
    }
}

/// Parses DATABASE_URL where it is set.
pub fn named(args: &DatabaseArgs) -> Result<Option<DatabaseHosts>, SettingError> {
    let url = args.database_url.as_ref().map(ExposeSecret::expose_secret);
    url.map_or(Ok(()), |url| refuse_placeholder_password(DATABASE_URL, url))?;
    let hosts = url.map(database_url::parse).transpose();
    hosts.map_err(|error| SettingError::new(DATABASE_URL, error))
}

/// The private Postgres that another process runs.
fn running(args: &DatabaseArgs) -> Option<DatabaseHosts> {
    attach::running(&args.data_dir(), EMBEDDED_DATABASE).map(DatabaseHosts::from)
}

async fn start(args: &DatabaseArgs) -> Result<EmbeddedPostgres, EmbeddedError> {
    EmbeddedPostgres::start(embedded_options(args)).await
}

/// The private Postgres of these settings.
pub fn embedded_options(args: &DatabaseArgs) -> EmbeddedOptions {
    EmbeddedOptions::new(args.postgres_bin.clone(), ClusterHome::Persistent(args.data_dir()))
}

fn not_migrated(error: MigrateError) -> CliError {
    use MigrateError::{Changed, Encoding, PreRelease, TooNew};
    let is_unfit = matches!(error, Changed { .. } | Encoding(_) | PreRelease | TooNew(_));
    let failed = CliError::to("migrate the database", error);
    if is_unfit { failed.unfit_schema() } else { failed }
}

fn not_started(error: EmbeddedError) -> CliError {
    CliError::to("start the private Postgres", error).unavailable()
}
