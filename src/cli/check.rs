//! `check`: checks the configuration of `serve` without serving, one line per check. It writes nothing.

pub mod avinode;
pub mod config;
pub mod database;
pub mod finding;

use std::process::ExitCode;

use super::error::CliError;
use super::output::print;
use super::serve;
use crate::admin::check::finding::CheckResults;

#[derive(Debug, clap::Args)]
#[group(skip)] // It would have the name of the flattened one.
pub struct CheckArgs {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub serve: serve::ServeCommandArgs,
}

/// Runs all checks, except those that depend on one that failed.
pub async fn run(args: CheckArgs) -> Result<ExitCode, CliError> {
    let mut results = CheckResults::default();
    let serve = &args.serve;
    results.add(config::settings(serve));
    results.extend(config::secrets(serve));
    results.add(config::port(serve.serve.listen).await);
    results.extend(avinode::check(serve).await);
    database::check(serve, &mut results).await;
    if args.json {
        print(format_args!("{:#}", results.json()))?;
    } else {
        print(&results)?;
    }
    Ok(ExitCode::from(results.code()))
}
