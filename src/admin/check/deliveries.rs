//! The check of the partitions of deliveries: made ahead of time, and dropped after their retention.

use chrono::SecondsFormat;

use super::finding::{CheckName, CheckResult};
use crate::store::deliveries::partitions::PartitionStatus;

const DELIVERIES: CheckName = CheckName("deliveries");

/// One line for each problem.
pub fn partitions(status: &PartitionStatus) -> Vec<CheckResult> {
    let PartitionStatus {
        missing,
        overdue,
        in_default,
    } = status;
    let mut results = Vec::new();
    if let Some(month) = missing {
        results.push(DELIVERIES.warning(
            format!(
                "there is no partition for the deliveries of {month}: they are stored in the default partition, and deleted \
                 one by one"
            ),
            "run a process with INGEST_ROLE=both or work; its log says why it makes no partition",
        ));
    } else if *in_default > 0 {
        results.push(DELIVERIES.ok(format!(
            "{} in the default partition, from times when the clock of a receiver was wrong or partitions were missing",
            if *in_default < 1000 {
                in_default.to_string()
            } else {
                "1000 or more".to_owned()
            }
        )));
    }
    if let Some(overdue) = overdue {
        let (name, since) = (&overdue.name, overdue.since.to_rfc3339_opts(SecondsFormat::Secs, true));
        results.push(match overdue.jobs {
            0 => DELIVERIES.warning(
                format!("the partition {name} should have been dropped at {since}"),
                "run a process with INGEST_ROLE=both or work; a transaction that reads deliveries for hours prevents it",
            ),
            jobs => DELIVERIES.warning(
                format!(
                    "the partition {name}, past its retention since {since}, is kept for {jobs} {}",
                    if jobs == 1 { "job" } else { "jobs" }
                ),
                "see avinode-ingest jobs list; then jobs retry, or jobs discard",
            ),
        });
    }
    if results.is_empty() {
        results.push(DELIVERIES.ok("partitions are made ahead of time, and dropped after their retention"));
    }
    results
}
