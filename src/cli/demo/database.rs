//! Where the demo happens: a throw-away Postgres, or a database of its own on a given server; neither outlives it.

use std::time::Instant;

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;

use super::DemoArgs;
use crate::cli::database::EMBEDDED_DATABASE;
use crate::cli::error::{CliError, Context};
use crate::postgres::data_dir::ClusterHome;
use crate::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::postgres::pool::connect_options;
use crate::postgres::temp_database::TempDatabase;

/// Where the demo happens.
pub struct DemoDatabase {
    /// What it is, for people.
    pub what: String,
    /// How to reach it.
    pub options: PgConnectOptions,
    embedded: Option<EmbeddedPostgres>,
    scratch: Option<TempDatabase>,
}

impl DemoDatabase {
    /// Makes it as the arguments say.
    pub async fn make(args: &DemoArgs) -> Result<Self, CliError> {
        if let Some(url) = &args.database_url {
            let server = connect_options(url.expose_secret())
                .map_err(|error| CliError::setting(format!("--database-url: {error}")))?;
            let scratch = TempDatabase::make(&server).await.map_err(|error| {
                CliError::to("make the demo's database on the server of --database-url", error).unavailable()
            })?;
            let what = format!("database {} on the given server", scratch.name());
            return Ok(Self {
                what,
                options: scratch.options(),
                embedded: None,
                scratch: Some(scratch),
            });
        }
        let began = Instant::now();
        let embedded = EmbeddedPostgres::start(EmbeddedOptions {
            bin_dir: args.postgres_bin.clone(),
            home: ClusterHome::ThrowAway,
            settings: Vec::new(),
        })
        .await
        .map_err(|error| CliError::to("start a throw-away Postgres", error).unavailable())?;
        embedded
            .create_database(EMBEDDED_DATABASE)
            .await
            .context("make the demo's database")?;
        let what = format!("a throw-away Postgres, started in {} ms", began.elapsed().as_millis());
        let options = embedded.options(EMBEDDED_DATABASE);
        Ok(Self {
            what,
            options,
            embedded: Some(embedded),
            scratch: None,
        })
    }

    /// Removes all of it.
    pub async fn remove(self) -> Result<(), CliError> {
        if let Some(scratch) = self.scratch {
            scratch.remove().await.context("drop the demo's database")?;
        }
        if let Some(embedded) = self.embedded {
            embedded.stop().await.context("stop the throw-away Postgres")?;
        }
        Ok(())
    }
}
