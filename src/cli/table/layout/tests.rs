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
