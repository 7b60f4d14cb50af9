//! `sessions show`: a session, all of its quotes and its whole timeline.

use std::process::ExitCode;

use serde_json::json;
use uuid::Uuid;

use super::{failed_on, service};
use crate::cli::database::CommandDatabase;
use crate::cli::error::{CliError, Context};
use crate::cli::output::print;
use crate::cli::table::{TextTable, moment, or_dash};
use crate::config::database::DatabaseArgs;
use crate::domain::chat_session::page::{MAX_LIMIT, Page, PageRequest};
use crate::domain::chat_session::view::{ChatSession, SessionQuote, TimelineEntry};
use crate::sessions::error::SessionError;

#[derive(Debug, clap::Args)]
pub struct ShowSessionArgs {
    /// Id of the session, as in `sessions list`.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub(super) async fn run(args: ShowSessionArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let sessions = &service(&database);
    let failed = |error| failed_on(args.id, "read the session", error);
    let session = sessions.get(args.id).await.map_err(failed)?;
    let quotes = every_page(async |page| sessions.quotes(args.id, &page).await);
    let quotes = quotes.await.map_err(failed)?;
    let timeline = every_page(async |page| sessions.timeline(args.id, &page).await);
    let timeline = timeline.await.map_err(failed)?;
    database.close().await?;
    if args.json {
        let whole = json!({"session": session, "quotes": quotes, "timeline": timeline});
        print(serde_json::to_string_pretty(&whole).context("write the session as JSON")?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(session_table(session))?;
    if !quotes.is_empty() {
        print(format_args!("\n{}", quote_table(quotes)))?;
    }
    if !timeline.is_empty() {
        print(format_args!("\n{}", timeline_table(timeline)))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn every_page<T, P>(
    mut read: impl AsyncFnMut(PageRequest<P>) -> Result<Page<T, P>, SessionError>,
) -> Result<Vec<T>, SessionError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = PageRequest {
            after,
            limit: MAX_LIMIT,
        };
        let listed = read(page).await?;
        found.extend(listed.data);
        if listed.next.is_none() {
            return Ok(found);
        }
        after = listed.next;
    }
}

fn session_table(session: ChatSession) -> TextTable {
    let id = |id: Option<Uuid>| or_dash(id.map(|id| id.to_string()));
    let primary = match session.primary_quote_pinned {
        true => format!("{} (pinned)", id(session.primary_quote_id)),
        false => id(session.primary_quote_id),
    };
    let mut table = TextTable::new(["session", &session.id.to_string()]);
    table.row(["status", &session.status]);
    table.row(["step", &or_dash(session.current_step)]);
    table.row(["agent", &session.iso_agent_id.to_string()]);
    table.row(["conversation", &session.conversation_id.to_string()]);
    table.row(["subject", &or_dash(session.conversation_subject)]);
    table.row(["request", &id(session.request_id)]);
    table.row(["from", &or_dash(session.departure_airport)]);
    table.row(["to", &or_dash(session.arrival_airport)]);
    table.row(["trip", &or_dash(session.avinode_trip_id)]);
    table.row(["RFP", &or_dash(session.avinode_rfp_id)]);
    table.row(["RFQ", &or_dash(session.avinode_rfq_id)]);
    table.row(["primary quote", &primary]);
    table.row(["operator", &or_dash(session.operator_name)]);
    table.row(["price", &or_dash(session.total_price.map(|price| price.to_string()))]);
    table.row(["proposal", &id(session.proposal_id)]);
    table.row(["quotes received", &session.quotes_received_count.to_string()]);
    table.row(["quotes expected", &session.quotes_expected_count.to_string()]);
    table.row(["operators contacted", &session.operators_contacted_count.to_string()]);
    table.row(["messages", &session.message_count.to_string()]);
    table.row(["started", &or_dash(session.session_started_at.map(moment))]);
    table.row(["last activity", &or_dash(session.last_activity_at.map(moment))]);
    table.row(["ended", &or_dash(session.session_ended_at.map(moment))]);
    table
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
    let mut table = TextTable::new(headings).numbers(&[2]);
    for quote in quotes {
        let price = [quote.total_price.map(|price| price.to_string()), quote.currency];
        let price: Vec<String> = price.into_iter().flatten().collect();
        let declined = quote.declined.then(|| match quote.decline_reason {
            Some(reason) => format!("declined: {reason}"),
            None => "declined".to_owned(),
        });
        let remarks = [quote.is_primary.then(|| "primary".to_owned()), declined];
        let remarks: Vec<String> = remarks.into_iter().flatten().collect();
        table.row([
            or_dash(quote.avinode_quote_id.or(quote.quote_id.map(|id| id.to_string()))),
            or_dash(quote.operator_name),
            or_dash(Some(price.join(" ")).filter(|price| !price.is_empty())),
            or_dash(quote.aircraft_type),
            or_dash(quote.valid_until.map(moment)),
            moment(quote.entered_at),
            or_dash(Some(remarks.join(", ")).filter(|remarks| !remarks.is_empty())),
        ]);
    }
    table
}

fn timeline_table(timeline: Vec<TimelineEntry>) -> TextTable {
    let mut table = TextTable::new(["line", "recorded", "happened", "kind", "detail"]).numbers(&[0]);
    for line in timeline {
        table.row([
            line.seq.to_string(),
            moment(line.recorded_at),
            or_dash(line.happened_at.map(moment)),
            line.kind,
            line.detail.to_string(),
        ]);
    }
    table
}
