//! The steps of a session's workflow, and the one way they move.

/// A step of the workflow, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkflowStep {
    /// The broker's wish is being understood.
    UnderstandingRequest,
    /// Aircraft are looked for.
    SearchingAircraft,
    /// Sellers have been asked.
    RequestingQuotes,
    /// A proposal can be sent.
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

    /// The step of a word; `None` for a word that the application made up.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }
}

/// Where a session at `current` goes when it is to be at least at `step`: forward, never back, and an unknown word of
/// the application's stays. `None`: it stays where it is.
pub fn advance_to(current: Option<&str>, step: WorkflowStep) -> Option<WorkflowStep> {
    match current {
        None => Some(step),
        Some(word) => WorkflowStep::from_word(word)
            .filter(|current| *current < step)
            .map(|_| step),
    }
}
