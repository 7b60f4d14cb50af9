//! The steps of a session's workflow, which only advance.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkflowStep {
    UnderstandingRequest,
    SearchingAircraft,
    RequestingQuotes,
    ProposalReady,
}

impl WorkflowStep {
    const ALL: [Self; 4] = [
        Self::UnderstandingRequest,
        Self::SearchingAircraft,
        Self::RequestingQuotes,
        Self::ProposalReady,
    ];

    /// The word in `chat_sessions.current_step`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnderstandingRequest => "understanding_request",
            Self::SearchingAircraft => "searching_aircraft",
            Self::RequestingQuotes => "requesting_quotes",
            Self::ProposalReady => "proposal_ready",
        }
    }

    /// The step of a word; `None` for a word of the application's own.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }
}

/// The new step of a session that is to be at `step` or later; `None` if it stays. A session never moves back, and an unknown
/// step of the application's stays.
pub fn advance_to(current: Option<&str>, step: WorkflowStep) -> Option<WorkflowStep> {
    match current {
        None => Some(step),
        Some(word) => WorkflowStep::from_word(word)
            .filter(|current| *current < step)
            .map(|_| step),
    }
}
