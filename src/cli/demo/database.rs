//! The demo's database: in a temporary Postgres, or on a given server. Both are removed with the demo.

use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};

use super::DemoArgs;
use crate::cli::database::EMBEDDED_DATABASE;
use crate::cli::error::{CliError, Context};
use crate::postgres::data_dir::ClusterHome;
use crate::postgres::database_url;
use crate::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::postgres::hosts::DatabaseHosts;
use crate::postgres::temp_database::TempDatabase;

pub struct DemoDatabase {
    /// For people.
    pub description: String,
    pub hosts: DatabaseHosts,
    /// The server, for another process.
    pub url: SecretString,
    /// The database there.
    pub name: String,
    embedded: Option<EmbeddedPostgres>,
    temporary: Option<TempDatabase>,
}

impl DemoDatabase {
    pub async fn create(args: &DemoArgs) -> Result<Self, CliError> {
        if let Some(url) = &args.database_url {
            let server = database_url::parse(url.expose_secret())
                .map_err(|error| CliError::setting(format!("--database-url: {error}")))?;
            let temporary = TempDatabase::create(&server).await.map_err(|error| {
                CliError::to("create the demo's database on the server of --database-url", error).unavailable()
            })?;
            return Ok(Self {
                description: format!("database {} on the given server", temporary.name()),
                hosts: temporary.hosts(),
                url: url.clone(),
                name: temporary.name().to_owned(),
                embedded: None,
                temporary: Some(temporary),
            });
        }
        let began = Instant::now();
        let options = EmbeddedOptions::new(args.postgres_bin.clone(), ClusterHome::Temporary);
        let embedded = EmbeddedPostgres::start(options).await;
        let embedded = embedded.map_err(|error| CliError::to("start a temporary Postgres", error).unavailable())?;
        embedded
            .create_database(EMBEDDED_DATABASE)
            .await
            .context("create the demo's database")?;
        Ok(Self {
            description: format!("a temporary Postgres, started in {} ms", began.elapsed().as_millis()),
            hosts: embedded.options(EMBEDDED_DATABASE).into(),
            url: embedded.url(EMBEDDED_DATABASE).into(),
            name: EMBEDDED_DATABASE.to_owned(),
            embedded: Some(embedded),
            temporary: None,
        })
    }

    pub async fn remove(self) -> Result<(), CliError> {
        if let Some(temporary) = self.temporary {
            temporary.remove().await.context("drop the demo's database")?;
        }
        if let Some(embedded) = self.embedded {
            embedded.stop().await.context("stop the temporary Postgres")?;
        }
        Ok(())
    }
}
