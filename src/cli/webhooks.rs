//! `webhooks`: which calls Avinode sends us, at Avinode itself. Needs the API's credentials and no database, and is not
//! held to the workers' rate limit: a person makes a few calls.

mod credentials;
mod output;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use url::Url;

use super::avinode_client::{client, client_settings, failed, warn_of_loopback};
use super::error::CliError;
use crate::avinode::client::avinode_client::AvinodeClient;
use crate::avinode::client::webhook_settings::{NEEDED_EVENTS, WebhookSetting, WebhookSettingPatch};
use crate::config::avinode::AvinodeArgs;
use crate::config::secret::{Secrets, basic_credentials};
use crate::config::value_parsers::{event_type, switch, url};

/// What can be done with the webhook settings at Avinode.
#[derive(Debug, Subcommand)]
pub enum WebhooksCommand {
    /// List the settings, and the event types that the service needs and nobody sends
    List(ListWebhooksArgs),
    /// Make a setting that sends what the service needs
    ///
    /// Avinode calls with HTTP Basic. The credentials are one of AVINODE_WEBHOOK_BASIC, or stand in a file; they are
    /// never printed.
    Create(CreateWebhookArgs),
    /// Change a setting; what is not named stays as it is
    Update(UpdateWebhookArgs),
    /// Make a setting inactive: Avinode has no way to delete one
    Disable(DisableWebhookArgs),
}

/// What `webhooks list` takes.
#[derive(Debug, clap::Args)]
pub struct ListWebhooksArgs {
    /// The URL at which Avinode reaches this service: what is sent elsewhere then counts as missing.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Option<Url>,

    /// How it is done.
    #[command(flatten)]
    pub common: WebhookApiArgs,
}

/// What every one of them takes.
#[derive(Debug, clap::Args)]
pub struct WebhookApiArgs {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// Avinode's API.
    #[command(flatten)]
    pub avinode: AvinodeArgs,
}

/// As whom Avinode is to call.
#[derive(Debug, clap::Args)]
pub struct CredentialArgs {
    /// The credentials that `serve` knows, as identifier:secret, several separated by commas or white space; the first is
    /// taken unless --identifier names another.
    #[arg(long, env = "AVINODE_WEBHOOK_BASIC", hide_env_values = true, value_name = "CREDENTIALS",
          value_parser = basic_credentials)]
    pub webhook_basic: Option<Secrets>,

    /// Which of the credentials, by the part before the colon.
    #[arg(long, value_name = "IDENTIFIER")]
    pub identifier: Option<String>,

    /// A file with the credentials, instead of AVINODE_WEBHOOK_BASIC.
    #[arg(long, value_name = "FILE")]
    pub credentials_file: Option<PathBuf>,
}

/// What `webhooks create` takes.
#[derive(Debug, clap::Args)]
pub struct CreateWebhookArgs {
    /// The URL at which Avinode reaches this service, for example `https://example.com/webhooks/avinode`.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Url,

    /// The name that people see at Avinode.
    #[arg(long, value_name = "NAME", default_value = "avinode-ingest")]
    pub name: String,

    /// The event types, separated by commas; `needed` stands for those that the service needs.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', default_value = "needed", value_parser = event_type)]
    pub events: Vec<String>,

    /// Make it though an active setting sends some of these to the target already: they then come twice.
    #[arg(long)]
    pub again: bool,

    /// As whom Avinode is to call.
    #[command(flatten)]
    pub credentials: CredentialArgs,

    /// How it is done.
    #[command(flatten)]
    pub common: WebhookApiArgs,
}

/// What `webhooks update` takes.
#[derive(Debug, clap::Args)]
pub struct UpdateWebhookArgs {
    /// The setting, by the id that `webhooks list` prints.
    #[arg(value_name = "ID")]
    pub id: String,

    /// The URL at which Avinode reaches this service.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Option<Url>,

    /// The name that people see at Avinode.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// All event types, separated by commas; `needed` stands for those that the service needs.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = event_type)]
    pub events: Option<Vec<String>>,

    /// Whether anything is sent.
    #[arg(long, value_name = "BOOL", value_parser = switch)]
    pub active: Option<bool>,

    /// As whom Avinode is to call. Where credentials with the setting's identifier are known, their secret is sent
    /// again: Avinode shows none, so it could not be written back otherwise.
    #[command(flatten)]
    pub credentials: CredentialArgs,

    /// How it is done.
    #[command(flatten)]
    pub common: WebhookApiArgs,
}

/// What `webhooks disable` takes.
#[derive(Debug, clap::Args)]
pub struct DisableWebhookArgs {
    /// The setting, by the id that `webhooks list` prints.
    #[arg(value_name = "ID")]
    pub id: String,

    /// Its credentials, to be written back with it.
    #[command(flatten)]
    pub credentials: CredentialArgs,

    /// How it is done.
    #[command(flatten)]
    pub common: WebhookApiArgs,
}

/// Does it.
pub async fn run(action: WebhooksCommand) -> Result<ExitCode, CliError> {
    match action {
        WebhooksCommand::List(args) => list(args).await?,
        WebhooksCommand::Create(args) => create(args).await?,
        WebhooksCommand::Update(args) => update(args).await?,
        WebhooksCommand::Disable(args) => disable(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn open(args: &AvinodeArgs) -> Result<AvinodeClient, CliError> {
    let settings = client_settings(args)?.ok_or_else(|| {
        let names = args.together().map(|(name, _)| name).join(", ");
        CliError::setting(format!("{names}: must be set to call Avinode"))
    })?;
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
        CliError::setting(
            "AVINODE_WEBHOOK_BASIC (--webhook-basic) or --credentials-file must be set: Avinode proves itself by it",
        )
    })?;
    let (target, events) = (String::from(args.target), events(args.events));
    if !args.again {
        refuse_twice(&client, &target, &events).await?;
    }
    let wish = WebhookSettingPatch {
        target: Some(target),
        name: Some(args.name),
        active: Some(true),
        events: Some(events),
        credentials: Some(credentials),
    };
    let attempt = "make the webhook setting";
    let made = client.create_webhook(&wish).await.map_err(failed(attempt))?;
    output::one("created", made.as_ref(), true, args.common.json)
}

/// What two settings send to one target comes twice.
async fn refuse_twice(client: &AvinodeClient, target: &str, events: &[String]) -> Result<(), CliError> {
    for setting in all(client).await? {
        let sent = events.iter().filter(|event| setting.sends(event, Some(target)));
        let sent: Vec<&str> = sent.map(String::as_str).collect();
        if !sent.is_empty() {
            let (id, sent) = (&setting.id, sent.join(", "));
            return Err(
                CliError::plain(format!("the active setting {id} sends {sent} to this target already")).hint(format!(
                    "change that one with `webhooks update {id}`, or have everything sent twice with --again"
                )),
            );
        }
    }
    Ok(())
}

async fn update(args: UpdateWebhookArgs) -> Result<(), CliError> {
    let wish = WebhookSettingPatch {
        target: args.target.map(Into::into),
        name: args.name,
        active: args.active,
        events: args.events.map(events),
        credentials: None,
    };
    change(&args.id, wish, &args.credentials, &args.common, "changed").await
}

async fn disable(args: DisableWebhookArgs) -> Result<(), CliError> {
    let wish = WebhookSettingPatch {
        active: Some(false),
        ..WebhookSettingPatch::default()
    };
    change(&args.id, wish, &args.credentials, &args.common, "disabled").await
}

async fn change(
    id: &str,
    mut wish: WebhookSettingPatch,
    credentials: &CredentialArgs,
    common: &WebhookApiArgs,
    done: &str,
) -> Result<(), CliError> {
    let client = open(&common.avinode)?;
    let setting = find(&client, id).await?;
    wish.credentials = credentials::of_setting(credentials, &setting)?;
    let attempt = format!("change the webhook setting {id}");
    client.update_webhook(&setting, &wish).await.map_err(failed(attempt))?;
    // What Avinode made of it: it may have taken some of it only.
    let attempt = format!("read the webhook setting {id} back, which was {done}");
    let settings = client.webhooks().await.settings.map_err(failed(attempt))?;
    let now = settings.iter().find(|setting| setting.id == id);
    output::one(done, now, wish.credentials.is_some(), common.json)
}

async fn all(client: &AvinodeClient) -> Result<Vec<WebhookSetting>, CliError> {
    let settings = client.webhooks().await.settings;
    settings.map_err(failed("list the webhook settings"))
}

async fn find(client: &AvinodeClient, id: &str) -> Result<WebhookSetting, CliError> {
    let found = all(client).await?.into_iter().find(|setting| setting.id == id);
    found.ok_or_else(|| CliError::plain(format!("there is no webhook setting {id:?}")).hint("see `webhooks list`"))
}

/// The event types, each once, `needed` written out.
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
