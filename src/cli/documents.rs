//! `documents`: lists and shows fetched documents.

use clap::Subcommand;
use serde_json::json;

use super::age::{age, moment_and_age};
use super::error::CliError;
use super::list_page::{COUNTED_AHEAD, ListPage, RowNames, RowsAhead, page_cursor, print_page};
use super::operator::{Operator, OperatorCommandArgs};
use super::output::{print, write};
use super::table::{TextTable, moment, or_dash};
use crate::admin::stored_body::StoredBody;
use crate::admin::views::DocumentRecord;
use crate::config::value_parsers::integer_in;
use crate::domain::terminal_text::visible_lines;
use crate::http::v1::admin::cursors::DocumentCursor;
use crate::http::v1::admin::document_filter::DocumentFilter;
use crate::http::v1::cursor;

/// Shown instead of a body.
const NO_BODY: &str = "the body is no longer stored, or was too long to be stored";

#[derive(Debug, Subcommand)]
pub enum DocumentsCommand {
    /// List documents, the newest first
    ///
    /// The newest few of each resource are kept, with their bodies for 30 days. A fetch that returns the same data again adds no
    /// document.
    List(ListDocumentsArgs),
    /// Show a document: when it was fetched, and its body
    Show(ShowDocumentArgs),
}

#[derive(Debug, clap::Args)]
pub struct ListDocumentsArgs {
    /// Only documents of this resource, for example arfq-12345678.
    #[arg(long, value_name = "ID")]
    pub resource: Option<String>,

    /// Maximum number of documents (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Only documents stored before this one.
    #[arg(long, value_name = "ID", conflicts_with = "cursor",
          value_parser = integer_in::<i64>(1, i64::MAX.unsigned_abs()))]
    pub before: Option<i64>,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor::<DocumentCursor>)]
    pub cursor: Option<DocumentCursor>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

#[derive(Debug, clap::Args)]
pub struct ShowDocumentArgs {
    /// Id of the document, as in `documents list`.
    #[arg(value_name = "ID", value_parser = integer_in::<i64>(1, i64::MAX.unsigned_abs()))]
    pub id: i64,

    /// Write the exact body to standard output, and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub body: bool,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub async fn run(command: DocumentsCommand) -> Result<(), CliError> {
    match command {
        DocumentsCommand::List(args) => list(args).await,
        DocumentsCommand::Show(args) => show(args).await,
    }
}

async fn list(args: ListDocumentsArgs) -> Result<(), CliError> {
    // Those that follow are only counted.
    let ahead = if args.common.json { 1 } else { COUNTED_AHEAD };
    let filter = DocumentFilter {
        resource: args.resource,
        before: args.before.or(args.cursor.map(|cursor| cursor.0)),
        limit: args.limit + ahead,
    };
    let operator = Operator::open(&args.common.target).await?;
    let documents = operator.documents(&filter).await;
    operator.close().await?;
    let mut data = documents?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let following = data.len().saturating_sub(limit);
    data.truncate(limit);
    let rows = RowsAhead::counted(following, usize::try_from(ahead).unwrap_or(usize::MAX));
    let last = data.last().filter(|_| following > 0);
    let next = last.map(|document| (cursor::encode(&DocumentCursor(document.id)), rows));
    let names = RowNames {
        none: "no documents",
        one: "document",
        many: "documents",
    };
    let headings = ["document", "resource", "kind", "fetched", "age", "times", "bytes"];
    let table = TextTable::new(headings).numbers(&[5, 6]).optional(&[6, 5, 3]);
    print_page(args.common.json, ListPage { data, next }, names, table, |document| {
        [
            document.id.to_string(),
            document.resource,
            document.kind,
            moment(document.fetched_at),
            age(document.fetched_at),
            document.times.to_string(),
            or_dash(document.bytes.map(|bytes| bytes.to_string())),
        ]
    })
}

async fn show(args: ShowDocumentArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let found = operator.document(args.id).await;
    operator.close().await?;
    let Some(DocumentRecord { document, body }) = found? else {
        return Err(CliError::plain(format!("there is no document {}", args.id)));
    };
    if args.body {
        let body = body.ok_or_else(|| CliError::plain(NO_BODY))?;
        return write(&body.bytes());
    }
    let bytes = body.as_ref().map(StoredBody::bytes);
    let text = bytes.as_deref().map(String::from_utf8_lossy);
    if args.common.json {
        return print(json!({"document": document, "body": text}));
    }
    let properties = [
        ("resource", format!("{}/{}", document.kind, document.resource)),
        ("fetched", moment_and_age(document.fetched_at)),
        ("fetched with the same data", document.times.to_string()),
        ("sha-256 of the data", document.sha256),
    ];
    print(TextTable::properties("document", document.id, properties))?;
    // The body may contain terminal control sequences.
    print(format_args!(
        "\n{}",
        text.map_or_else(|| NO_BODY.to_owned(), |text| { visible_lines(&text) })
    ))
}
