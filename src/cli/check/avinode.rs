//! The check of Avinode's API: credentials, clock and webhook settings, by one call that changes nothing.

use chrono::{DateTime, Utc};

use crate::admin::check::finding::{CheckName, CheckResult};
use crate::avinode::client::base_url::AllowedAddresses;
use crate::avinode::client::config::ClientSettings;
use crate::avinode::client::webhook_settings::missing;
use crate::cli::avinode_client::client;
use crate::cli::serve::ServeCommandArgs;
use crate::clock::Clock;

const AVINODE: CheckName = CheckName("avinode");

/// Avinode rejects calls with a time further from its own, in seconds.
const TOLERANCE_SECONDS: u64 = 300;

pub async fn check(args: &ServeCommandArgs) -> Vec<CheckResult> {
    match args.avinode.client() {
        Ok(Some(settings)) => call(&settings).await,
        Ok(None) if !args.serve.role.works() => {
            vec![AVINODE.ok("no credentials; a receiver needs none")]
        }
        Ok(None) => vec![AVINODE.warning(
            "no credentials: thin notifications are stored, and fetched once there are credentials",
            "set AVINODE_BASE_URL, AVINODE_API_TOKEN and AVINODE_BEARER",
        )],
        Err(error) => vec![AVINODE.error(&error.into())],
    }
}

async fn call(settings: &ClientSettings) -> Vec<CheckResult> {
    let client = match client(settings) {
        Ok(client) => client,
        Err(error) => return vec![AVINODE.error(&error)],
    };
    let listed = client.webhooks().await;
    let mut results = vec![match &listed.settings {
        Ok(all) => {
            let count = all.len();
            AVINODE.ok(format!("{} accepts the credentials; {count} webhook settings", settings.base))
        }
        Err(error) if error.is_refusal() => AVINODE.failed(
            error.reason(),
            "set AVINODE_API_TOKEN and AVINODE_BEARER to the tokens that Avinode issued, and check the clock; nothing is \
             fetched until then",
        ),
        Err(error) => {
            let remedy = "thin notifications are stored, and fetched when Avinode answers";
            AVINODE.warning(error.reason(), remedy)
        }
    }];
    if settings.base.allowed_addresses() == AllowedAddresses::Loopback {
        results.push(AVINODE.warning(
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
            results.push(AVINODE.warning(
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
        AVINODE.warning(
            format!("this machine's clock is {off} s {direction} Avinode's, which tolerates {TOLERANCE_SECONDS} s"),
            "synchronize the clock by NTP",
        )
    })
}

#[cfg(test)]
mod tests;
