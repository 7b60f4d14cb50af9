//! Runs `check` as an admin does: the real program, and its output.

use std::process::Command;

use serde_json::Value;

use super::service::SECRET;

/// The output of `check --json`.
pub struct CheckOutput {
    pub code: Option<i32>,
    /// The result of each check.
    pub checks: Vec<Value>,
    /// Both outputs.
    pub text: String,
}

impl CheckOutput {
    /// The statuses of a check, and its messages and remedies, each joined.
    pub fn of(&self, check: &str) -> (String, String) {
        let results: Vec<&Value> = self.checks.iter().filter(|result| result["check"] == check).collect();
        let joined = |key: &str| {
            let texts = results.iter().filter_map(|result| result[key].as_str());
            texts.collect::<Vec<_>>().join(" ")
        };
        (joined("status"), format!("{} {}", joined("message"), joined("remedy")))
    }

    /// The GRANTs that add the missing privileges, as one text.
    pub fn grants(&self) -> String {
        let missing = self.checks.iter().filter(|result| result["check"] == "privileges");
        let grants = missing.map(|result| {
            result["remedy"]
                .as_str()
                .unwrap()
                .strip_prefix("as the owner: ")
                .unwrap()
        });
        grants.collect::<Vec<_>>().join("; ")
    }

    /// The statuses of a check.
    pub fn status(&self, check: &str) -> String {
        self.of(check).0
    }
}

/// Runs it with these variables only, on a free port and with a valid secret unless they say otherwise.
pub async fn check(variables: &[(&str, &str)]) -> CheckOutput {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    command.args(["check", "--json"]).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
        .env("INGEST_LISTEN", "127.0.0.1:0")
        .env("AVINODE_WEBHOOK_SECRET", SECRET);
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(json["ok"].as_bool(), Some(output.status.success()));
    CheckOutput {
        code: output.status.code(),
        checks: json["checks"].as_array().unwrap().clone(),
        text,
    }
}
