//! Finds the columns of a table that fit a width, and their widths.

/// The space between two columns.
pub const GAP: usize = 2;
/// Columns that are wider than this are broken where there is no room for them.
const LONGEST_WORD: usize = 40;
/// A column is not made narrower than this.
const LEAST: usize = 16;

/// A column as the layout sees it.
#[derive(Debug, Clone, Copy)]
pub struct ColumnWidth {
    /// The width of its widest cell.
    pub natural: usize,
    /// Its cells may be broken.
    pub is_text: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum TableLayout {
    /// The numbers of the columns that are shown, and their widths.
    Columns(Vec<(usize, usize)>),
    /// No table fits: one block of lines for each row.
    Cards,
}

/// Leaves out as many columns of `optional` as needed, the first of them first.
pub fn layout(columns: &[ColumnWidth], optional: &[usize], width: Option<usize>) -> TableLayout {
    let Some(width) = width else {
        return TableLayout::Columns(columns.iter().map(|column| column.natural).enumerate().collect());
    };
    for left_out in 0..=optional.len() {
        let shown = (0..columns.len()).filter(|column| !optional[..left_out].contains(column));
        let mut shown: Vec<(usize, usize)> = shown.map(|column| (column, least(columns[column]))).collect();
        let gaps = GAP * shown.len().saturating_sub(1);
        let least: usize = shown.iter().map(|(_, width)| width).sum();
        if let Some(room) = width.checked_sub(least + gaps) {
            widen(&mut shown, columns, room);
            return TableLayout::Columns(shown);
        }
    }
    TableLayout::Cards
}

fn least(column: ColumnWidth) -> usize {
    match column.is_text || column.natural > LONGEST_WORD {
        true => column.natural.min(LEAST),
        false => column.natural,
    }
}

/// Gives the room to the columns that are narrower than their cells, the narrowest first.
fn widen(shown: &mut [(usize, usize)], columns: &[ColumnWidth], room: usize) {
    for _ in 0..room {
        let narrow = shown
            .iter_mut()
            .filter(|(column, width)| *width < columns[*column].natural);
        match narrow.min_by_key(|(_, width)| *width) {
            Some((_, width)) => *width += 1,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests;
