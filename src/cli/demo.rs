//! `demo`: the main job on the fixtures, from nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use secrecy::SecretString;

use super::failure::Failure;
use crate::config::secret::database_url;
use crate::config::serve::PrimaryQuote;
use crate::config::values::address;

/// What the demo takes. None of it, but where the Postgres programs are, comes from the environment: it must show the
/// same thing in every shell, and touch no database that the shell happens to name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when the work is done, with exit code 0 if every session is as the fixtures say, instead of staying up.
    #[arg(long)]
    pub exit: bool,

    /// Make, use and drop a database of the demo's own on this Postgres, instead of starting a throw-away one. The
    /// database named in the URL is not touched. DATABASE_URL is ignored here.
    #[arg(long, hide_env_values = true, value_name = "URL", value_parser = database_url)]
    pub database_url: Option<SecretString>,

    /// The folder of the fixtures and their manifest.
    #[arg(long, value_name = "FOLDER", default_value = "fixtures")]
    pub fixtures: PathBuf,

    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,

    /// Which quote becomes a session's primary one. The manifest tells what `latest` leads to.
    #[arg(long, value_name = "POLICY", default_value = "latest")]
    pub primary_quote: PrimaryQuote,

    /// The folder of the Postgres programs (postgres, initdb), where they are not found by themselves.
    #[arg(long, env = "INGEST_POSTGRES_BIN", value_name = "FOLDER")]
    pub postgres_bin: Option<PathBuf>,
}

/// Runs the demo.
pub async fn run(_args: Args) -> Result<ExitCode, Failure> {
    Err(Failure::plain("demo is not built yet"))
}
