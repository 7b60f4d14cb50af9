//! Counters that begin at 0. From a series that is not there to its first 1 Prometheus sees no increase, and alerts look at these.

use metrics::counter;
use strum::VariantArray;

use crate::http::problem::Problem;
use crate::queue::job_kind::JobKind;

pub(super) fn record(receives: bool) {
    for kind in JobKind::VARIANTS {
        counter!("avinode_ingest_jobs_died_total", "kind" => kind.as_str()).increment(0);
    }
    if receives {
        let refusal = Problem::Unavailable { retry_after: 0 }.details().name;
        let labels = [("status", "503"), ("scheme", ""), ("reason", refusal)];
        counter!("avinode_ingest_deliveries_total", &labels).increment(0);
    }
}
