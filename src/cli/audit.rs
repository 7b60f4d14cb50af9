//! `audit list`: who did what.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

use super::age::age;
use super::database::{CommandDatabase, DatabaseCommandArgs};
use super::error::{CliError, Context};
use super::list_page::{ListPage, RowNames, RowsAhead, print_page};
use super::table::{TextTable, moment};
use crate::clock::Clock;
use crate::config::time_ago::{self, TimeAgo};
use crate::config::value_parsers::{integer_in, one_of};
use crate::http::v1::cursor::{self, CursorKey};
use crate::store::audit::{self, AuditAction, AuditEntry, AuditFilter};

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List what admins and callers of the API did, the newest first
    ///
    /// All filters combine. If there are more than --limit, the last line has the --cursor of the next page.
    List(ListAuditArgs),
}

#[derive(Debug, clap::Args)]
pub struct ListAuditArgs {
    /// Only of this actor: cli:USER@HOST, token:NAME or user:NAME.
    #[arg(long, value_name = "ACTOR")]
    pub actor: Option<String>,

    /// Only this action, such as purge, retry_jobs or complete_session.
    #[arg(long, value_name = "ACTION", value_parser = one_of::<AuditAction>)]
    pub action: Option<AuditAction>,

    /// Only since this time: a duration before now (30m, 48h, 7d) or a time (2026-01-31T10:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = time_ago::since)]
    pub since: Option<TimeAgo>,

    /// Maximum number of rows (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor)]
    pub cursor: Option<AuditCursor>,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

/// The page begins before this row.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditCursor(pub i64);

impl CursorKey for AuditCursor {
    const LIST: &'static str = "audit";
}

pub async fn run(command: AuditCommand) -> Result<(), CliError> {
    let AuditCommand::List(args) = command;
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let now = Clock::System.now();
    let filter = AuditFilter {
        actor: args.actor,
        action: args.action,
        since: args.since.map(|since| since.moment(now)),
        before: args.cursor.map(|cursor| cursor.0),
        limit: args.limit + 1,
    };
    let rows = audit::list(&database.pool, &filter).await;
    database.close().await?;
    let mut rows = rows.context("list the audit log")?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| has_more)
        .map(|last| cursor::encode(&AuditCursor(last.id)));
    let headings = ["at", "age", "actor", "action", "state", "counts", "details"];
    let table = TextTable::new(headings).states(&[4]).texts(&[5, 6]);
    let names = RowNames {
        none: "no rows",
        one: "row",
        many: "rows",
    };
    let next = next.map(|cursor| (cursor, RowsAhead::Unknown));
    print_page(args.common.json, ListPage { data: rows, next }, names, table, cells)
}

fn cells(row: AuditEntry) -> [String; 7] {
    let suffix = if row.dry_run { " (dry run)" } else { "" };
    [
        moment(row.at),
        age(row.at),
        row.actor,
        format!("{}{suffix}", row.action),
        row.state,
        row.counts.to_string(),
        row.details.to_string(),
    ]
}

fn page_cursor(text: &str) -> Result<AuditCursor, String> {
    cursor::decode(text).ok_or_else(|| "is not a cursor of this list".to_owned())
}
