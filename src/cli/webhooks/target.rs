//! Checks the target of a webhook setting: a wrong one loses every notification, and Avinode does not say so.
//!
//! The target is asked as Avinode asks it: a POST without credentials, which this service refuses in a way of its own.

use std::time::Duration;

use serde_json::Value;
use url::{Host, Url};

use crate::cli::error::{CliError, chain};
use crate::cli::replay::sender;
use crate::config::webhook_path::WEBHOOK_PATH as PATH;
use crate::http::problem::{INVALID_SIGNATURE, NOT_FOUND, TYPE_PREFIX};

const TIMEOUT: Duration = Duration::from_secs(15);
/// Our problems are shorter.
const MAX_ANSWER: usize = 16 * 1024;

/// Checks that a target is one to which Avinode can send deliveries. `insecure_loopback` allows one on this machine.
pub fn check(target: &Url, insecure_loopback: bool) -> Result<(), CliError> {
    let refuse = |why: &str| {
        Err(CliError::setting(format!(
            "--target: {} {why}",
            without_user_info(target)
        )))
    };
    if !target.username().is_empty() || target.password().is_some() {
        return refuse("contains a user name or a password: Avinode sends the credentials of the setting");
    }
    if target.query().is_some() || target.fragment().is_some() {
        return refuse("has a query or a fragment");
    }
    let is_loopback = match target.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match (target.scheme(), is_loopback) {
        ("https", false) => Ok(()),
        (_, true) if insecure_loopback => {
            tracing::warn!(%target, "AVINODE_INSECURE_LOOPBACK is set: {target} is on this machine, for tests and simulators only");
            Ok(())
        }
        (_, true) => refuse("is on this machine, which Avinode cannot reach"),
        _ => refuse("is not https: deliveries and credentials must be encrypted"),
    }
}

/// Asks the target, and checks that this service answers it as a receiver of webhooks with HTTP Basic.
pub async fn ask(target: &Url) -> Result<(), CliError> {
    let no_answer = |why: String| {
        CliError::plain(format!("{target} does not answer: {why}"))
            .hint("start the service first, or leave the check out with --skip-target-check")
            .unavailable()
    };
    let client = sender::client(target.as_str()).map_err(|error| no_answer(chain(&error)))?;
    let request = client.post(target.clone()).timeout(TIMEOUT).body("{}");
    let request = request.header("content-type", "application/json");
    let answered = request
        .send()
        .await
        .map_err(|error| no_answer(chain(&error.without_url())))?;
    let status = answered.status().as_u16();
    let challenge = answered.headers().get("www-authenticate");
    let challenge = challenge.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let offers_basic = challenge.to_ascii_lowercase().starts_with("basic");
    let problem = problem_of(answered).await;
    let wrong = match (status, problem.as_deref()) {
        (401, Some(INVALID_SIGNATURE)) if offers_basic => return Ok(()),
        (401, Some(INVALID_SIGNATURE)) => {
            "the service there accepts no HTTP Basic credentials: set AVINODE_WEBHOOK_BASIC for it".to_owned()
        }
        (_, Some(NOT_FOUND)) => format!("the service there has no such path; deliveries go to {PATH}"),
        (_, Some(other)) => format!("the service there answers {status} ({other})"),
        (_, None) => format!("it answers {status}, and not as avinode-ingest does"),
    };
    Err(
        CliError::plain(format!("{target} is not the webhook of this service: {wrong}")).hint(format!(
            "for example https://hooks.example.com{PATH}; --skip-target-check leaves the check out"
        )),
    )
}

/// Reads the name of one of our problems.
async fn problem_of(mut answered: reqwest::Response) -> Option<String> {
    let mut body = Vec::new();
    while let Some(chunk) = answered.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return None;
        }
    }
    let problem: Value = serde_json::from_slice(&body).ok()?;
    problem["type"].as_str()?.strip_prefix(TYPE_PREFIX).map(str::to_owned)
}

fn without_user_info(target: &Url) -> String {
    let mut shown = target.clone();
    // Neither fails: the URL has a host.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.into()
}

#[cfg(test)]
mod tests;
