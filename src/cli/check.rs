//! `check`: tries the configuration of `serve` without serving, one line for each thing tried.

pub mod attached;
pub mod avinode;
pub mod database;
pub mod finding;
pub mod local;

use std::process::ExitCode;

use super::failure::Failure;
use super::output::print;
use crate::config::avinode::{AvinodeArgs, FetchArgs};
use crate::config::database::DatabaseArgs;
use crate::config::serve::ServeArgs;
use crate::config::webhook::WebhookArgs;
use finding::Findings;

/// What is tried: everything that `serve` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// Receiver and workers.
    #[command(flatten)]
    pub serve: ServeArgs,

    /// The proof of the sender.
    #[command(flatten)]
    pub webhook: WebhookArgs,

    /// Avinode's API.
    #[command(flatten)]
    pub avinode: AvinodeArgs,

    /// How often it is called.
    #[command(flatten)]
    pub fetch: FetchArgs,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Tries everything and prints a line for each. What depends on something that failed is not tried.
pub async fn run(args: Args) -> Result<ExitCode, Failure> {
    let mut findings = Findings::default();
    findings.add(local::settings(&args));
    findings.extend(local::secrets(&args));
    findings.add(local::port(args.serve.listen).await);
    findings.extend(avinode::look(&args).await);
    database::look(&args, &mut findings).await;
    if args.json {
        print(format_args!("{:#}", findings.json()))?;
    } else {
        print(&findings)?;
    }
    Ok(ExitCode::from(findings.code()))
}
