//! `healthcheck`: asks the local service for its health. The exit code is 0 or 1, which are all that container engines know.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::error::{CliError, Context};
use super::output::print;
use super::replay::sender::client;
use crate::config::healthcheck::HealthcheckArgs;

const HINT: &str = "a running `serve` listens on INGEST_LISTEN, and on INGEST_ADMIN_LISTEN where it is set";

pub async fn run(args: &HealthcheckArgs) -> Result<(), CliError> {
    let url = args.url();
    let report = ask(&url, args.timeout).await.map_err(|error| error.hint(HINT))?;
    match report["status"].as_str() {
        Some(status @ ("alive" | "ready")) => print(status),
        Some("not ready") => Err(CliError::plain(format!("not ready: {}", failed_checks(&report)))),
        _ => Err(CliError::plain(format!("{url} is answered by another program")).hint(HINT)),
    }
}

/// Returns the JSON that a listener answers, whatever its status.
///
/// # Errors
/// There is no answer within the limit, or it is not JSON.
pub async fn ask(url: &str, limit: Duration) -> Result<Value, CliError> {
    let client = client(url).context("make an HTTP client")?;
    let answer = async {
        let response = client.get(url).send().await.context(format_args!("reach {url}"))?;
        response.bytes().await.context(format_args!("read the answer of {url}"))
    };
    let answer = timeout(limit, answer).await;
    let answer = answer.map_err(|_| CliError::plain(format!("{url} did not answer within {limit:?}")))??;
    serde_json::from_slice(&answer).context(format_args!("read the answer of {url} as JSON"))
}

fn failed_checks(report: &Value) -> String {
    let checks = report["checks"].as_object().into_iter().flatten();
    let failed = checks.filter_map(|(name, result)| {
        let reason = result.as_str().filter(|reason| *reason != "ok")?;
        Some(format!("{name}: {reason}"))
    });
    failed.collect::<Vec<_>>().join("; ")
}
