//! The program: parses the command line, starts the log, runs the command and returns its exit code.

use std::process::ExitCode;

use avinode_ingest::cli::command;
use avinode_ingest::cli::error::{CliError, Context};
use avinode_ingest::{stderr, telemetry};

/// Returns the memory of a burst to the system. The allocator of glibc kept 60 MiB that 1,000 busy connections had freed.
#[cfg(not(target_vendor = "apple"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let code = match command::parse_from(std::env::args_os()) {
        Ok(cli) => run(cli).unwrap_or_else(|error| error.print()),
        Err(exit) => exit.print(),
    };
    stderr::flush(stderr::FLUSH_LIMIT);
    code
}

fn run(cli: command::Cli) -> Result<ExitCode, CliError> {
    cli.output.apply();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().context("start the runtime")?;
    let telemetry = telemetry::init(&cli.log, runtime.handle()).context("start the log")?;
    command::warn_of_unknown_variables();
    let result = runtime.block_on(command::run(cli.command));
    telemetry.end();
    runtime.shutdown_background(); // a blocked task must not delay the exit
    result
}
