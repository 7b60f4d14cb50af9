//! What is told of webhook settings: all of them with what is missing, or the one that was written.

use serde_json::json;

use crate::avinode::client::webhook_settings::{NEEDED_EVENTS, WebhookSetting, missing};
use crate::cli::error::{CliError, Context};
use crate::cli::output::print;
use crate::cli::table::{TextTable, or_dash};

/// All settings, and the needed event types that no active one sends to `target`.
pub(super) fn all(settings: &[WebhookSetting], target: Option<&str>, as_json: bool) -> Result<(), CliError> {
    let missing = missing(settings, target);
    if as_json {
        let needed = NEEDED_EVENTS
            .map(|(event, what)| json!({"event": event, "tells": what, "missing": missing.contains(&event)}));
        let told = json!({"settings": settings, "needed": needed, "target": target});
        return print(serde_json::to_string_pretty(&told).context("write the settings as JSON")?);
    }
    if settings.is_empty() {
        print("no webhook settings: Avinode sends nothing")?;
    } else {
        print(table(settings))?;
    }
    let to = target.map(|target| format!(" to {target}")).unwrap_or_default();
    if missing.is_empty() {
        return print(format_args!("\nEverything that the service needs is sent{to}."));
    }
    print(format_args!("\nNo active setting sends{to}:"))?;
    for (event, what) in NEEDED_EVENTS.iter().filter(|(event, _)| missing.contains(event)) {
        print(format_args!("  {event} ({what})"))?;
    }
    Ok(())
}

/// What was done to one setting; it may not have been shown.
pub(super) fn one(
    done: &str,
    setting: Option<&WebhookSetting>,
    with_secret: bool,
    as_json: bool,
) -> Result<(), CliError> {
    if as_json {
        let told = json!({"done": done, "setting": setting, "secret_sent": with_secret});
        return print(serde_json::to_string_pretty(&told).context("write the setting as JSON")?);
    }
    match setting {
        Some(setting) => {
            print(table(std::slice::from_ref(setting)))?;
            print(format_args!("\n{done}"))?;
        }
        None => print(format_args!("{done}; see `webhooks list`"))?,
    }
    if !with_secret {
        print(
            "Its secret was not sent along, since no credentials with its identifier are known here (AVINODE_WEBHOOK_BASIC).",
        )?;
    }
    Ok(())
}

fn table(settings: &[WebhookSetting]) -> TextTable {
    let mut report = TextTable::new(["setting", "active", "name", "target", "identifier", "proof", "events"]);
    for setting in settings {
        report.row([
            setting.id.clone(),
            if setting.active { "yes" } else { "no" }.to_owned(),
            or_dash(setting.name.clone()),
            or_dash(setting.target.clone()),
            or_dash(setting.identifier.clone()),
            or_dash(setting.authentication.clone()),
            or_dash((!setting.events.is_empty()).then(|| setting.events.join(" "))),
        ]);
    }
    report
}
