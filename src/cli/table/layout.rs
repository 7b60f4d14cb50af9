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
mod tests {
    use super::*;

    fn column(natural: usize, is_text: bool) -> ColumnWidth {
        ColumnWidth { natural, is_text }
    }

    #[test]
    fn columns_shrink_then_are_left_out_then_become_cards() {
        let columns = [column(36, false), column(20, false), column(60, true)];
        let widths = |width| layout(&columns, &[1], width);
        assert_eq!(widths(None), TableLayout::Columns(vec![(0, 36), (1, 20), (2, 60)]));
        assert_eq!(widths(Some(200)), TableLayout::Columns(vec![(0, 36), (1, 20), (2, 60)]));
        assert_eq!(widths(Some(100)), TableLayout::Columns(vec![(0, 36), (1, 20), (2, 40)]));
        assert_eq!(widths(Some(70)), TableLayout::Columns(vec![(0, 36), (2, 32)]));
        assert_eq!(widths(Some(53)), TableLayout::Cards);
    }

    #[test]
    fn a_word_that_is_too_long_is_broken_although_it_is_no_text() {
        let columns = [column(5, false), column(5000, false)];
        assert_eq!(
            layout(&columns, &[], Some(80)),
            TableLayout::Columns(vec![(0, 5), (1, 73)])
        );
    }
}
