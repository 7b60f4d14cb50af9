//! Values from the start: what the program is, and counters that begin at 0. From a series that is not there to its first 1 Prometheus
//! sees no increase, and alerts look at these.

use metrics::{counter, gauge};
use strum::VariantArray;

use crate::http::problem::Problem;
use crate::postgres::migrator::known;
use crate::queue::job_kind::JobKind;

pub(super) fn record(receives: bool) {
    let build = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("commit", env!("BUILD_COMMIT").to_owned()),
        ("schema", known::schema_version().to_string()),
    ];
    gauge!("avinode_ingest_build_info", &build).set(1.0);
    for kind in JobKind::VARIANTS {
        counter!("avinode_ingest_jobs_died_total", "kind" => kind.as_str()).increment(0);
    }
    if receives {
        let refusal = Problem::Unavailable { retry_after: 0 }.details().name;
        let labels = [("status", "503"), ("scheme", ""), ("reason", refusal)];
        counter!("avinode_ingest_deliveries_total", &labels).increment(0);
    }
}
