//! The text of `--version`: version, commit, date and schema, as a report of an error needs them.

use std::sync::LazyLock;

use chrono::DateTime;

use crate::postgres::migrator::known;

/// `0.1.0 (commit 1a2b3c4, 2026-01-31, schema 202601311530)`.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let schema = known::schema_version();
    text(
        env!("CARGO_PKG_VERSION"),
        env!("BUILD_COMMIT"),
        env!("BUILD_EPOCH"),
        schema,
    )
});

/// `epoch`: seconds, or nothing where neither git nor SOURCE_DATE_EPOCH had a date.
fn text(version: &str, commit: &str, epoch: &str, schema: i64) -> String {
    let commit = if commit.is_empty() { "unknown" } else { commit };
    let date = epoch
        .parse()
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let date = date.map(|date| format!(", {}", date.format("%Y-%m-%d")));
    format!(
        "{version} (commit {commit}{}, schema {schema})",
        date.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests;
