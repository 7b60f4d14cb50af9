//! `openapi`: prints the description of the HTTP API, as it is kept in the repository.

use std::process::ExitCode;

use super::error::CliError;
use super::output;
use crate::http::router::DOCUMENT;

/// Prints it.
pub fn run() -> Result<ExitCode, CliError> {
    output::write(DOCUMENT.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
