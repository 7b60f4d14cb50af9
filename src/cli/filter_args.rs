//! The filters of jobs and of deliveries, which their lists share with the actions on many of them.

use crate::admin::selection::{DeliverySelection, JobSelection};
use crate::cli::subject_args::SubjectArgs;
use crate::config::value_parsers::one_of;
use crate::domain::subject::SubjectKind;
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::store::admin::delivery_list::DeliveryOutcome;

#[derive(Debug, Clone, clap::Args)]
pub struct JobFilterArgs {
    #[command(flatten)]
    pub subject: SubjectArgs,

    /// Only jobs in this state.
    #[arg(long, value_name = "STATE")]
    pub state: Option<JobState>,

    /// Only jobs of this kind.
    #[arg(long, value_name = "KIND", value_parser = one_of::<JobKind>)]
    pub kind: Option<JobKind>,

    /// Only jobs of deliveries with this outcome, as of `deliveries list`. A job that is not dead has one that is queued.
    #[arg(long, value_name = "OUTCOME", value_parser = one_of::<DeliveryOutcome>)]
    pub outcome: Option<DeliveryOutcome>,

    /// Only jobs with this text in their key, reason or failures, in any case.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    /// Only jobs with this text in the reason that the list shows, in any case.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Timers as well, which wait for a time: the expiry of a quote. Without it they are selected only with --kind, and once due.
    #[arg(long)]
    pub all: bool,
}

impl JobFilterArgs {
    pub fn selection(&self) -> JobSelection {
        let (since, until) = self.subject.times();
        JobSelection {
            subject: self.subject.filter(),
            state: self.state,
            kind: self.kind,
            outcome: self.outcome,
            since,
            until,
            text: self.text.clone(),
            reason: self.reason.clone(),
            all: self.all,
        }
    }
}

#[derive(Debug, Clone, clap::Args)]
pub struct DeliveryFilterArgs {
    #[command(flatten)]
    pub subject: SubjectArgs,

    /// Only deliveries of this kind: cancellation, decline, acceptance, quote, message, rfq_sent, trip_change, quote_status or other. Of several kinds a document has the first in this order.
    #[arg(long, value_name = "KIND", value_parser = one_of::<SubjectKind>)]
    pub kind: Option<SubjectKind>,

    /// Only deliveries with this outcome: queued, applied, duplicate, nothing, ignored, gone, dead or discarded.
    #[arg(long, value_name = "OUTCOME", value_parser = one_of::<DeliveryOutcome>)]
    pub outcome: Option<DeliveryOutcome>,

    /// Only deliveries with this text in their body or outcome, as written. A page looks through 20000 deliveries.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
}

impl DeliveryFilterArgs {
    pub fn selection(&self) -> DeliverySelection {
        let (since, until) = self.subject.times();
        DeliverySelection {
            subject: self.subject.filter(),
            kind: self.kind,
            outcome: self.outcome,
            since,
            until,
            text: self.text.clone(),
        }
    }
}
