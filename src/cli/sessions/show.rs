//! `sessions show`: a session, all of its quotes and its whole timeline.

use serde_json::json;
use uuid::Uuid;

use crate::cli::age::moment_and_age;
use crate::cli::error::CliError;
use crate::cli::operator::sessions::SessionRecord;
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::output::{print, print_json};
use crate::cli::table::{TextTable, moment, or_dash, price};
use crate::domain::chat_session::view::{ChatSession, SessionQuote, TimelineEntry};

#[derive(Debug, clap::Args)]
pub struct ShowSessionArgs {
    /// Id of the session, as in `sessions list`.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub(super) async fn run(args: ShowSessionArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let found = operator.session(args.id).await;
    operator.close().await?;
    let Some(SessionRecord {
        session,
        quotes,
        timeline,
    }) = found?
    else {
        return Err(CliError::plain(format!("there is no session {}", args.id)));
    };
    if args.common.json {
        return print_json(&json!({"session": session, "quotes": quotes, "timeline": timeline}));
    }
    print(session_table(session))?;
    if !quotes.is_empty() {
        print(format_args!("\n{}", quote_table(quotes)))?;
    }
    if !timeline.is_empty() {
        print(format_args!("\n{}", timeline_table(timeline)))?;
    }
    Ok(())
}

fn session_table(session: ChatSession) -> TextTable {
    let id = |id: Option<Uuid>| or_dash(id.map(|id| id.to_string()));
    let primary = match session.primary_quote_pinned {
        true => format!("{} (pinned)", id(session.primary_quote_id)),
        false => id(session.primary_quote_id),
    };
    let properties = [
        ("status", session.status),
        ("step", or_dash(session.current_step)),
        ("agent", session.iso_agent_id.to_string()),
        ("conversation", session.conversation_id.to_string()),
        ("subject", or_dash(session.conversation_subject)),
        ("request", id(session.request_id)),
        ("from", or_dash(session.departure_airport)),
        ("to", or_dash(session.arrival_airport)),
        ("trip", or_dash(session.avinode_trip_id)),
        ("RFP", or_dash(session.avinode_rfp_id)),
        ("RFQ", or_dash(session.avinode_rfq_id)),
        ("primary quote", primary),
        ("operator", or_dash(session.operator_name)),
        (
            "price",
            or_dash(price(session.total_price, session.currency.as_deref())),
        ),
        ("proposal", id(session.proposal_id)),
        ("quotes received", session.quotes_received_count.to_string()),
        ("quotes expected", session.quotes_expected_count.to_string()),
        ("operators contacted", session.operators_contacted_count.to_string()),
        ("messages", session.message_count.to_string()),
        ("started", or_dash(session.session_started_at.map(moment_and_age))),
        ("last activity", or_dash(session.last_activity_at.map(moment_and_age))),
        ("ended", or_dash(session.session_ended_at.map(moment_and_age))),
    ];
    TextTable::properties("session", session.id, properties)
}

fn quote_table(quotes: Vec<SessionQuote>) -> TextTable {
    let headings = [
        "quote",
        "operator",
        "price",
        "aircraft",
        "valid until",
        "counted",
        "remark",
    ];
    TextTable::new(headings)
        .numbers(&[2])
        .texts(&[1, 3, 4, 6])
        .optional(&[3, 5])
        .rows(quotes.into_iter().map(|quote| {
            let declined = quote.declined.then(|| match quote.decline_reason {
                Some(reason) => format!("declined: {reason}"),
                None => "declined".to_owned(),
            });
            let remarks = [quote.is_primary.then(|| "primary".to_owned()), declined];
            let remarks: Vec<String> = remarks.into_iter().flatten().collect();
            [
                or_dash(quote.avinode_quote_id.or(quote.quote_id.map(|id| id.to_string()))),
                or_dash(quote.operator_name),
                or_dash(price(quote.total_price, quote.currency.as_deref())),
                or_dash(quote.aircraft_type),
                or_dash(quote.valid_until.map(moment_and_age)),
                moment(quote.entered_at),
                or_dash(Some(remarks.join(", ")).filter(|remarks| !remarks.is_empty())),
            ]
        }))
}

fn timeline_table(timeline: Vec<TimelineEntry>) -> TextTable {
    let table = TextTable::new(["line", "recorded", "happened", "kind", "by", "detail"]);
    let table = table.numbers(&[0]).texts(&[1, 4, 5]).optional(&[2]);
    table.rows(timeline.into_iter().map(|line| {
        [
            line.seq.to_string(),
            moment_and_age(line.recorded_at),
            or_dash(line.happened_at.map(moment)),
            line.kind,
            or_dash(line.actor),
            line.detail.to_string(),
        ]
    }))
}
