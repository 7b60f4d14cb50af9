//! `openapi`: prints the description of the HTTP API, as it is kept in the repository.

use std::process::ExitCode;

use super::failure::Failure;
use super::output;
use crate::http::openapi::document;

/// Prints it.
pub fn run() -> Result<ExitCode, Failure> {
    output::write(document::text().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
