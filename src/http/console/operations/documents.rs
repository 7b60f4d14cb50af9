//! The list of fetched documents, and a document with its body.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::body::body;
use super::filter_form::{Field, filter_form, next_page};
use super::frame;
use super::params::Params;
use super::text::{count, moment};
use crate::admin::views::DocumentRecord;
use crate::domain::chat_session::page::Page;
use crate::domain::terminal_text::visible_lines;
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::state::ConsoleState;
use crate::http::v1::admin::cursors::DocumentCursor;
use crate::http::v1::admin::document_filter::DocumentListParams;
use crate::http::v1::admin::ids::DocumentId;
use crate::http::v1::admin::problem::AdminProblem;
use crate::http::v1::cursor;
use crate::http::v1::problem::ApiProblem;
use crate::store::admin::documents::DocumentView;

const PATH: &str = "/console/operations/documents";

pub async fn list(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let params = Params::read(&query.unwrap_or_default());
    let filter = params.parse::<DocumentListParams>()?.parse()?;
    // One more shows that there is another page.
    let rows = console
        .api
        .admin
        .documents(filter.resource.as_deref(), filter.before, filter.limit + 1)
        .await?;
    let limit = u16::try_from(filter.limit).unwrap_or(u16::MAX);
    let page = Page::from_rows(rows, limit, |document| DocumentCursor(document.id));
    let cursor = page.next.map(|key| cursor::encode(&key));
    let content = html! {
        (filter_form(PATH, &[Field::text("resource", "Resource")], &params))
        (table(&page.data, console.clock.now()))
        (next_page(PATH, &params, cursor.as_deref()))
    };
    Ok(frame::page(&visitor, PATH, "Documents", &content))
}

pub async fn show(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    id: Result<DocumentId, ApiProblem>,
) -> Result<Response, ConsoleError> {
    let DocumentId(id) = id?;
    let record = console.api.admin.document(id).await?;
    let content = page(&record.ok_or(AdminProblem::DocumentNotFound)?, console.clock.now());
    Ok(frame::page(&visitor, PATH, &format!("Document {id}"), &content))
}

fn table(documents: &[DocumentView], now: DateTime<Utc>) -> Markup {
    html! {
        @if documents.is_empty() {
            p { "No documents." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Fetched documents" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Document" } th scope="col" { "Resource" } th scope="col" { "Fetched" }
                            th.number scope="col" { "Times" } th.number scope="col" { "Bytes" }
                        }
                    }
                    tbody {
                        @for document in documents {
                            tr {
                                th scope="row" {
                                    a href=(format!("{PATH}/{}", document.id)) { (document.id) }
                                }
                                td { (document.kind) "/" (visible_lines(&document.resource)) }
                                td { (moment(document.fetched_at, now)) }
                                td.number { (document.times) }
                                td.number { @match document.bytes { Some(bytes) => (count(bytes.into())), None => "not stored" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn page(record: &DocumentRecord, now: DateTime<Utc>) -> Markup {
    let document = &record.document;
    html! {
        dl.facts {
            dt { "Resource" } dd { (document.kind) "/" (visible_lines(&document.resource)) }
            dt { "Fetched" } dd { (moment(document.fetched_at, now)) ", " (document.times) " times with this content" }
            dt { "SHA-256 of its data" } dd { code { (document.sha256) } }
        }
        h2 { "Body" }
        @match &record.body {
            Some(stored) => (body(stored)),
            None => p { "The body is not stored: it is past its retention, or was too long." },
        }
    }
}
