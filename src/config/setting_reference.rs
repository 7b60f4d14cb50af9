//! The list of all settings, read off the command line's own declaration, and what README's table lacks of it.
//!
//! Made from clap's tree rather than written down a second time: a list kept by hand would only prove itself.

use clap::{Arg, Command, CommandFactory};

/// One setting, as README's table shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDoc {
    /// The flag, for example `--workers`.
    pub flag: String,
    /// The environment variable, for example `INGEST_WORKERS`.
    pub env: String,
    /// The default, where it is one fixed text.
    pub default: Option<String>,
    /// What it is for, with its bounds: the help, on one line.
    pub help: String,
    /// Whether its value is never shown.
    pub secret: bool,
}

impl SettingDoc {
    fn of(arg: &Arg) -> Option<Self> {
        let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        let mut help = arg
            .get_long_help()
            .or(arg.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        let values = arg.get_possible_values();
        if !values.is_empty() && arg.get_action().takes_values() {
            let names: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
            help = format!("{help} ({})", names.join(", "));
        }
        Some(Self {
            flag: format!("--{}", arg.get_long()?),
            env: arg.get_env()?.to_string_lossy().into_owned(),
            default: defaults
                .reduce(|all, next| format!("{all},{next}").into())
                .map(Into::into),
            help: help.split_whitespace().collect::<Vec<_>>().join(" "),
            secret: arg.is_hide_env_values_set(),
        })
    }

    /// Its row in README.
    pub fn row(&self) -> String {
        let default = self
            .default
            .as_ref()
            .map(|default| format!("`{default}`"))
            .unwrap_or_default();
        format!(
            "| `{}` | `{}` | {default} | {} |",
            self.env,
            self.flag,
            self.help.replace('|', "\\|")
        )
    }
}

/// Every setting that has an environment variable, of every subcommand, each variable once, in alphabetical order.
pub fn settings<T: CommandFactory>() -> Vec<SettingDoc> {
    let mut found = Vec::new();
    collect(&T::command(), &mut found);
    // Where subcommands share a variable, the fuller explanation stands.
    found.sort_by(|a, b| a.env.cmp(&b.env).then(b.help.len().cmp(&a.help.len())));
    found.dedup_by(|a, b| a.env == b.env);
    found
}

fn collect(command: &Command, found: &mut Vec<SettingDoc>) {
    found.extend(command.get_arguments().filter_map(SettingDoc::of));
    for subcommand in command.get_subcommands() {
        collect(subcommand, found);
    }
}

/// What README's table of settings lacks, has too much or tells wrongly; nothing when it is right.
///
/// A row begins with ``| `ENV_NAME` |`` and holds the flag and the default between back quotes; the rest is free.
pub fn differences_from_readme(readme: &str, settings: &[SettingDoc]) -> Vec<String> {
    let rows: Vec<(&str, &str)> = readme
        .lines()
        .filter_map(|line| Some((line.trim().strip_prefix("| `")?.split_once("` |")?.0, line)))
        .filter(|(name, _)| {
            name.bytes()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_')
        })
        .collect();
    let mut differences = Vec::new();
    for setting in settings {
        let Some((_, row)) = rows.iter().find(|(name, _)| *name == setting.env) else {
            differences.push(format!("missing: {}", setting.row()));
            continue;
        };
        let told = [Some(&setting.flag), setting.default.as_ref()];
        for text in told
            .into_iter()
            .flatten()
            .filter(|text| !row.contains(&format!("`{text}`")))
        {
            differences.push(format!("{}: its row does not tell `{text}`", setting.env));
        }
    }
    let unknown = rows
        .iter()
        .filter(|(name, _)| settings.iter().all(|setting| setting.env != *name));
    differences.extend(unknown.map(|(name, _)| format!("{name} is not a setting")));
    differences
}

#[cfg(test)]
mod tests;
