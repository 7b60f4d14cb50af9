//! The database: a named one, or the private Postgres and its data directory.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use super::value_parsers::{boolean, integer_in};

/// Both names of the URL's setting.
pub const DATABASE_URL: &str = "DATABASE_URL (--database-url)";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// Postgres to use, as postgres://user:password@host:5432/database. Without it, a private Postgres is started from the
    /// programs on this machine. Of several hosts (host1:5432,host2:5432) the one that accepts writes is used;
    /// target_session_attrs is read-write (the default with several hosts), primary or any (the default with one).
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Data directory of the private Postgres.
    ///
    /// Default: /var/lib/avinode-ingest for root (Postgres then runs as an unprivileged user, who cannot enter root's home),
    /// $XDG_DATA_HOME/avinode-ingest or ~/.local/share/avinode-ingest for other users. It does not depend on the current
    /// directory.
    #[arg(long, env = "INGEST_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,

    /// Directory of the Postgres programs (postgres, initdb), for the private Postgres.
    ///
    /// Default: the newest version found in /usr/lib/postgresql/*/bin, through pg_config, or on the PATH.
    #[arg(long, env = "INGEST_POSTGRES_BIN", value_name = "DIRECTORY")]
    pub postgres_bin: Option<PathBuf>,

    /// DATABASE_URL leads to a transaction pooler: do not name statements, and poll for new work instead of using LISTEN.
    /// `migrate` needs a direct connection.
    #[arg(long, env = "INGEST_TRANSACTION_POOLER", value_parser = boolean)]
    pub transaction_pooler: bool,

    /// Create the tables of sessions (chat_sessions, conversations) in `migrate` and `serve --migrate` even if the application
    /// keeps its sessions elsewhere, or dropped these tables.
    #[arg(long, env = "INGEST_STANDALONE_SESSIONS", value_parser = boolean)]
    pub standalone_sessions: bool,

    /// Maximum number of database connections (2 to 200).
    #[arg(long, env = "INGEST_DATABASE_MAX_CONNECTIONS", value_name = "COUNT", default_value = "16",
          value_parser = integer_in::<u32>(2, 200))]
    pub database_max_connections: u32,
}

impl DatabaseArgs {
    /// Returns the data directory of the private Postgres: as set, or the default for this user.
    pub fn data_dir(&self) -> PathBuf {
        #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        self.data_dir.clone().unwrap_or_else(|| {
            let root = nix::unistd::Uid::effective().is_root();
            default_data_dir(root, variable("XDG_DATA_HOME"), variable("HOME"))
        })
    }
}

/// Relative paths in the variables are ignored, as the XDG specification demands. A user without a home gets the current
/// directory.
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
