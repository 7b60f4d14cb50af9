//! The list of settings, read from the command line's declaration: a list kept by hand could only be compared with itself.

use clap::{Arg, Command};

/// A setting as docs/configuration.md shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDoc {
    /// The heading of the help under which it stands.
    pub heading: String,
    /// For example `--workers`.
    pub flag: String,
    /// For example `INGEST_WORKERS`.
    pub env: String,
    /// `None` where there is none, or where it is a rule that the help explains.
    pub default: Option<String>,
    /// The help on one line, with bounds and possible values.
    pub help: String,
}

impl SettingDoc {
    fn new(arg: &Arg) -> Option<Self> {
        let help = arg.get_long_help().or(arg.get_help())?.to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut help = format!("{}.", help.trim_end_matches('.')); // clap drops the full stop of some
        let takes_value = arg.get_action().takes_values();
        for value in arg.get_possible_values().iter().filter(|_| takes_value) {
            let meaning = value.get_help().map(ToString::to_string).unwrap_or_default();
            help.push_str(&format!(" `{}`: {}.", value.get_name(), lower_first(&meaning)));
        }
        let defaults = arg.get_default_values().iter().filter(|_| takes_value);
        let default = defaults.map(|value| value.to_string_lossy().into_owned()).next();
        Some(Self {
            heading: arg.get_help_heading()?.to_owned(),
            flag: format!("--{}", arg.get_long()?),
            env: arg.get_env()?.to_string_lossy().into_owned(),
            default: default.or_else(|| (!takes_value).then(|| "false".to_owned())),
            help,
        })
    }

    /// Its row in a Markdown table of variable, flag, default and description.
    pub fn row(&self) -> String {
        let default = self.default.as_ref().map(|default| format!("`{default}`"));
        format!(
            "| `{}` | `{}` | {} | {} |",
            self.env,
            self.flag,
            default.unwrap_or_default(),
            self.help.replace('|', "\\|").replace('<', "&lt;")
        )
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Returns the settings of these commands and their subcommands, in the order of their declaration. A variable that several
/// commands declare is listed once, as the first of them explains it.
pub fn settings<'a>(commands: impl IntoIterator<Item = &'a Command>) -> Vec<SettingDoc> {
    fn collect(command: &Command, found: &mut Vec<SettingDoc>) {
        for setting in command.get_arguments().filter_map(SettingDoc::new) {
            if found.iter().all(|known| known.env != setting.env) {
                found.push(setting);
            }
        }
        for subcommand in command.get_subcommands() {
            collect(subcommand, found);
        }
    }
    let mut found = Vec::new();
    for command in commands {
        collect(command, &mut found);
    }
    found
}
