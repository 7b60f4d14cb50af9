//! `audit list`: who did what.

use clap::Subcommand;

use super::age::age;
use super::error::CliError;
use super::list_page::{ListPage, RowNames, page_cursor, print_page};
use super::operator::{Operator, OperatorCommandArgs};
use super::table::{TextTable, moment};
use crate::clock::Clock;
use crate::config::time_ago::{self, TimeAgo};
use crate::config::value_parsers::{integer_in, one_of};
use crate::http::v1::admin::cursors::AuditCursor;
use crate::store::audit::{AuditAction, AuditEntry, AuditFilter};

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
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor::<AuditCursor>)]
    pub cursor: Option<AuditCursor>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub async fn run(command: AuditCommand) -> Result<(), CliError> {
    let AuditCommand::List(args) = command;
    let now = Clock::System.now();
    let filter = AuditFilter {
        actor: args.actor,
        action: args.action,
        since: args.since.map(|since| since.moment(now)),
        before: args.cursor.map(|cursor| cursor.0),
        limit: args.limit,
    };
    let operator = Operator::open(&args.common.target).await?;
    let page = operator.audit_entries(&filter).await;
    operator.close().await?;
    let page = ListPage::of(page?, async |_| None).await;
    let headings = ["at", "age", "actor", "action", "state", "counts", "details"];
    let table = TextTable::new(headings).states(&[4]).texts(&[5, 6]);
    let names = RowNames {
        none: "no rows",
        one: "row",
        many: "rows",
    };
    print_page(args.common.json, page, names, table, cells)
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
