//! Tables for people: columns under headings with a rule between, as plain text that `grep` and `awk` can process.
//!
//! No colours, so that a pipe gets the same as a terminal. Scripts use `--json`.

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{CellAlignment, ColumnConstraint, LineStyle, Table, TableStyle, Width};

use crate::domain::terminal_text::is_unsafe;

/// Longer text is wrapped within its cell.
const MAX_COLUMN_WIDTH: u16 = 48;

pub struct TextTable(Table);

impl TextTable {
    pub fn new<const COLUMNS: usize>(headings: [&str; COLUMNS]) -> Self {
        let mut table = Table::new();
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-')));
        table.set_header(headings);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(MAX_COLUMN_WIDTH)));
        }
        Self(table)
    }

    /// Aligns these columns, counted from 0, to the right.
    #[must_use]
    pub fn numbers(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some(column) = self.0.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// Two columns: the name and the value of each property of one thing.
    pub fn properties(
        what: &str,
        id: impl std::fmt::Display,
        others: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        let others = others.into_iter().map(|(name, value)| [name.to_owned(), value]);
        Self::new([what, &id.to_string()]).rows(others)
    }

    #[must_use]
    pub fn rows<const COLUMNS: usize>(mut self, rows: impl IntoIterator<Item = [String; COLUMNS]>) -> Self {
        for row in rows {
            self.row(row);
        }
        self
    }

    /// Adds a row. Control characters in its cells are escaped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.0.add_row(cells.into_iter().map(|cell| visible(&cell.into())));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for TextTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.lines().map(|line| line.trim_end().to_owned()).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// A dash stands for a missing value.
pub fn or_dash(value: Option<impl Into<String>>) -> String {
    value.map_or_else(|| "–".to_owned(), Into::into)
}

/// `1 job`, `2 jobs`.
pub fn counted<N: Copy + PartialEq + From<u8> + std::fmt::Display>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

/// A moment for people: UTC, to the second.
pub fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Escapes characters that control a terminal or change the direction of its text: text from outside must do neither.
pub fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if is_unsafe(c) {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

/// As [`visible`], except for line ends.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
