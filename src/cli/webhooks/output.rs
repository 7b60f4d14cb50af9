//! The output of `webhooks`: all settings with what they leave out, or the one that was written.

use serde_json::json;

use crate::avinode::client::webhook_settings::{NEEDED_EVENTS, WebhookSetting, missing};
use crate::cli::error::CliError;
use crate::cli::output::{print, print_json};
use crate::cli::table::{TextTable, counted, or_dash};

/// All settings, and the needed event types that no active one sends to `target`.
pub(super) fn all(settings: &[WebhookSetting], target: Option<&str>, as_json: bool) -> Result<(), CliError> {
    let missing = missing(settings, target);
    if as_json {
        let needed = NEEDED_EVENTS
            .map(|(event, purpose)| json!({"event": event, "purpose": purpose, "missing": missing.contains(&event)}));
        // The envelope of every list, with the answer to the question for which it is read. Avinode has no pages.
        let all = json!({"data": settings, "next_cursor": null, "needed": needed, "target": target});
        return print_json(&all);
    }
    if settings.is_empty() {
        print("no webhook settings: Avinode sends nothing")?;
    } else {
        print(table(settings))?;
        print(format_args!("\n{}", counted(settings.len(), "setting", "settings")))?;
    }
    let to = target.map(|target| format!(" to {target}")).unwrap_or_default();
    if missing.is_empty() {
        return print(format_args!("\nActive settings send all needed event types{to}."));
    }
    print(format_args!("\nNo active setting sends{to}:"))?;
    for (event, purpose) in NEEDED_EVENTS.iter().filter(|(event, _)| missing.contains(event)) {
        print(format_args!("  {event} ({purpose})"))?;
    }
    Ok(())
}

/// The setting that was written; Avinode may not have returned it.
pub(super) fn one(
    done: &str,
    setting: Option<&WebhookSetting>,
    with_secret: bool,
    as_json: bool,
) -> Result<(), CliError> {
    if as_json {
        let one = json!({"done": done, "setting": setting, "secret_sent": with_secret});
        return print_json(&one);
    }
    match setting {
        Some(setting) => {
            print(table(std::slice::from_ref(setting)))?;
            print(format_args!("\n{done}"))?;
        }
        None => print(format_args!("{done}; see `webhooks list`"))?,
    }
    if !with_secret {
        print("The secret was not sent again, because AVINODE_WEBHOOK_BASIC has no credentials with its identifier.")?;
    }
    Ok(())
}

fn table(settings: &[WebhookSetting]) -> TextTable {
    let headings = [
        "setting",
        "active",
        "name",
        "target",
        "identifier",
        "authentication",
        "events",
    ];
    let table = TextTable::new(headings).states(&[1]).texts(&[2, 6]).optional(&[5, 4]);
    table.rows(settings.iter().map(|setting| {
        [
            setting.id.clone(),
            if setting.active { "yes" } else { "no" }.to_owned(),
            or_dash(setting.name.clone()),
            or_dash(setting.target.clone()),
            or_dash(setting.identifier.clone()),
            or_dash(setting.authentication.clone()),
            or_dash((!setting.events.is_empty()).then(|| setting.events.join(" "))),
        ]
    }))
}
