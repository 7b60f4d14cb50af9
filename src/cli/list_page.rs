//! A page of a list. All lists print the same JSON, that of the HTTP API: `data`, and `next_cursor`, which is null on the last page.
//! For people they end with a count, and with the number of rows that follow.

use serde::Serialize;

use super::error::CliError;
use super::output::{print, print_json};
use super::table::{TextTable, counted};
use super::wrap::width_of;
use crate::config::terminal::stdout_terminal;
use crate::http::v1::cursor::{self, CursorKey};
use crate::http::v1::response::ListResponse;

/// Rows after a page that are counted at most.
pub const COUNTED_AHEAD: i64 = 1000;

/// The rows after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsAhead {
    Counted(usize),
    AtLeast(usize),
    /// Counting them would take too long.
    Unknown,
}

impl RowsAhead {
    /// `most`: where counting stopped.
    pub fn counted(rows: usize, most: usize) -> Self {
        if rows < most {
            Self::Counted(rows)
        } else {
            Self::AtLeast(rows)
        }
    }
}

#[derive(Debug)]
pub struct ListPage<T> {
    pub data: Vec<T>,
    /// The cursor of the next page, and the rows there.
    pub next: Option<(String, RowsAhead)>,
}

impl<T> ListPage<T> {
    /// `count` returns the number of rows from a cursor on, at most [`COUNTED_AHEAD`], or `None` if counting would take too long.
    pub async fn of(page: ListResponse<T>, count: impl AsyncFnOnce(&str) -> Option<usize>) -> Self {
        let next = match page.next_cursor {
            Some(cursor) => {
                let most = usize::try_from(COUNTED_AHEAD).unwrap_or(usize::MAX);
                let rows = count(&cursor).await;
                let rows = rows.map_or(RowsAhead::Unknown, |rows| RowsAhead::counted(rows, most));
                Some((cursor, rows))
            }
            None => None,
        };
        Self { data: page.data, next }
    }
}

/// Parses the cursor of a list.
pub fn page_cursor<K: CursorKey>(text: &str) -> Result<K, String> {
    cursor::decode(text).ok_or_else(|| "is not a cursor of this list".to_owned())
}

/// The words for the rows of a list.
#[derive(Debug, Clone, Copy)]
pub struct RowNames {
    /// The line for an empty list.
    pub none: &'static str,
    pub one: &'static str,
    pub many: &'static str,
}

/// Prints a page as JSON, or as a table with a count.
pub fn print_page<T: Serialize, const COLUMNS: usize>(
    json: bool,
    page: ListPage<T>,
    names: RowNames,
    table: TextTable,
    cells: impl Fn(T) -> [String; COLUMNS],
) -> Result<(), CliError> {
    let ListPage { data, next } = page;
    if json {
        let next_cursor = next.map(|(cursor, _)| cursor);
        return print_json(&ListResponse { data, next_cursor });
    }
    if data.is_empty() && next.is_none() {
        return print(names.none);
    }
    let shown = data.len();
    if shown > 0 {
        print(table.rows(data.into_iter().map(cells)))?;
    }
    print(format_args!("\n{}", end(shown, next, names, stdout_terminal().width)))
}

/// A cursor is never broken: where it has no room, it has a line of its own.
fn end(shown: usize, next: Option<(String, RowsAhead)>, names: RowNames, width: Option<usize>) -> String {
    let Some((cursor, ahead)) = next else {
        return counted(shown, names.one, names.many);
    };
    let ahead = match ahead {
        RowsAhead::Counted(rows) => format!("{rows} more"),
        RowsAhead::AtLeast(rows) => format!("{rows} or more follow"),
        RowsAhead::Unknown => "there may be more".to_owned(),
    };
    let (text, cursor) = (format!("{shown} shown, {ahead}:"), format!("--cursor {cursor}"));
    let has_room = width.is_none_or(|width| width_of(&text) + 1 + width_of(&cursor) <= width);
    format!("{text}{}{cursor}", if has_room { ' ' } else { '\n' })
}

#[cfg(test)]
mod tests;
