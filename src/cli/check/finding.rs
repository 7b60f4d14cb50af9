//! The result of each check, and the exit code that follows from all of them.

use std::fmt;

use serde::Serialize;

use crate::cli::colour;
use crate::cli::error::{CliError, EXIT_UNAVAILABLE};
use crate::cli::table::visible;
use crate::cli::wrap::fit;
use crate::config::parse::EXIT_USAGE;
use crate::config::terminal::stdout_terminal;

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
    code: u8,
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

    /// The error with which `serve` would end.
    pub fn error(self, error: &CliError) -> CheckResult {
        CheckResult {
            status: CheckStatus::Failed,
            code: error.code(),
            ..self.ok(error.to_string())
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

    /// 0 when nothing failed; 64 where a setting did, else 69 where something could not be reached, else 1.
    pub fn code(&self) -> u8 {
        let failed = |code: u8| self.0.iter().any(|result| result.code == code);
        let worst = [EXIT_USAGE, EXIT_UNAVAILABLE, 1].into_iter().find(|code| failed(*code));
        worst.unwrap_or(0)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"ok": self.code() == 0, "checks": self.0})
    }
}

impl fmt::Display for CheckResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terminal = stdout_terminal();
        for (number, result) in self.0.iter().enumerate() {
            let status = match result.status {
                CheckStatus::Ok => "ok",
                CheckStatus::Warning => "warning",
                CheckStatus::Failed => "FAILED",
            };
            let end = if number == 0 { "" } else { "\n" };
            let remedy = result.remedy.as_ref().map(|remedy| format!("; {}", visible(remedy)));
            let text = format!(
                "{status:<8} {:<12} {}{}",
                result.check,
                visible(&result.message),
                remedy.unwrap_or_default()
            );
            let lines = fit(&text, terminal.width, 22);
            let rest = lines.strip_prefix(status).unwrap_or_default();
            write!(f, "{end}{}{rest}", colour::state(status, terminal.has_colour))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
