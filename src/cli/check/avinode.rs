//! The check of Avinode's API: credentials, clock and webhook settings, by one call that changes nothing.

use chrono::{DateTime, Utc};

use super::finding::CheckResult;
use crate::avinode::client::base_url::AllowedAddresses;
use crate::avinode::client::config::ClientSettings;
use crate::avinode::client::webhook_settings::missing;
use crate::cli::avinode_client::{client, client_settings};
use crate::cli::serve::ServeCommandArgs;
use crate::clock::Clock;

/// Avinode rejects calls with a time further from its own, in seconds.
const TOLERANCE_SECONDS: u64 = 300;

pub async fn check(args: &ServeCommandArgs) -> Vec<CheckResult> {
    match client_settings(&args.avinode) {
        Ok(Some(settings)) => call(&settings).await,
        Ok(None) if !args.serve.role.works() => {
            vec![CheckResult::ok("avinode", "no credentials; a receiver needs none")]
        }
        Ok(None) => vec![CheckResult::warning(
            "avinode",
            "no credentials: thin notifications are stored, and fetched once there are credentials",
            "set AVINODE_BASE_URL, AVINODE_API_TOKEN and AVINODE_BEARER",
        )],
        Err(error) => vec![CheckResult::error("avinode", &error.into())],
    }
}

async fn call(settings: &ClientSettings) -> Vec<CheckResult> {
    let client = match client(settings) {
        Ok(client) => client,
        Err(error) => return vec![CheckResult::error("avinode", &error)],
    };
    let listed = client.webhooks().await;
    let mut results = vec![match &listed.settings {
        Ok(all) => CheckResult::ok(
            "avinode",
            format!(
                "{} accepts the credentials; {} webhook settings",
                settings.base,
                all.len()
            ),
        ),
        Err(error) if error.is_refusal() => CheckResult::failed(
            "avinode",
            error.reason(),
            "set AVINODE_API_TOKEN and AVINODE_BEARER to the tokens that Avinode issued, and check the clock; nothing is \
             fetched until then",
        ),
        Err(error) => CheckResult::warning(
            "avinode",
            error.reason(),
            "thin notifications are stored, and fetched when Avinode answers",
        ),
    }];
    if settings.base.allowed_addresses() == AllowedAddresses::Loopback {
        results.push(CheckResult::warning(
            "avinode",
            format!(
                "AVINODE_INSECURE_LOOPBACK: the API is on this machine, at {}",
                settings.base
            ),
            "use it for tests and simulators only",
        ));
    }
    results.extend(listed.server_time.and_then(|theirs| skew(theirs, Clock::System.now())));
    if let Ok(all) = &listed.settings {
        let missing = missing(all, None);
        if !missing.is_empty() {
            results.push(CheckResult::warning(
                "avinode",
                format!("no active webhook setting sends {}", missing.join(", ")),
                "see `avinode-ingest webhooks list` and `webhooks create`",
            ));
        }
    }
    results
}

fn skew(theirs: DateTime<Utc>, ours: DateTime<Utc>) -> Option<CheckResult> {
    let seconds = ours.timestamp() - theirs.timestamp();
    let off = seconds.unsigned_abs();
    (off > TOLERANCE_SECONDS).then(|| {
        let direction = if seconds > 0 { "ahead of" } else { "behind" };
        CheckResult::warning(
            "avinode",
            format!("this machine's clock is {off} s {direction} Avinode's, which tolerates {TOLERANCE_SECONDS} s"),
            "synchronize the clock by NTP",
        )
    })
}

#[cfg(test)]
mod tests;
