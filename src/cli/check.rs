//! `check`: tries the configuration of `serve` without serving, one line for each thing tried.

pub mod avinode;
pub mod config;
pub mod database;
pub mod finding;
pub mod schema;

use std::process::ExitCode;

use super::error::CliError;
use super::output::print;
use super::serve;
use finding::CheckResults;

/// What `check` takes: everything that `serve` takes.
#[derive(Debug, clap::Args)]
#[group(skip)] // It would bear the same name as that of what is flattened into it.
pub struct CheckArgs {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// What is tried.
    #[command(flatten)]
    pub tried: serve::ServeCommandArgs,
}

/// Tries everything and prints a line for each. What depends on something that failed is not tried.
pub async fn run(args: CheckArgs) -> Result<ExitCode, CliError> {
    let mut findings = CheckResults::default();
    let tried = &args.tried;
    findings.add(config::settings(tried));
    findings.extend(config::secrets(tried));
    findings.add(config::port(tried.serve.listen).await);
    findings.extend(avinode::look(tried).await);
    database::look(tried, &mut findings).await;
    if args.json {
        print(format_args!("{:#}", findings.json()))?;
    } else {
        print(&findings)?;
    }
    Ok(ExitCode::from(findings.code()))
}
