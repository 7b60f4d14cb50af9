//! `openapi`: prints the description of the HTTP API, as it is kept in the repository.

use std::process::ExitCode;

use super::error::CliError;
use super::output;
use crate::http::openapi::spec;

/// Prints it.
pub fn run() -> Result<ExitCode, CliError> {
    output::write(spec::text().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
