//! Runs `check` as an admin does: the real program, and its output.

use serde_json::Value;

use super::program;
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
    let defaults = [("INGEST_LISTEN", "127.0.0.1:0"), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let run = program::run(&["check", "--json"], &[&defaults, variables].concat()).await;
    let json = run.json();
    assert_eq!(json["ok"].as_bool(), Some(run.code == Some(0)));
    CheckOutput {
        code: run.code,
        checks: json["checks"].as_array().unwrap().clone(),
        text: run.all(),
    }
}
