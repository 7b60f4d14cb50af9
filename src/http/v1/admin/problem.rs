//! The problems of the operator API.

use crate::http::problem::{ProblemDetails, problem_sets};
use crate::queue::job_state::JobState;

/// Why a call of the operator API was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminProblem {
    DeliveryNotFound,
    /// The body was replaced.
    DeliveryRedacted,
    /// Done jobs are not found either.
    JobNotFound,
    /// A running job is left alone, and a due job need not be retried.
    InvalidJobState(JobState),
    JobIsTimer,
    DocumentNotFound,
    BatchNotFound,
    BatchFinished,
    /// Another version began it.
    BatchUnreadable,
    /// The id names nothing that is stored.
    NothingStored,
}

impl AdminProblem {
    pub fn details(self) -> ProblemDetails {
        match self {
            Self::DeliveryNotFound => ProblemDetails::new(404, "delivery-not-found", "Delivery not found")
                .detail("No stored delivery has this id; it may be past its retention."),
            Self::DeliveryRedacted => ProblemDetails::new(409, "delivery-redacted", "Delivery redacted")
                .detail("The body of the delivery was redacted, so there is nothing left to process."),
            Self::JobNotFound => ProblemDetails::new(404, "job-not-found", "Job not found")
                .detail("No unfinished or dead job has this id. A delivery shows the outcomes of its jobs."),
            Self::InvalidJobState(state) => {
                ProblemDetails::new(409, "invalid-job-state", "Invalid job state").detail(format!(
                    "The job is {}. A dead, scheduled or retryable job can be retried, and any but a running one discarded.",
                    state.as_str()
                ))
            }
            Self::JobIsTimer => ProblemDetails::new(409, "job-is-timer", "Job is a timer").detail(
                "Without its timer an expired quote stays primary until the next resync. `force` discards a timer as well.",
            ),
            Self::DocumentNotFound => ProblemDetails::new(404, "document-not-found", "Document not found")
                .detail("No stored document has this id; it may be past its retention."),
            Self::BatchNotFound => ProblemDetails::new(404, "batch-not-found", "Batch not found")
                .detail("No batch has this id; it may be past its retention."),
            Self::BatchFinished => ProblemDetails::new(409, "batch-finished", "Batch finished")
                .detail("The batch is finished: there is nothing left to resume."),
            Self::BatchUnreadable => ProblemDetails::new(409, "batch-unreadable", "Batch of another version").detail(
                "The batch has an action or a filter that this version does not know. Resume it with the version that began it.",
            ),
            Self::NothingStored => ProblemDetails::new(404, "nothing-stored", "Nothing is stored about this id").detail(
                "The id is neither a quote, an RFQ nor a trip of Avinode, nor a stored delivery, session or row of quotes.",
            ),
        }
    }
}

problem_sets! {
    /// Problems of an operation on one delivery.
    DeliveryProblems = [AdminProblem::DeliveryNotFound];
    /// Problems of processing a delivery again.
    ReplayProblems = [AdminProblem::DeliveryRedacted];
    /// Problems of an operation on one job.
    JobProblems = [AdminProblem::JobNotFound];
    /// Problems of changing a job.
    JobStateProblems = [AdminProblem::InvalidJobState(JobState::Running)];
    /// Problems of discarding a job.
    DiscardProblems = [AdminProblem::InvalidJobState(JobState::Running), AdminProblem::JobIsTimer];
    /// Problems of an operation on one document.
    DocumentProblems = [AdminProblem::DocumentNotFound];
    /// Problems of an operation on one batch.
    BatchProblems = [AdminProblem::BatchNotFound];
    /// Problems of resuming a batch.
    ResumeProblems = [AdminProblem::BatchFinished, AdminProblem::BatchUnreadable];
    /// Problems of a trace.
    TraceProblems = [AdminProblem::NothingStored];
}
