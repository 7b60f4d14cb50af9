//! What can be tried without a database: the settings among themselves, the secrets, the port.

use std::net::{IpAddr, SocketAddr};

use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::finding::CheckResult;
use crate::cli::error::{CliError, chain};
use crate::cli::replay::sender::client;
use crate::cli::serve::{ServeCommandArgs, verifier};
use crate::config::secret::Secrets;

/// A shorter secret could be guessed, or found by trying.
const SHORTEST_SECRET: usize = 16;

/// What the settings demand of one another, as `serve` says it.
pub fn settings(args: &ServeCommandArgs) -> CheckResult {
    let serve = &args.serve;
    if let Err(wrong) = serve.check(&args.webhook) {
        return CheckResult::of_failure("settings", &CliError::setting(wrong));
    }
    let role = match (serve.role.receives(), serve.role.works()) {
        (true, false) => "receives only".to_owned(),
        (false, _) => format!("works only, {} workers", serve.workers),
        (true, true) => format!("receives and works, {} workers", serve.workers),
    };
    CheckResult::ok(
        "settings",
        format!("{role}; primary quote by {}", serve.primary_quote.as_str()),
    )
}

/// How many secrets there are, whether they can be used, and which are short. Never a value.
pub fn secrets(args: &ServeCommandArgs) -> Vec<CheckResult> {
    if let Err(failure) = verifier(&args.webhook) {
        return vec![CheckResult::of_failure("secrets", &failure)];
    }
    let entries = |secrets: &Option<Secrets>| secrets.as_ref().map_or_else(Vec::new, owned);
    let signing = entries(&args.webhook.webhook_secret);
    let basic = entries(&args.webhook.webhook_basic);
    let tokens = args.serve.api_tokens.as_ref().map_or(&[][..], |tokens| &tokens.0);
    let standard = signing.iter().filter(|secret| secret.starts_with("whsec_")).count();
    let mut found = vec![CheckResult::ok(
        "secrets",
        format!(
            "HMAC {}, Standard Webhooks {standard}, Basic {}, API tokens {}",
            signing.len() - standard,
            basic.len(),
            tokens.len()
        ),
    )];
    // Of credentials only the part that is secret counts.
    let keys = |entry: &String| entry.strip_prefix("whsec_").unwrap_or(entry).len();
    let after_colon = |entry: &String| entry.split_once(':').map_or(0, |(_, secret)| secret.len());
    found.extend(short("AVINODE_WEBHOOK_SECRET", signing.iter().map(keys)));
    found.extend(short("AVINODE_WEBHOOK_BASIC", basic.iter().map(after_colon)));
    let tokens = tokens.iter().map(|token| token.token.expose_secret().len());
    found.extend(short("INGEST_API_TOKENS", tokens));
    found
}

fn owned(secrets: &Secrets) -> Vec<String> {
    secrets.iter().map(str::to_owned).collect()
}

fn short(setting: &str, lengths: impl Iterator<Item = usize>) -> Option<CheckResult> {
    let entries: Vec<String> = lengths
        .enumerate()
        .filter(|(_, length)| *length < SHORTEST_SECRET)
        .map(|(index, _)| (index + 1).to_string())
        .collect();
    (!entries.is_empty()).then(|| {
        CheckResult::warning(
            "secrets",
            format!(
                "{setting}: entry {} is shorter than {SHORTEST_SECRET} characters",
                entries.join(", ")
            ),
            "make a longer one (openssl rand -hex 32), and keep the old one beside it until the sender has changed",
        )
    })
}

/// Takes the port and lets it go.
pub async fn port(listen: SocketAddr) -> CheckResult {
    match TcpListener::bind(listen).await {
        Ok(_) => CheckResult::ok("port", format!("{listen} is free")),
        Err(_) if is_ours(listen).await => CheckResult::warning(
            "port",
            format!("INGEST_LISTEN: a running avinode-ingest listens on {listen}"),
            "a second one needs another address",
        ),
        Err(error) => {
            let failure = CliError::to(format!("listen on {listen} (INGEST_LISTEN)"), error).unavailable();
            CheckResult::of_failure(
                "port",
                &failure.hint("stop what listens there, or choose another address"),
            )
        }
    }
}

/// Whether the listener says `/livez` in our words. Whatever else answers, or does not, is somebody else.
async fn is_ours(listen: SocketAddr) -> bool {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ip => ip,
    };
    let url = format!("http://{}/livez", SocketAddr::new(ip, listen.port()));
    let asked = async {
        let client = client(&url).map_err(|error| tracing::debug!(error = chain(&error), "no HTTP client"));
        let answer = client.ok()?.get(&url).send().await.ok()?;
        let alive: serde_json::Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
        Some(alive == serde_json::json!({"status": "alive"}))
    };
    tokio::time::timeout(std::time::Duration::from_secs(2), asked)
        .await
        .ok()
        .flatten()
        == Some(true)
}
