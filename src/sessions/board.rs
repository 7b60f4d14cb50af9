//! The sessions of a board: the latest of each workflow step.

use super::error::SessionError;
use super::service::SessionService;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::domain::workflow::WorkflowStep;
use crate::store::chat_sessions::{board, page};

/// Sessions of a column.
const SESSIONS: u16 = 20;
/// Sessions that are counted for each step.
pub const MAX_COUNT: i64 = 1000;
/// Steps that are looked for: the four known ones, and some of the application's own.
const STEPS: i64 = 12;

const KNOWN: [WorkflowStep; 4] = [
    WorkflowStep::UnderstandingRequest,
    WorkflowStep::SearchingAircraft,
    WorkflowStep::RequestingQuotes,
    WorkflowStep::ProposalReady,
];

/// The latest sessions of a workflow step.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardColumn {
    /// `None`: sessions without a step.
    pub step: Option<String>,
    /// Newest activity first.
    pub sessions: Vec<ChatSession>,
    /// The number of all sessions of the step, or [`MAX_COUNT`] if there are more.
    pub count: i64,
}

impl SessionService {
    /// Reads the latest sessions with this status of each workflow step: the known steps in their order, then those of the application.
    ///
    /// # Errors
    /// The database is busy.
    pub async fn board(&self, status: SessionStatus) -> Result<Vec<BoardColumn>, SessionError> {
        self.read(|mut tx| async move {
            let found = board::steps(&mut tx, status, STEPS).await?;
            let known = KNOWN.map(WorkflowStep::as_str);
            let mut columns = Vec::new();
            let others = found.iter().map(String::as_str).filter(|step| !known.contains(step));
            // The empty text is the first of the found ones, and comes last.
            let (named, without): (Vec<_>, Vec<_>) = others.partition(|step| !step.is_empty());
            for step in known.into_iter().chain(named).chain(without) {
                let sessions = page::of_step(&mut tx, status, step, SESSIONS).await?;
                let shown = i64::try_from(sessions.len()).unwrap_or(i64::MAX);
                let count = match shown < i64::from(SESSIONS) {
                    true => shown,
                    false => page::count_of_step(&mut tx, status, step, MAX_COUNT).await?,
                };
                columns.push(BoardColumn {
                    step: (!step.is_empty()).then(|| step.to_owned()),
                    sessions,
                    count,
                });
            }
            Ok(columns)
        })
        .await
    }
}
