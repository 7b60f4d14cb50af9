//! A wrong setting, in one line that names it and never holds the value of a secret.

use std::fmt::Display;

/// The rest of a line that begins with `error: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(pub String);

impl SettingError {
    /// `setting` is its name, and `problem` completes the sentence.
    pub fn new(setting: &str, problem: impl Display) -> Self {
        Self(format!("{setting}: {problem}"))
    }
}
