//! `openapi`: prints the OpenAPI description of the HTTP API, which is also the file `openapi.json`.

use super::error::CliError;
use super::output;
use crate::http::router::DOCUMENT;

pub fn run() -> Result<(), CliError> {
    output::write(DOCUMENT.as_bytes())
}
