//! The systemd unit in `deploy/`: what it says about exit codes, limits of time and secrets is what the program does.

use std::collections::BTreeSet;

use avinode_ingest::cli::command::Cli;
use avinode_ingest::cli::error::EXIT_SCHEMA;
use avinode_ingest::config::parse::EXIT_USAGE;
use avinode_ingest::config::secret_file::secret_variables;
use avinode_ingest::config::serve::ServeArgs;
use clap::CommandFactory as _;

const UNIT: &str = include_str!("../../../deploy/avinode-ingest.service");

/// The values of a key.
fn values(key: &str) -> Vec<&'static str> {
    let lines = UNIT.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(name, _)| *name == key).map(|(_, value)| value).collect()
}

#[test]
fn each_secret_of_serve_can_be_a_credential_and_need_not_be_one() {
    let command = Cli::command();
    let secrets: BTreeSet<String> = secret_variables(command.find_subcommand("serve").unwrap()).collect();
    let loaded = secrets
        .iter()
        .map(|name| format!("{name}:/etc/avinode-ingest/credentials/{name}"));
    assert_eq!(values("LoadCredential"), loaded.collect::<Vec<_>>());
    // Without a file the credential is white space, which counts as unset.
    let defaults = secrets.iter().map(|name| format!(r"{name}:\x20"));
    assert_eq!(values("SetCredential"), defaults.collect::<Vec<_>>());
}

#[test]
fn exit_codes_that_another_start_cannot_help_prevent_it() {
    assert_eq!(
        values("RestartPreventExitStatus"),
        [format!("{EXIT_USAGE} {EXIT_SCHEMA}")]
    );
}

#[test]
fn the_manager_waits_longer_than_the_shutdown_may_take() {
    let stop = values("TimeoutStopSec")[0].strip_suffix('s').unwrap();
    let arguments = ServeArgs::default();
    let shutdown = arguments.http.drain_delay + arguments.shutdown_timeout;
    assert!(stop.parse::<u64>().unwrap() > shutdown.as_secs() + 3, "{stop}");
}
