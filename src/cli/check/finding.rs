//! What was found: a line for each thing tried, and the exit code that follows from all of them.

use std::fmt;

use serde::Serialize;

use crate::cli::error::{CliError, EXIT_UNAVAILABLE};
use crate::cli::table::visible;
use crate::config::parse::EXIT_USAGE;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// As it must be.
    Ok,
    /// It works, and somebody should know.
    Warning,
    /// `serve` would not start, or would lose or miss something.
    Failed,
}

/// One thing that was tried.
#[derive(Debug, Clone, Serialize)]
pub struct CheckResult {
    /// The thing, in one word.
    pub check: &'static str,
    /// How it is.
    pub verdict: CheckStatus,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The exit code when it failed.
    #[serde(skip)]
    code: u8,
}

impl CheckResult {
    /// As it must be.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict: CheckStatus::Ok,
            found: found.into(),
            remedy: None,
            code: 0,
        }
    }

    /// It works, but.
    pub fn warning(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: CheckStatus::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(check, found)
        }
    }

    /// It is not as it must be.
    pub fn failed(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: CheckStatus::Failed,
            code: 1,
            ..Self::warning(check, found, remedy)
        }
    }

    /// What `serve` would end with, exit code and all.
    pub fn of_failure(check: &'static str, failure: &CliError) -> Self {
        Self {
            verdict: CheckStatus::Failed,
            code: failure.code(),
            ..Self::ok(check, failure.to_string())
        }
    }
}

/// All that was found, in the order in which it was tried.
#[derive(Debug, Default)]
pub struct CheckResults(Vec<CheckResult>);

impl CheckResults {
    /// Adds one.
    pub fn add(&mut self, finding: CheckResult) {
        self.0.push(finding);
    }

    /// Adds several.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = CheckResult>) {
        self.0.extend(findings);
    }

    /// 0 when nothing failed; 64 where a setting did, else 69 where something could not be reached, else 1.
    pub fn code(&self) -> u8 {
        let failed = |code: u8| self.0.iter().any(|finding| finding.code == code);
        let worst = [EXIT_USAGE, EXIT_UNAVAILABLE, 1].into_iter().find(|code| failed(*code));
        worst.unwrap_or(0)
    }

    /// For scripts.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"ok": self.code() == 0, "checks": self.0})
    }
}

impl fmt::Display for CheckResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, finding) in self.0.iter().enumerate() {
            let verdict = match finding.verdict {
                CheckStatus::Ok => "ok",
                CheckStatus::Warning => "warning",
                CheckStatus::Failed => "FAILED",
            };
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}{verdict:<8} {:<12} {}", finding.check, visible(&finding.found))?;
            if let Some(remedy) = &finding.remedy {
                write!(f, "; {}", visible(remedy))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
