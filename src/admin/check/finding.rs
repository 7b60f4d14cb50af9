//! The result of each check.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    Ok,
    /// It works, but an admin should know.
    Warning,
    /// `serve` would not start, or would lose or miss something.
    Failed,
}

#[derive(Debug, Clone, Serialize)]
pub struct CheckResult {
    /// One word.
    pub check: &'static str,
    pub status: CheckStatus,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The exit code of a failure.
    #[serde(skip)]
    pub code: u8,
}

/// The name of a check, which makes its results.
#[derive(Debug, Clone, Copy)]
pub struct CheckName(pub &'static str);

impl CheckName {
    pub fn ok(self, message: impl Into<String>) -> CheckResult {
        CheckResult {
            check: self.0,
            status: CheckStatus::Ok,
            message: message.into(),
            remedy: None,
            code: 0,
        }
    }

    pub fn warning(self, message: impl Into<String>, remedy: impl Into<String>) -> CheckResult {
        CheckResult {
            status: CheckStatus::Warning,
            remedy: Some(remedy.into()),
            ..self.ok(message)
        }
    }

    pub fn failed(self, message: impl Into<String>, remedy: impl Into<String>) -> CheckResult {
        CheckResult {
            status: CheckStatus::Failed,
            code: 1,
            ..self.warning(message, remedy)
        }
    }

    /// A failure that names no remedy.
    pub fn failure(self, message: impl Into<String>, code: u8) -> CheckResult {
        CheckResult {
            status: CheckStatus::Failed,
            code,
            ..self.ok(message)
        }
    }
}

/// Results in the order of the checks.
#[derive(Debug, Default)]
pub struct CheckResults(Vec<CheckResult>);

impl CheckResults {
    pub fn add(&mut self, result: CheckResult) {
        self.0.push(result);
    }

    pub fn extend(&mut self, results: impl IntoIterator<Item = CheckResult>) {
        self.0.extend(results);
    }

    pub fn as_slice(&self) -> &[CheckResult] {
        &self.0
    }
}
