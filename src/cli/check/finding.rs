//! The output of `check`, and the exit code that follows from all results.

use std::fmt;

use crate::admin::check::finding::{CheckName, CheckResult, CheckResults, CheckStatus};
use crate::cli::colour;
use crate::cli::error::{CliError, EXIT_UNAVAILABLE};
use crate::cli::wrap::fit;
use crate::config::parse::EXIT_USAGE;
use crate::config::terminal::stdout_terminal;
use crate::domain::terminal_text::visible;

impl CheckName {
    /// The error with which `serve` would end.
    pub fn error(self, error: &CliError) -> CheckResult {
        self.failure(error.to_string(), error.code())
    }
}

impl CheckResults {
    /// 0 when nothing failed; 64 where a setting did, else 69 where something could not be reached, else 1.
    pub fn code(&self) -> u8 {
        let failed = |code: u8| self.as_slice().iter().any(|result| result.code == code);
        let worst = [EXIT_USAGE, EXIT_UNAVAILABLE, 1].into_iter().find(|code| failed(*code));
        worst.unwrap_or(0)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"ok": self.code() == 0, "checks": self.as_slice()})
    }
}

impl fmt::Display for CheckResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terminal = stdout_terminal();
        for (number, result) in self.as_slice().iter().enumerate() {
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
