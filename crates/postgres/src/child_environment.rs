//! The environment of the programs that this one starts: it has no setting of the service, so no secret, and no variable by which the
//! caller would change a private cluster.

use std::process::Command;

/// Variables by which a program and its libraries are found, and temporary files are placed.
const KEPT: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// Leaves a command nothing of our environment but a few variables, and sets the language of its messages.
pub fn clear(command: &mut Command) -> &mut Command {
    command.env_clear().env("LC_ALL", "C");
    for variable in KEPT {
        #[expect(
            clippy::disallowed_methods,
            reason = "passed on, not read: none of these is a setting of the service"
        )]
        if let Some(value) = std::env::var_os(variable) {
            command.env(variable, value);
        }
    }
    command
}
