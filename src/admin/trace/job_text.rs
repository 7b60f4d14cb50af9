//! A job in the words of a cause.

use crate::store::admin::trace::deliveries::TracedJob;

pub(super) fn of_job(job: &TracedJob) -> String {
    let detail = job
        .detail
        .as_ref()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    format!("job {} ({}){detail}", job.id, job.kind)
}

pub(super) fn retry(job: &TracedJob) -> String {
    format!("repair the reason, then avinode-ingest jobs retry {}", job.id)
}
