//! Handlers of the pages of batches, and of the forms that begin them.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::actions::acting;
use super::batches::{self, PATH};
use super::filter_form::next_page;
use super::params::Params;
use super::{batch_forms, frame};
use crate::admin::batches::{DEFAULT_LIMIT, NewBatch};
use crate::domain::chat_session::page::Page;
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::form::AdminForm;
use crate::http::console::state::ConsoleState;
use crate::http::v1::admin::batches::BatchListParams;
use crate::http::v1::admin::cursors::BatchCursor;
use crate::http::v1::admin::ids::BatchId;
use crate::http::v1::cursor;
use crate::http::v1::problem::ApiProblem;

pub async fn list(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let params = Params::read(&query.unwrap_or_default());
    let filter = params.parse::<BatchListParams>()?.parse()?;
    let rows = console.api.admin.batches(&filter).await?;
    let limit = u16::try_from(filter.limit).unwrap_or(u16::MAX);
    let page = Page::from_rows(rows, limit, |batch| BatchCursor(batch.id));
    let cursor = page.next.map(|key| cursor::encode(&key));
    let content = html! {
        (batches::list(&page.data, console.clock.now()))
        (next_page(PATH, &params, cursor.as_deref()))
    };
    Ok(frame::page(&visitor, PATH, "Batches", &content))
}

/// Begins the dry run of an action.
pub async fn begin(State(console): State<ConsoleState>, form: AdminForm) -> Result<Response, ConsoleError> {
    let fields: Params = form.fields.others().collect();
    let batch = NewBatch {
        work: batch_forms::work(&fields)?,
        dry_run: true,
        limit: DEFAULT_LIMIT,
        acting: acting(&form.visitor, &form.fields)?,
    };
    let batch = console.api.admin.begin_batch(&batch).await?;
    // The record keeps only the digest of a text, which the action itself needs.
    let text: Params = fields
        .get("text")
        .map(|text| ("text".to_owned(), text.to_owned()))
        .into_iter()
        .collect();
    let query = if text.is_empty() {
        String::new()
    } else {
        format!("?{}", text.encoded())
    };
    Ok(Redirect::to(&format!("{}{query}", batches::path_of(&batch))).into_response())
}

pub async fn show(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    id: Result<BatchId, ApiProblem>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let BatchId(id) = id?;
    let batch = console.api.admin.batch(id).await?;
    let query = query.unwrap_or_default();
    let text = Params::read(&query);
    let next = batch_forms::of_dry_run(&visitor, &batch, text.get("text"));
    let content = batches::page(&batch, &query, next.as_ref(), console.clock.now());
    Ok(frame::page(&visitor, PATH, &batches::title(&batch), &content))
}

/// Begins the action that a dry run counted.
pub async fn confirm(
    id: Result<BatchId, ApiProblem>,
    State(console): State<ConsoleState>,
    form: AdminForm,
) -> Result<Response, ConsoleError> {
    let BatchId(id) = id?;
    let fields: Params = form.fields.others().collect();
    let acting = acting(&form.visitor, &form.fields)?;
    let batch = console.api.admin.begin_counted(id, fields.get("text"), acting).await?;
    Ok(Redirect::to(&batches::path_of(&batch)).into_response())
}
