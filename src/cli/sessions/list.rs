//! `sessions list`: the filters of `GET /v1/sessions` as flags, validated by the same functions.

use uuid::Uuid;

use crate::cli::age::age;
use crate::cli::error::CliError;
use crate::cli::list_page::{ListPage, RowNames, RowsAhead, page_cursor, print_page};
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::table::{TextTable, moment, or_dash, price};
use crate::config::value_parsers::{boolean, integer_in};
use crate::domain::chat_session::page::{MAX_LIMIT, PageRequest, SessionCursor, SessionFilter};
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::domain::ids::TripId;
use crate::http::v1::cursor;
use crate::sessions::error::SessionError;
use crate::sessions::validate;

#[derive(Debug, clap::Args)]
pub struct ListSessionsArgs {
    /// Only sessions of this Avinode trip: its resource id or short id, in any spelling.
    #[arg(long, value_name = "ID", value_parser = trip)]
    pub trip: Option<TripId>,

    /// Only sessions with this Avinode RFP id.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub rfp: Option<String>,

    /// Only sessions with this Avinode RFQ id, in any spelling.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub rfq: Option<String>,

    /// Only sessions of this row of `requests`.
    #[arg(long, value_name = "UUID", value_parser = uuid)]
    pub request: Option<Uuid>,

    /// Only sessions of this conversation.
    #[arg(long, value_name = "UUID", value_parser = uuid)]
    pub conversation: Option<Uuid>,

    /// Only sessions of this agent.
    #[arg(long, value_name = "UUID", value_parser = uuid)]
    pub agent: Option<Uuid>,

    /// Only sessions with this status: active, paused, completed or archived.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub status: Option<SessionStatus>,

    /// Only sessions at this step.
    #[arg(long, value_name = "STEP", value_parser = step)]
    pub step: Option<String>,

    /// Only sessions with a primary quote (true), or without one (false).
    #[arg(long, value_name = "BOOL", value_parser = boolean)]
    pub has_primary_quote: Option<bool>,

    /// Maximum number of sessions (1 to 200).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<u16>(1, 200))]
    pub limit: u16,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor::<SessionCursor>)]
    pub cursor: Option<SessionCursor>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub(super) async fn run(args: ListSessionsArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let filter = SessionFilter {
        conversation_id: args.conversation,
        request_id: args.request,
        iso_agent_id: args.agent,
        trip_id: args.trip,
        rfp_id: args.rfp,
        rfq_id: args.rfq,
        status: args.status,
        has_primary_quote: args.has_primary_quote,
        current_step: args.step,
    };
    let page = PageRequest {
        after: args.cursor,
        limit: args.limit,
    };
    let mut listed = operator.sessions(&filter, &page).await?;
    let next_cursor = listed.next.as_ref().map(cursor::encode);
    let following = PageRequest {
        after: listed.next.take(),
        limit: MAX_LIMIT,
    };
    let ahead = match &next_cursor {
        Some(_) if !args.common.json => operator.sessions(&filter, &following).await.ok(),
        _ => None,
    };
    operator.close().await?;
    let ahead = ahead.map_or(RowsAhead::Unknown, |page| match page.next {
        Some(_) => RowsAhead::AtLeast(page.data.len()),
        None => RowsAhead::Counted(page.data.len()),
    });
    let headings = [
        "session",
        "status",
        "step",
        "trip",
        "quotes",
        "primary quote",
        "last activity",
        "age",
    ];
    let table = TextTable::new(headings)
        .numbers(&[4])
        .states(&[1])
        .texts(&[5])
        .optional(&[6, 2, 3, 7]);
    let names = RowNames {
        none: "no sessions",
        one: "session",
        many: "sessions",
    };
    let page = ListPage {
        data: listed.data,
        next: next_cursor.map(|cursor| (cursor, ahead)),
    };
    print_page(args.common.json, page, names, table, cells)
}

fn cells(session: ChatSession) -> [String; 8] {
    let primary_quote = session.primary_quote_id.map(|_| {
        let price = price(session.total_price, session.currency.as_deref());
        format!("{}, {}", or_dash(session.operator_name), or_dash(price))
    });
    [
        session.id.to_string(),
        session.status,
        or_dash(session.current_step),
        or_dash(session.avinode_trip_id),
        format!("{}/{}", session.quotes_received_count, session.quotes_expected_count),
        or_dash(primary_quote),
        or_dash(session.last_activity_at.map(moment)),
        or_dash(session.last_activity_at.map(age)),
    ]
}

fn trip(text: &str) -> Result<TripId, String> {
    TripId::parse(text).map_err(|error| format!("is not a trip id: {error}"))
}

fn id(text: &str) -> Result<String, String> {
    validate::id("id", text).map_err(reason)
}

fn step(text: &str) -> Result<String, String> {
    validate::step(text).map_err(reason)
}

/// Completes the sentence `--flag: "value" …`.
fn reason(error: SessionError) -> String {
    match error {
        SessionError::InvalidField { error, .. } => error,
        error => error.to_string(),
    }
}

fn uuid(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "is not a UUID".to_owned())
}

fn status(word: &str) -> Result<SessionStatus, String> {
    word.parse()
        .map_err(|_| "is not one of: active, paused, completed, archived".to_owned())
}
