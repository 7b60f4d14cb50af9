//! The steps of a session's workflow, which only advance.

use strum::{EnumString, IntoStaticStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum WorkflowStep {
    UnderstandingRequest,
    SearchingAircraft,
    RequestingQuotes,
    ProposalReady,
}

impl WorkflowStep {
    /// The word in `chat_sessions.current_step`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The new step of a session that is to be at `step` or later; `None` if it stays. A session never moves back, and an unknown
/// step of the application's stays.
pub fn advance_to(current: Option<&str>, step: WorkflowStep) -> Option<WorkflowStep> {
    match current {
        None => Some(step),
        Some(word) => word
            .parse()
            .ok()
            .filter(|current: &WorkflowStep| *current < step)
            .map(|_| step),
    }
}
