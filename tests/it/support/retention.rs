//! Runs retention as maintenance does.

use std::time::Duration;

use avinode_ingest::jobs::retention::{self, RetentionConfig, RetentionReport};
use avinode_ingest::postgres::transaction::Pool;
use avinode_ingest::service::ServiceSettings;

/// The defaults of the settings.
pub fn defaults() -> RetentionConfig {
    ServiceSettings::default().retention
}

/// A time in days.
pub fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}

/// Runs retention until nothing is left to do. Returns the report of each run.
pub async fn run(pool: &Pool, config: &RetentionConfig) -> Vec<RetentionReport> {
    let mut reports = Vec::new();
    loop {
        let report = retention::run(pool, config, Duration::from_secs(60)).await.unwrap();
        let is_unfinished = report.is_unfinished;
        reports.push(report);
        if !is_unfinished {
            return reports;
        }
    }
}
