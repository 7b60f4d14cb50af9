//! Where the demo happens: a throw-away Postgres, or a database of its own on a given server; neither outlives it.

use std::time::Instant;

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;

use super::Args;
use crate::cli::database::EMBEDDED_DATABASE;
use crate::cli::error::{Attempt, Failure};
use crate::postgres::data_dir::Home;
use crate::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::postgres::pool::connect_options;
use crate::postgres::temp_database::Scratch;

/// Where the demo happens.
pub struct Place {
    /// What it is, for people.
    pub what: String,
    /// How to reach it.
    pub options: PgConnectOptions,
    embedded: Option<EmbeddedPostgres>,
    scratch: Option<Scratch>,
}

impl Place {
    /// Makes it as the arguments say.
    pub async fn make(args: &Args) -> Result<Self, Failure> {
        if let Some(url) = &args.database_url {
            let server = connect_options(url.expose_secret())
                .map_err(|error| Failure::setting(format!("--database-url: {error}")))?;
            let scratch = Scratch::make(&server).await.map_err(|error| {
                Failure::to("make the demo's database on the server of --database-url", error).unavailable()
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
            home: Home::ThrowAway,
            settings: Vec::new(),
        })
        .await
        .map_err(|error| Failure::to("start a throw-away Postgres", error).unavailable())?;
        embedded
            .create_database(EMBEDDED_DATABASE)
            .await
            .attempting("make the demo's database")?;
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
    pub async fn remove(self) -> Result<(), Failure> {
        if let Some(scratch) = self.scratch {
            scratch.remove().await.attempting("drop the demo's database")?;
        }
        if let Some(embedded) = self.embedded {
            embedded.stop().await.attempting("stop the throw-away Postgres")?;
        }
        Ok(())
    }
}
