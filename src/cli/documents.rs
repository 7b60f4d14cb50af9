//! `documents`: what was fetched from Avinode, as it was returned. Nothing of what was sent for it is kept: no credentials.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::{print, write};
use super::table::{TextTable, moment, or_dash, visible_lines};
use crate::config::database::DatabaseArgs;
use crate::config::value_parsers::whole;
use crate::store::admin::documents::{self, DocumentFilter};

/// What can be done with documents.
#[derive(Debug, Subcommand)]
pub enum DocumentsCommand {
    /// List documents, the last kept first
    ///
    /// The newest few of each resource are kept, their bodies for 30 days. What says the same again is the same document.
    List(ListDocumentsArgs),
    /// Show one document: when it was fetched, and its body
    Show(ShowDocumentArgs),
}

/// What `documents list` takes.
#[derive(Debug, clap::Args)]
pub struct ListDocumentsArgs {
    /// Only documents of this resource, for example arfq-12345678.
    #[arg(long, value_name = "ID")]
    pub resource: Option<String>,

    /// The most documents to list (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = whole::<i64>(1, 10_000))]
    pub limit: i64,

    /// Only documents kept before this one, to turn the page.
    #[arg(long, value_name = "ID", value_parser = whole::<i64>(1, i64::MAX.unsigned_abs()))]
    pub before: Option<i64>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `documents show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowDocumentArgs {
    /// The document, by the id that `documents list` prints.
    #[arg(value_name = "ID", value_parser = whole::<i64>(1, i64::MAX.unsigned_abs()))]
    pub id: i64,

    /// Write only the body, byte for byte, to standard output.
    #[arg(long, conflicts_with = "json")]
    pub body: bool,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Does it.
pub async fn run(action: DocumentsCommand) -> Result<ExitCode, CliError> {
    match action {
        DocumentsCommand::List(args) => list(args).await?,
        DocumentsCommand::Show(args) => show(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: ListDocumentsArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let filter = DocumentFilter {
        resource: args.resource,
        before: args.before,
        limit: args.limit,
    };
    let documents = documents::documents(&database.pool, &filter).await;
    database.close().await?;
    let documents = documents.context("list the documents")?;
    if args.json {
        return print(serde_json::to_string_pretty(&documents).context("write the documents as JSON")?);
    }
    if documents.is_empty() {
        return print("no documents");
    }
    let mut report = TextTable::new(["document", "resource", "kind", "fetched", "times", "bytes"]).numbers(&[4, 5]);
    for document in documents {
        report.row([
            document.id.to_string(),
            document.resource,
            document.kind,
            moment(document.fetched_at),
            document.times.to_string(),
            or_dash(document.bytes.map(|bytes| bytes.to_string())),
        ]);
    }
    print(report)
}

async fn show(args: ShowDocumentArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let found = documents::document(&database.pool, args.id).await;
    database.close().await?;
    let Some((document, body)) = found.context("read the document")? else {
        return Err(CliError::plain(format!("there is no document {}", args.id)));
    };
    if args.body {
        let body = body.ok_or_else(|| CliError::plain("its body is not kept any more, or was too long to be"))?;
        return write(&body);
    }
    let text = body.as_deref().map(String::from_utf8_lossy);
    if args.json {
        return print(json!({"document": document, "body": text}));
    }
    let mut report = TextTable::new(["document", &document.id.to_string()]);
    report.row(["resource", &format!("{}/{}", document.kind, document.resource)]);
    report.row(["fetched", &moment(document.fetched_at)]);
    report.row(["times in a row", &document.times.to_string()]);
    report.row(["sha-256 of its data", &document.sha256]);
    print(report)?;
    // The body is a stranger's: nothing in it may steer the terminal.
    print(format_args!(
        "\n{}",
        text.map_or_else(
            || "its body is not kept any more, or was too long to be".to_owned(),
            |text| { visible_lines(&text) }
        )
    ))
}
