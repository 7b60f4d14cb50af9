//! `webhooks`: lists and changes the webhook settings at Avinode. Needs the API's credentials and no database. The rate limit of the
//! workers does not apply to the few calls of a person.

mod credentials;
mod output;
mod target;

use std::path::PathBuf;

use clap::Subcommand;
use secrecy::SecretString;
use url::Url;

use super::avinode_client::{client, failed, warn_of_loopback};
use super::error::CliError;
use crate::avinode::client::avinode_client::AvinodeClient;
use crate::avinode::client::webhook_settings::{NEEDED_EVENTS, WebhookSetting, WebhookSettingPatch};
use crate::config::avinode::AvinodeArgs;
use crate::config::value_parsers::{boolean, event_type, url};
use crate::config::webhook::WEBHOOK_BASIC;

#[derive(Debug, Subcommand)]
pub enum WebhooksCommand {
    /// List the settings, and the needed event types that none of them sends
    List(ListWebhooksArgs),
    /// Create a setting that sends the needed event types
    ///
    /// The target is asked first, and must answer as this service does. Avinode authenticates by HTTP Basic, with credentials of AVINODE_WEBHOOK_BASIC or of a file. They are never printed.
    Create(CreateWebhookArgs),
    /// Change some properties of a setting
    Update(UpdateWebhookArgs),
    /// Deactivate a setting (Avinode cannot delete one)
    Disable(ExistingWebhookArgs),
}

#[derive(Debug, clap::Args)]
pub struct ListWebhooksArgs {
    /// URL at which Avinode reaches this service. Settings with another target do not count.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Option<Url>,

    #[command(flatten)]
    pub common: WebhookApiArgs,
}

#[derive(Debug, clap::Args)]
pub struct WebhookApiArgs {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub avinode: AvinodeArgs,
}

#[derive(Debug, clap::Args)]
pub struct CredentialArgs {
    /// Credentials of `serve`, as identifier:secret, separated by commas or white space. The first are used unless --identifier
    /// names others.
    #[arg(
        long,
        env = "AVINODE_WEBHOOK_BASIC",
        hide_env_values = true,
        value_name = "CREDENTIALS"
    )]
    pub webhook_basic: Option<SecretString>,

    /// Identifier of the credentials to use.
    #[arg(long, value_name = "IDENTIFIER")]
    pub identifier: Option<String>,

    /// File with the credentials, instead of AVINODE_WEBHOOK_BASIC.
    #[arg(long, value_name = "FILE")]
    pub credentials_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct CreateWebhookArgs {
    /// URL at which Avinode reaches this service, for example `https://example.com/webhooks/avinode`.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Url,

    /// Name of the setting at Avinode.
    #[arg(long, value_name = "NAME", default_value = "avinode-ingest")]
    pub name: String,

    /// Event types, separated by commas; `needed` stands for those that the service needs.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', default_value = "needed", value_parser = event_type)]
    pub events: Vec<String>,

    /// Create it although an active setting sends some of these event types to the target already. They are then sent twice.
    #[arg(long)]
    pub again: bool,

    /// Do not ask the target whether this service answers there.
    #[arg(long)]
    pub skip_target_check: bool,

    #[command(flatten)]
    pub credentials: CredentialArgs,

    #[command(flatten)]
    pub common: WebhookApiArgs,
}

#[derive(Debug, clap::Args)]
pub struct UpdateWebhookArgs {
    /// URL at which Avinode reaches this service.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Option<Url>,

    /// Do not ask the target whether this service answers there.
    #[arg(long)]
    pub skip_target_check: bool,

    /// Name of the setting at Avinode.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// All event types, separated by commas; `needed` stands for those that the service needs.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = event_type)]
    pub events: Option<Vec<String>>,

    /// Activate or deactivate the setting.
    #[arg(long, value_name = "BOOL", value_parser = boolean)]
    pub active: Option<bool>,

    #[command(flatten)]
    pub existing: ExistingWebhookArgs,
}

#[derive(Debug, clap::Args)]
pub struct ExistingWebhookArgs {
    /// Id of the setting, as in `webhooks list`.
    #[arg(value_name = "ID")]
    pub id: String,

    #[command(flatten)]
    pub credentials: CredentialArgs,

    #[command(flatten)]
    pub common: WebhookApiArgs,
}

pub async fn run(command: WebhooksCommand) -> Result<(), CliError> {
    match command {
        WebhooksCommand::List(args) => list(args).await,
        WebhooksCommand::Create(args) => create(args).await,
        WebhooksCommand::Update(args) => update(args).await,
        WebhooksCommand::Disable(existing) => disable(existing).await,
    }
}

fn open(args: &AvinodeArgs) -> Result<AvinodeClient, CliError> {
    let settings = args.required_client()?;
    warn_of_loopback(&settings);
    client(&settings)
}

async fn list(args: ListWebhooksArgs) -> Result<(), CliError> {
    let client = open(&args.common.avinode)?;
    let settings = all(&client).await?;
    output::all(&settings, args.target.as_ref().map(Url::as_str), args.common.json)
}

async fn create(args: CreateWebhookArgs) -> Result<(), CliError> {
    let client = open(&args.common.avinode)?;
    let credentials = credentials::chosen(&args.credentials)?.ok_or_else(|| {
        CliError::setting(format!(
            "{WEBHOOK_BASIC} or --credentials-file must be set: Avinode authenticates by these credentials"
        ))
    })?;
    check_target(&args.target, &args.common.avinode, args.skip_target_check).await?;
    let (target, events) = (String::from(args.target), events(args.events));
    if !args.again {
        refuse_duplicates(&client, &target, &events).await?;
    }
    let patch = WebhookSettingPatch {
        target: Some(target),
        name: Some(args.name),
        active: Some(true),
        events: Some(events),
        credentials: Some(credentials),
    };
    let attempt = "create the webhook setting";
    let created = client.create_webhook(&patch).await.map_err(failed(attempt))?;
    output::one("created", created.as_ref(), true, args.common.json)
}

/// Refuses event types that an active setting sends to the target already.
async fn refuse_duplicates(client: &AvinodeClient, target: &str, events: &[String]) -> Result<(), CliError> {
    for setting in all(client).await? {
        let sent = events.iter().filter(|event| setting.sends(event, Some(target)));
        let sent: Vec<&str> = sent.map(String::as_str).collect();
        if !sent.is_empty() {
            let (id, sent) = (&setting.id, sent.join(", "));
            return Err(
                CliError::plain(format!("the active setting {id} sends {sent} to this target already")).hint(format!(
                    "change that one with `webhooks update {id}`, or allow it with --again"
                )),
            );
        }
    }
    Ok(())
}

async fn check_target(target: &Url, avinode: &AvinodeArgs, skip: bool) -> Result<(), CliError> {
    target::check(target, avinode.avinode_insecure_loopback)?;
    if skip { Ok(()) } else { target::ask(target).await }
}

async fn update(args: UpdateWebhookArgs) -> Result<(), CliError> {
    if let Some(target) = &args.target {
        check_target(target, &args.existing.common.avinode, args.skip_target_check).await?;
    }
    let patch = WebhookSettingPatch {
        target: args.target.map(Into::into),
        name: args.name,
        active: args.active,
        events: args.events.map(events),
        credentials: None,
    };
    change(&args.existing, patch, "changed").await
}

async fn disable(existing: ExistingWebhookArgs) -> Result<(), CliError> {
    let patch = WebhookSettingPatch {
        active: Some(false),
        ..WebhookSettingPatch::default()
    };
    change(&existing, patch, "disabled").await
}

async fn change(existing: &ExistingWebhookArgs, mut patch: WebhookSettingPatch, done: &str) -> Result<(), CliError> {
    let ExistingWebhookArgs {
        id,
        credentials,
        common,
    } = existing;
    let client = open(&common.avinode)?;
    let setting = find(&client, id).await?;
    // Avinode does not return a secret, so it is sent again where it is known.
    patch.credentials = credentials::for_setting(credentials, &setting)?;
    let attempt = format!("change the webhook setting {id}");
    client.update_webhook(&setting, &patch).await.map_err(failed(attempt))?;
    // Avinode may have applied only a part of it.
    let attempt = format!("read the webhook setting {id} after it was {done}");
    let settings = client.webhooks().await.settings.map_err(failed(attempt))?;
    let now = settings.iter().find(|setting| setting.id == *id);
    output::one(done, now, patch.credentials.is_some(), common.json)
}

async fn all(client: &AvinodeClient) -> Result<Vec<WebhookSetting>, CliError> {
    let settings = client.webhooks().await.settings;
    settings.map_err(failed("list the webhook settings"))
}

async fn find(client: &AvinodeClient, id: &str) -> Result<WebhookSetting, CliError> {
    let found = all(client).await?.into_iter().find(|setting| setting.id == *id);
    found.ok_or_else(|| CliError::plain(format!("there is no webhook setting {id:?}")).hint("see `webhooks list`"))
}

/// Replaces `needed` by the event types that it stands for, and removes duplicates.
fn events(named: Vec<String>) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for name in named {
        let meant = if name == "needed" {
            NEEDED_EVENTS.map(|(event, _)| event.to_owned()).to_vec()
        } else {
            vec![name]
        };
        for event in meant {
            if !events.contains(&event) {
                events.push(event);
            }
        }
    }
    events
}

#[cfg(test)]
mod tests;
