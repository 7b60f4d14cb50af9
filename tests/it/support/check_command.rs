//! `check` as an operator runs it: the real program, and what it told.

use std::process::Command;

use serde_json::Value;

use super::service::SECRET;

/// What `check --json` told.
pub struct Told {
    /// Its exit code.
    pub code: Option<i32>,
    /// Each thing tried.
    pub checks: Vec<Value>,
    /// All of it, as it was told.
    pub text: String,
}

impl Told {
    /// The verdicts of one thing tried, and what was found, joined.
    pub fn of(&self, check: &str) -> (String, String) {
        let of_it: Vec<&Value> = self.checks.iter().filter(|told| told["check"] == check).collect();
        let words = |key: &str| {
            let words = of_it.iter().filter_map(|told| told[key].as_str());
            words.collect::<Vec<_>>().join(" ")
        };
        (words("verdict"), format!("{} {}", words("found"), words("remedy")))
    }

    /// The GRANTs that mend the rights, as one text.
    pub fn grants(&self) -> String {
        let rights = self.checks.iter().filter(|told| told["check"] == "rights");
        let grants = rights.map(|told| told["remedy"].as_str().unwrap().strip_prefix("as the owner: ").unwrap());
        grants.collect::<Vec<_>>().join("; ")
    }

    /// The verdicts of one thing tried.
    pub fn verdict(&self, check: &str) -> String {
        self.of(check).0
    }
}

/// Runs it with these variables only, on a free port and with a good secret unless they say otherwise.
pub async fn check(variables: &[(&str, &str)]) -> Told {
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
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(told["ok"].as_bool(), Some(output.status.success()));
    Told {
        code: output.status.code(),
        checks: told["checks"].as_array().unwrap().clone(),
        text,
    }
}
