//! The metrics of the service, and the recorder that renders them for Prometheus. docs/metrics.md lists them.
//!
//! Their labels are words of fixed sets: the number of series does not grow with what is received.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// A metric, as docs/metrics.md has it.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: MetricKind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

impl MetricKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// From a commit on a fast disk to the limit of a statement.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// From an idle service to a long outage.
const WAITS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3_600.0,
];
/// Powers of two up to the largest batch.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

pub const METRICS: [Metric; 29] = [
    counter(
        "avinode_ingest_deliveries_total",
        &["status", "scheme", "reason"],
        "Requests to the webhook by the status of the answer, the scheme that verified the sender, and the reason of a rejection.",
    ),
    histogram(
        "avinode_ingest_commit_duration_seconds",
        SECONDS,
        &[],
        "Time of a group commit of deliveries, successful or not.",
    ),
    histogram(
        "avinode_ingest_commit_deliveries",
        SIZES,
        &[],
        "Deliveries of a group commit.",
    ),
    counter(
        "avinode_ingest_commit_failures_total",
        &["cause"],
        "Group commits that failed; their senders got 503.",
    ),
    gauge(
        "avinode_ingest_receive_queue_deliveries",
        &[],
        "Deliveries that wait for the group commit.",
    ),
    gauge(
        "avinode_ingest_receive_memory_bytes",
        &[],
        "Bytes of bodies that are being read or stored.",
    ),
    gauge(
        "avinode_ingest_receive_memory_limit_bytes",
        &[],
        "Bytes that INGEST_MEMORY_BUDGET allows.",
    ),
    counter(
        "avinode_ingest_jobs_finished_total",
        &["kind", "outcome"],
        "Jobs that finished, by outcome.",
    ),
    counter(
        "avinode_ingest_job_failures_total",
        &["kind"],
        "Attempts that failed and will be repeated.",
    ),
    counter(
        "avinode_ingest_jobs_died_total",
        &["kind"],
        "Jobs that were dead-lettered.",
    ),
    histogram(
        "avinode_ingest_apply_duration_seconds",
        SECONDS,
        &[],
        "Time to apply a batch of jobs, failures included, and its repetition after a refused row.",
    ),
    histogram(
        "avinode_ingest_apply_jobs",
        SIZES,
        &[],
        "Jobs of a batch that was applied.",
    ),
    histogram(
        "avinode_ingest_delivery_to_session_seconds",
        WAITS,
        &[],
        "Time from the storage of a delivery until its sessions are updated.",
    ),
    counter(
        "avinode_ingest_fetch_calls_total",
        &["resource", "outcome"],
        "Calls of Avinode's API by the kind of the resource.",
    ),
    histogram(
        "avinode_ingest_fetch_call_duration_seconds",
        SECONDS,
        &["resource"],
        "Time of a call of Avinode's API.",
    ),
    gauge(
        "avinode_ingest_jobs",
        &["kind", "state"],
        "Jobs in the queue by kind and state, of all processes.",
    ),
    gauge(
        "avinode_ingest_dead_jobs",
        &["kind"],
        "Dead-lettered jobs by kind, of all processes.",
    ),
    gauge(
        "avinode_ingest_oldest_due_job_age_seconds",
        &["kind"],
        "Time for which the oldest job of a kind has been due, of those that no worker handles.",
    ),
    gauge(
        "avinode_ingest_fetching",
        &["state"],
        "1 for the state of fetching: running, paused, breaker_open, suspended or unserved.",
    ),
    gauge(
        "avinode_ingest_fetch_calls_per_second_limit",
        &[],
        "Calls of Avinode's API that are allowed a second, over all processes. 0 while no process fetches.",
    ),
    gauge(
        "avinode_ingest_fetch_failed_resources",
        &[],
        "Resources whose calls failed since the last success, at most 100; five of them open the breaker. 0 while no process fetches.",
    ),
    gauge(
        "avinode_ingest_fetch_refused_resources",
        &[],
        "Resources that Avinode refused since the last success, at most 100. 0 while no process fetches.",
    ),
    gauge(
        "avinode_ingest_last_delivery_timestamp_seconds",
        &[],
        "Time of the last stored delivery, in Unix time.",
    ),
    gauge(
        "avinode_ingest_active_sessions",
        &["step"],
        "Active sessions by workflow step.",
    ),
    gauge(
        "avinode_ingest_periodic_task_last_start_timestamp_seconds",
        &["task"],
        "Last run of a periodic task that did not fail, in Unix time: its start, of resync and retention its end.",
    ),
    gauge(
        "avinode_ingest_database_connections_in_use",
        &[],
        "Connections to the database that are in use by this process.",
    ),
    gauge(
        "avinode_ingest_database_connections_waiting",
        &[],
        "Tasks of this process that wait for a connection to the database.",
    ),
    gauge(
        "avinode_ingest_database_connections_limit",
        &[],
        "Connections that the pools of this process may open together; a task may wait for one of them below this number.",
    ),
    gauge(
        "avinode_ingest_build_info",
        &["version", "commit", "schema"],
        "1, with the version of the program, its commit and the newest migration that it knows.",
    ),
];

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Counter,
        labels,
        help,
    }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Gauge,
        labels,
        help,
    }
}

const fn histogram(
    name: &'static str,
    bounds: &'static [f64],
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: MetricKind::Histogram(bounds),
        labels,
        help,
    }
}

/// Starts to record the metrics of this process. Without it they cost next to nothing.
///
/// # Errors
/// Another recorder is installed.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for metric in METRICS {
        if let MetricKind::Histogram(bounds) = metric.kind {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?;
        }
    }
    let handle = builder.install_recorder()?;
    for Metric { name, kind, help, .. } in METRICS {
        match kind {
            MetricKind::Counter => metrics::describe_counter!(name, help),
            MetricKind::Gauge => metrics::describe_gauge!(name, help),
            MetricKind::Histogram(_) => metrics::describe_histogram!(name, help),
        }
    }
    Ok(handle)
}

#[cfg(test)]
mod tests;
