//! `configuration`: prints docs/configuration.md from the command line's declaration.

use std::fmt::Write as _;

use super::error::{CliError, EXIT_CODES};
use super::output;
use crate::config::setting_reference::settings;

const HEAD: &str = "\
# Configuration

<!-- Written by `cargo run --locked -- configuration > docs/configuration.md`. A test fails when this file is out of date. -->

Every setting is an environment variable and a flag; the flag wins, and an empty variable counts as unset. `avinode-ingest check`
checks a configuration without serving.

- A duration is a number with a unit: `500ms`, `10s`, `5m`, `2h`, `90d`.
- A size is a number of bytes, or has a unit: `256KiB`, `64MiB`, `1GiB`.
- A boolean variable is `true` (`yes`, `on`, `1`) or `false` (`no`, `off`, `0`); its flag takes no value.
- A secret (a variable that names secrets, credentials, tokens, a bearer or a database URL) can also be in a file: `NAME_FILE` names it, for
  example `AVINODE_WEBHOOK_SECRET_FILE`, or `$CREDENTIALS_DIRECTORY` holds a file called `NAME`, as with systemd's `LoadCredential=NAME:PATH`. The
  flag and the variable come first. SIGHUP makes `serve` read the secrets of webhooks and the API tokens again.
- A variable that begins with `INGEST_` or `AVINODE_` and is not listed here is ignored with a warning that names the nearest
  setting.
";

pub fn run(root: &clap::Command) -> Result<(), CliError> {
    output::write(reference(root).as_bytes())
}

/// The settings of `serve` come first, in the order of its help.
fn reference(root: &clap::Command) -> String {
    let settings = settings(root.find_subcommand("serve").into_iter().chain([root]));
    let mut headings: Vec<&str> = Vec::new();
    for setting in &settings {
        if !headings.contains(&setting.heading.as_str()) {
            headings.push(&setting.heading);
        }
    }
    let mut text = HEAD.to_owned();
    for heading in headings {
        let _ = write!(
            text,
            "\n## {heading}\n\n| variable | flag | default | description |\n|---|---|---|---|\n"
        );
        for setting in settings.iter().filter(|setting| setting.heading == heading) {
            let _ = writeln!(text, "{}", setting.row());
        }
    }
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in EXIT_CODES {
        let _ = writeln!(text, "| {code} | {meaning} |");
    }
    text
}
