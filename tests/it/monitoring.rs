//! The files in deploy/monitoring and docs/runbook.md: they name what exists, and a real Prometheus works with them.

mod boards;
mod names;
mod prometheus;
mod runbook;

use std::path::Path;

/// A file of the repository.
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const RULES: &str = "deploy/monitoring/avinode-ingest.rules.yml";
const RULE_TESTS: &str = "deploy/monitoring/avinode-ingest.rules.test.yml";
const PROMETHEUS_BOARD: &str = "deploy/monitoring/grafana-prometheus.json";
const SQL_BOARD: &str = "deploy/monitoring/grafana-sql.json";

/// The values of the lines that begin with this key.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    lines
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .map(str::trim)
        .collect()
}

/// The names of the alerts, in the order of the rules.
fn alerts(rules: &str) -> Vec<&str> {
    let mut names = values(rules, "alert");
    names.dedup();
    names
}

/// The queries of the panels of a board, rows included.
fn queries(board: &serde_json::Value, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            found.push(target[key].as_str().unwrap().to_owned());
        }
    }
    found
}
