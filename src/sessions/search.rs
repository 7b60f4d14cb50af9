//! Finds sessions by what a person knows of them: a trip, an RFQ, a quote, an operator, an agent, or an id of the application.

use std::collections::{BTreeSet, HashMap};

use strum::IntoStaticStr;
use uuid::Uuid;

use super::error::SessionError;
use super::service::SessionService;
use crate::domain::chat_session::view::ChatSession;
use crate::domain::ids::{QuoteId, RfqId, TripId};
use crate::postgres::transaction::Transaction;
use crate::store::admin::trace::facts::sessions_of_trips;
use crate::store::admin::trips;
use crate::store::chat_sessions::{page, search};

/// Sessions that are returned.
const SESSIONS: u16 = 50;
/// Agents with a matching name.
const AGENTS: i64 = 10;
/// Characters of a text, and the least for a name.
const MAX_TEXT: usize = 200;
const MIN_NAME: usize = 2;

/// The property of a session that matches a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MatchedBy {
    Id,
    Trip,
    Rfq,
    Quote,
    Operator,
    Agent,
}

/// A session that matches a text.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSession {
    pub session: ChatSession,
    pub matched_by: MatchedBy,
}

/// The ids of matching sessions, each with the first property that matches.
#[derive(Debug, Default)]
struct Matches(HashMap<Uuid, MatchedBy>);

impl Matches {
    fn add(&mut self, matched_by: MatchedBy, sessions: impl IntoIterator<Item = Uuid>) {
        for session in sessions {
            self.0.entry(session).or_insert(matched_by);
        }
    }
}

impl SessionService {
    /// Finds at most 50 sessions, newest activity first. Ids match in any spelling and as a whole; names of operators match by their
    /// beginning, those of agents by any part, in any case. Of an operator the sessions of its latest quotes are found.
    ///
    /// # Errors
    /// The database is busy.
    pub async fn search(&self, text: &str) -> Result<Vec<FoundSession>, SessionError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
            return Ok(Vec::new());
        }
        self.read(|mut tx| async move {
            let mut matches = Matches::default();
            match text.parse::<Uuid>() {
                Ok(id) => find_by_uuid(&mut tx, id, &mut matches).await?,
                Err(_) => {
                    find_by_avinode_id(&mut tx, text, &mut matches).await?;
                    find_by_name(&mut tx, text, &mut matches).await?;
                }
            }
            let ids: Vec<Uuid> = matches.0.keys().copied().collect();
            let sessions = page::of_ids(&mut tx, &ids, SESSIONS).await?;
            let found = sessions.into_iter().filter_map(|session| {
                let matched_by = *matches.0.get(&session.id)?;
                Some(FoundSession { session, matched_by })
            });
            Ok(found.collect())
        })
        .await
    }
}

/// A session, or those of a request, a conversation or an agent.
async fn find_by_uuid(tx: &mut Transaction<'_>, id: Uuid, matches: &mut Matches) -> Result<(), SessionError> {
    matches.add(MatchedBy::Id, search::of_id(tx, id).await?);
    matches.add(MatchedBy::Agent, search::of_agents(tx, &[id], SESSIONS.into()).await?);
    Ok(())
}

async fn find_by_avinode_id(tx: &mut Transaction<'_>, text: &str, matches: &mut Matches) -> Result<(), SessionError> {
    if let Ok(trip) = TripId::parse(text) {
        let ids = trips::with_aliases(tx, &[trip.as_str().to_owned()]).await?;
        matches.add(MatchedBy::Trip, sessions_of_trips(tx, &ids).await?);
    }
    if let Ok(rfq) = RfqId::parse(&with_prefix("arfq-", text)) {
        let rfq = rfq.normalized();
        matches.add(MatchedBy::Rfq, search::of_rfq(tx, &rfq).await?);
        let ids = trips::of_rfq(tx, &rfq).await?;
        matches.add(MatchedBy::Rfq, sessions_of_trips(tx, &ids).await?);
    }
    // The ids of quotes are stored as Avinode spells them.
    let spellings = [text.to_owned(), with_prefix("aquote-", &text.to_ascii_lowercase())];
    for spelling in BTreeSet::from(spellings) {
        if let Ok(quote) = QuoteId::parse(&spelling) {
            let ids = trips::of_quote(tx, quote.as_str()).await?;
            matches.add(MatchedBy::Quote, sessions_of_trips(tx, &ids).await?);
        }
    }
    Ok(())
}

/// The id with these digits, or the text as it is.
fn with_prefix(prefix: &str, text: &str) -> String {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{prefix}{text}"),
        false => text.to_owned(),
    }
}

async fn find_by_name(tx: &mut Transaction<'_>, text: &str, matches: &mut Matches) -> Result<(), SessionError> {
    if text.chars().count() < MIN_NAME {
        return Ok(());
    }
    let quoted = search::trips_of_operators(tx, text).await?;
    matches.add(MatchedBy::Operator, sessions_of_trips(tx, &quoted).await?);
    let agents = search::agents(tx, text, AGENTS).await?;
    matches.add(MatchedBy::Agent, search::of_agents(tx, &agents, SESSIONS.into()).await?);
    Ok(())
}
