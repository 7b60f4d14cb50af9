//! The checks that need no database: settings, secrets, the port.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use tokio::net::TcpListener;

use crate::admin::check::finding::{CheckName, CheckResult};
use crate::avinode::signature::secrets::WebhookSecret;
use crate::cli::error::CliError;
use crate::cli::healthcheck;
use crate::cli::serve::ServeCommandArgs;
use crate::config::secret_length::short_secrets;
use crate::config::setting_error::SettingError;
use crate::config::target_url::reachable;

const SETTINGS: CheckName = CheckName("settings");
const SECRETS: CheckName = CheckName("secrets");
const PORT: CheckName = CheckName("port");

const LONGER: &str = "add a longer one (openssl rand -hex 32), and keep the old one until the sender has changed";
/// How long a listener on the port may take to identify itself.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(2);

/// Checks the demands of one setting on another.
pub fn settings(args: &ServeCommandArgs) -> CheckResult {
    let serve = &args.serve;
    if let Err(error) = serve.check(&args.webhook) {
        return SETTINGS.error(&error.into());
    }
    let role = serve.role.as_str();
    let policy = serve.primary_quote_policy.to_possible_value();
    let policy = policy.map(|policy| policy.get_name().to_owned()).unwrap_or_default();
    let workers = if serve.role.works() { serve.workers } else { 0 };
    SETTINGS.ok(format!("role {role}, {workers} workers, primary quote policy {policy}"))
}

/// Counts the secrets and warns of short ones.
pub fn secrets(args: &ServeCommandArgs) -> Vec<CheckResult> {
    count_secrets(args).unwrap_or_else(|error| vec![SECRETS.error(&error.into())])
}

fn count_secrets(args: &ServeCommandArgs) -> Result<Vec<CheckResult>, SettingError> {
    let (signing, basic, tokens) = (args.webhook.secrets()?, args.webhook.basic()?, args.serve.tokens()?);
    let standard = |secret: &&WebhookSecret| matches!(secret, WebhookSecret::Standard(_));
    let standard = signing.iter().filter(standard).count();
    let mut results = vec![SECRETS.ok(format!(
        "HMAC {}, Standard Webhooks {standard}, Basic {}, API tokens {}",
        signing.len() - standard,
        basic.len(),
        tokens.len()
    ))];
    let short = short_secrets(&args.webhook, &tokens)?;
    results.extend(short.iter().map(|short| SECRETS.warning(short.to_string(), LONGER)));
    Ok(results)
}

/// Binds the port and closes it again.
pub async fn port(listen: SocketAddr) -> CheckResult {
    match TcpListener::bind(listen).await {
        Ok(_) => PORT.ok(format!("{listen} is free")),
        Err(_) if is_avinode_ingest(listen).await => PORT.warning(
            format!("INGEST_LISTEN: a running avinode-ingest listens on {listen}"),
            "a second one needs another address",
        ),
        Err(error) => {
            let error = CliError::to(format!("listen on {listen} (INGEST_LISTEN)"), error).unavailable();
            let hint = "stop the program that listens there, or choose another address";
            PORT.error(&error.hint(hint))
        }
    }
}

/// Returns whether the listener answers `/livez` as this program does.
async fn is_avinode_ingest(listen: SocketAddr) -> bool {
    let answer = healthcheck::ask(&format!("http://{}/livez", reachable(listen)), LIVENESS_TIMEOUT).await;
    answer.is_ok_and(|answer| answer == serde_json::json!({"status": "alive"}))
}
