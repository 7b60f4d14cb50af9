//! Tables for people: columns under headings with a rule between.
//!
//! On a terminal they fit its width: text is broken, less important columns are left out, and where that is not enough each row becomes
//! a block of lines. A pipe gets one line per row, for `grep` and `awk`. Scripts use `--json`.

pub mod layout;

use rust_decimal::Decimal;

use self::layout::{ColumnWidth, GAP, TableLayout, layout};
use super::colour;
use super::wrap::{fit, pad, width_of, wrap};
use crate::config::terminal::stdout_terminal;
pub use crate::domain::age::moment;
use crate::domain::terminal_text::visible;

/// A value in a card that has less room begins in the line of its name.
const LEAST_CARD_VALUE: usize = 24;
/// Properties whose values are state words.
const STATE_PROPERTIES: [&str; 2] = ["state", "status"];

#[derive(Debug)]
pub struct TextTable {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    numbers: Vec<usize>,
    texts: Vec<usize>,
    states: Vec<usize>,
    optional: Vec<usize>,
}

impl TextTable {
    pub fn new<const COLUMNS: usize>(headings: [&str; COLUMNS]) -> Self {
        Self {
            headings: headings.into_iter().map(visible).collect(),
            rows: Vec::new(),
            numbers: Vec::new(),
            texts: Vec::new(),
            states: Vec::new(),
            optional: Vec::new(),
        }
    }

    /// Aligns these columns, counted from 0, to the right.
    #[must_use]
    pub fn numbers(mut self, columns: &[usize]) -> Self {
        self.numbers = columns.to_vec();
        self
    }

    /// The cells of these columns may be broken between words.
    #[must_use]
    pub fn texts(mut self, columns: &[usize]) -> Self {
        self.texts = columns.to_vec();
        self
    }

    /// The cells of these columns are state words, which have colours.
    #[must_use]
    pub fn states(mut self, columns: &[usize]) -> Self {
        self.states = columns.to_vec();
        self
    }

    /// A narrow terminal does without these columns, the first of them first.
    #[must_use]
    pub fn optional(mut self, columns: &[usize]) -> Self {
        self.optional = columns.to_vec();
        self
    }

    /// Two columns: the name and the value of each property of one thing.
    pub fn properties(
        what: &str,
        id: impl std::fmt::Display,
        others: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        let others = others.into_iter().map(|(name, value)| [name.to_owned(), value]);
        Self::new([what, &id.to_string()]).texts(&[1]).rows(others)
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
        self.rows
            .push(cells.into_iter().map(|cell| visible(&cell.into())).collect());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines for a width; `None` for a pipe.
    pub fn render(&self, width: Option<usize>, has_colour: bool) -> String {
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let columns = self.headings.iter().enumerate().map(|(column, heading)| ColumnWidth {
            natural: cells(column)
                .chain([heading])
                .map(|cell| width_of(cell))
                .max()
                .unwrap_or(0),
            is_text: self.texts.contains(&column),
        });
        let columns: Vec<ColumnWidth> = columns.collect();
        match (layout(&columns, &self.optional, width), width) {
            (TableLayout::Columns(shown), _) => self.table(&shown, width, has_colour),
            (TableLayout::Cards, Some(width)) => self.cards(width, has_colour),
            (TableLayout::Cards, None) => String::new(), // without a width every table fits
        }
    }

    fn table(&self, shown: &[(usize, usize)], width: Option<usize>, has_colour: bool) -> String {
        let total: usize = shown.iter().map(|(_, width)| width).sum();
        let rule = "-".repeat(total + GAP * shown.len().saturating_sub(1));
        let mut lines = self.row_lines(&self.headings, shown, false);
        lines.push(rule);
        for row in &self.rows {
            lines.extend(self.row_lines(row, shown, has_colour));
        }
        let is_shown = |column: usize| shown.iter().any(|(other, _)| *other == column);
        let left_out = (0..self.headings.len()).filter(|column| !is_shown(*column));
        let left_out: Vec<&str> = left_out.map(|column| self.headings[column].as_str()).collect();
        if !left_out.is_empty() && !self.rows.is_empty() {
            let note = format!("not shown at this width: {}", left_out.join(", "));
            lines.extend([String::new(), fit(&note, width, 0)]);
        }
        lines.join("\n")
    }

    /// The lines of one row. Only a whole word has a colour.
    fn row_lines(&self, row: &[String], shown: &[(usize, usize)], has_colour: bool) -> Vec<String> {
        let cell = |column: usize| row.get(column).map_or("", String::as_str);
        let broken: Vec<Vec<String>> = shown
            .iter()
            .map(|(column, width)| match width_of(cell(*column)) > *width {
                true => wrap(cell(*column), *width),
                false => vec![cell(*column).to_owned()],
            })
            .collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0);
        let line = |number: usize| {
            let parts = shown.iter().zip(&broken).map(|((column, width), lines)| {
                let text = lines.get(number).map_or("", String::as_str);
                let space = width.saturating_sub(width_of(text));
                let coloured = colour::state(text, has_colour && self.is_state(row, *column));
                match self.numbers.contains(column) {
                    true => format!("{}{coloured}", " ".repeat(space)),
                    false => format!("{coloured}{}", " ".repeat(space)),
                }
            });
            let parts: Vec<String> = parts.collect();
            parts.join(&" ".repeat(GAP)).trim_end().to_owned()
        };
        (0..height).map(line).collect()
    }

    fn is_state(&self, row: &[String], column: usize) -> bool {
        let is_property = self.headings.len() == 2 && column == 1;
        let name = row.first().map_or("", String::as_str);
        self.states.contains(&column) || is_property && STATE_PROPERTIES.contains(&name)
    }

    /// One block of lines for each row: the headings and the values.
    fn cards(&self, width: usize, has_colour: bool) -> String {
        let names = self.headings.iter().map(|heading| width_of(heading)).max().unwrap_or(0);
        let room = width.saturating_sub(names + GAP);
        let mut lines = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            lines.extend((number > 0).then(String::new));
            for (column, (heading, cell)) in self.headings.iter().zip(row).enumerate() {
                if room < LEAST_CARD_VALUE {
                    lines.extend(wrap(&format!("{heading}: {cell}"), width));
                    continue;
                }
                for (part, text) in wrap(cell, room).into_iter().enumerate() {
                    let name = if part == 0 { heading.as_str() } else { "" };
                    let value = colour::state(&text, has_colour && self.is_state(row, column));
                    let line = format!("{}{}{value}", pad(name, names), " ".repeat(GAP));
                    lines.push(line.trim_end().to_owned());
                }
            }
        }
        lines.join("\n")
    }
}

impl std::fmt::Display for TextTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let terminal = stdout_terminal();
        f.write_str(&self.render(terminal.width, terminal.has_colour))
    }
}

/// A dash stands for a missing value.
pub fn or_dash(value: Option<impl Into<String>>) -> String {
    value.map_or_else(|| "–".to_owned(), Into::into)
}

/// A price and its currency, which is never left out.
pub fn price(amount: Option<Decimal>, currency: Option<&str>) -> Option<String> {
    amount.map(|amount| format!("{amount} {}", currency.unwrap_or("(currency unknown)")))
}

/// `1 job`, `2 jobs`.
pub fn counted<N: Copy + PartialEq + From<u8> + std::fmt::Display>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests;
