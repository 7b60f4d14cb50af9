//! Runs the real program to its end. For a program that a test watches while it runs, see `crash::program`.

use std::process::Command;

use serde_json::Value;

use super::cluster::Db;

/// The exit code and the output of a program that has ended.
pub struct ProgramRun {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl ProgramRun {
    /// Standard output and standard error.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output, which is JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }
}

/// Runs the program with these environment variables and no others but `PATH`.
pub async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> ProgramRun {
    let command = command(arguments, variables);
    tokio::task::spawn_blocking(move || output(command)).await.unwrap()
}

/// Runs the program on a database.
pub async fn run_on(db: &Db, arguments: &[&str]) -> ProgramRun {
    run(arguments, &[("DATABASE_URL", &db.url())]).await
}

/// The same as [`run`] in a test without a runtime; the arguments are separated by white space.
pub fn run_blocking(arguments: &str, variables: &[(&str, &str)]) -> ProgramRun {
    output(command(&arguments.split_whitespace().collect::<Vec<_>>(), variables))
}

fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    command.args(arguments).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.envs(variables.iter().copied());
    command
}

fn output(mut command: Command) -> ProgramRun {
    let output = command.output().unwrap();
    ProgramRun {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
