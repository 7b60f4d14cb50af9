//! What can be tried of Avinode's API: whether there are credentials, whether they are taken, and what Avinode sends.
//! One call, which changes nothing.

use chrono::{DateTime, Utc};

use super::finding::CheckResult;
use crate::avinode::client::base_url::AllowedAddresses;
use crate::avinode::client::config::ClientSettings;
use crate::avinode::client::error::FetchError;
use crate::avinode::client::webhook_settings::missing;
use crate::cli::avinode_client::{client, client_settings};
use crate::cli::serve::ServeCommandArgs;
use crate::clock::Clock;

/// How far our clock may be from Avinode's, in seconds: calls sent later or earlier are refused.
const TOLERANCE_SECONDS: u64 = 300;

/// Tries the API.
pub async fn look(args: &ServeCommandArgs) -> Vec<CheckResult> {
    match client_settings(&args.avinode) {
        Ok(Some(settings)) => call(&settings).await,
        Ok(None) if !args.serve.role.works() => {
            vec![CheckResult::ok(
                "avinode",
                "no credentials; a process that only receives needs none",
            )]
        }
        Ok(None) => vec![CheckResult::warning(
            "avinode",
            "no credentials: thin notifications are kept and wait",
            "set AVINODE_BASE_URL, AVINODE_API_TOKEN and AVINODE_BEARER; what waits is then worked off",
        )],
        Err(failure) => vec![CheckResult::of_failure("avinode", &failure)],
    }
}

async fn call(settings: &ClientSettings) -> Vec<CheckResult> {
    let client = match client(settings) {
        Ok(client) => client,
        Err(failure) => return vec![CheckResult::of_failure("avinode", &failure)],
    };
    let listed = client.webhooks().await;
    let mut found = vec![match &listed.settings {
        Ok(all) => CheckResult::ok(
            "avinode",
            format!(
                "{} takes the credentials; webhook settings: {}",
                settings.base,
                all.len()
            ),
        ),
        Err(error @ (FetchError::Unauthorized { .. } | FetchError::Forbidden { .. })) => CheckResult::failed(
            "avinode",
            error.reason(),
            "nothing will be fetched: set AVINODE_API_TOKEN and AVINODE_BEARER to what Avinode gave out, and look at the clock",
        ),
        Err(error) => CheckResult::warning(
            "avinode",
            error.reason(),
            "thin notifications are kept, and fetched when Avinode answers",
        ),
    }];
    if settings.base.allowed_addresses() == AllowedAddresses::Loopback {
        found.push(CheckResult::warning(
            "avinode",
            format!(
                "AVINODE_INSECURE_LOOPBACK: the API is taken to be on this machine, at {}",
                settings.base
            ),
            "for tests and simulators only",
        ));
    }
    found.extend(listed.server_time.and_then(|theirs| skew(theirs, Clock::System.now())));
    if let Ok(all) = &listed.settings {
        let missing = missing(all, None);
        if !missing.is_empty() {
            found.push(CheckResult::warning(
                "avinode",
                format!("no active webhook setting sends {}", missing.join(", ")),
                "see `avinode-ingest webhooks list` and `webhooks create`",
            ));
        }
    }
    found
}

/// A clock that is off by more than Avinode tolerates.
fn skew(theirs: DateTime<Utc>, ours: DateTime<Utc>) -> Option<CheckResult> {
    let seconds = ours.timestamp() - theirs.timestamp();
    let off = seconds.unsigned_abs();
    (off > TOLERANCE_SECONDS).then(|| {
        let way = if seconds > 0 { "ahead of" } else { "behind" };
        CheckResult::warning(
            "avinode",
            format!("this machine's clock is {off} s {way} Avinode's, which takes calls within {TOLERANCE_SECONDS} s"),
            "set the clock by NTP",
        )
    })
}

#[cfg(test)]
mod tests;
