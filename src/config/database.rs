//! Which database: a named one, or the embedded default and where it keeps its data.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use super::secret::database_url;
use super::value_parsers::{switch, whole};

/// Settings of the database.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// The Postgres to use, as postgres://user:password@host:5432/database. Without it, a private Postgres is started
    /// from the programs on this machine.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = database_url)]
    pub database_url: Option<SecretString>,

    /// Where the private Postgres keeps its data.
    ///
    /// Default: /var/lib/avinode-ingest for root (its Postgres runs as an unprivileged user, who cannot reach root's
    /// folders), for others $XDG_DATA_HOME/avinode-ingest, that is ~/.local/share/avinode-ingest; never the current
    /// folder, so that the same data is found from anywhere.
    #[arg(long, env = "INGEST_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// The folder of the Postgres programs (postgres, initdb), for the private Postgres.
    ///
    /// Default: the newest found in /usr/lib/postgresql/*/bin, by pg_config, or on the PATH.
    #[arg(long, env = "INGEST_POSTGRES_BIN", value_name = "FOLDER")]
    pub postgres_bin: Option<PathBuf>,

    /// DATABASE_URL leads to a transaction pooler: send statements without names, and do without LISTEN (new work of
    /// other processes is found by polling). Migrations need a direct connection.
    #[arg(long, env = "INGEST_POOLER", value_parser = switch)]
    pub pooler: bool,

    /// Most connections to the database (2 to 200).
    #[arg(long, env = "INGEST_MAX_CONNECTIONS", value_name = "COUNT", default_value = "16",
          value_parser = whole::<u32>(2, 200))]
    pub max_connections: u32,
}

impl DatabaseArgs {
    /// Where the private Postgres keeps its data: as set, or the default for this user.
    pub fn data_dir(&self) -> PathBuf {
        #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        self.data_dir.clone().unwrap_or_else(|| {
            let root = nix::unistd::Uid::effective().is_root();
            default_data_dir(root, variable("XDG_DATA_HOME"), variable("HOME"))
        })
    }
}

/// The default folder. Relative paths in the variables are ignored, as the XDG specification says; a service without
/// a home falls back to the current folder.
fn default_data_dir(root: bool, xdg_data_home: Option<PathBuf>, home: Option<PathBuf>) -> PathBuf {
    if root {
        return PathBuf::from("/var/lib/avinode-ingest");
    }
    let data = xdg_data_home.filter(|path| path.is_absolute());
    let data = data.or_else(|| {
        home.filter(|path| path.is_absolute())
            .map(|home| home.join(".local/share"))
    });
    data.map_or_else(|| PathBuf::from(".avinode-ingest"), |data| data.join("avinode-ingest"))
}

#[cfg(test)]
mod tests;
