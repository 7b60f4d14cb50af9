use super::*;

#[test]
fn text_from_outside_neither_controls_the_terminal_nor_turns_its_text_around() {
    assert_eq!(
        visible("a\u{1B}[2J\u{202E}b\u{2028}c"),
        "a\\u{1b}[2J\\u{202e}b\\u{2028}c"
    );
    assert_eq!(visible_lines("a\nb\u{2066}"), "a\nb\\u{2066}");
}

#[test]
fn a_table_has_columns_under_headings() {
    let mut table = TextTable::new(["trip", "quotes", "primary"]).numbers(&[1]);
    table.row(["A1B2C3", "12", "aquote-1"]);
    table.row(["atrip-64956150".to_owned(), "3".to_owned(), or_dash(None::<String>)]);
    assert_eq!(
        table.to_string(),
        "trip            quotes  primary\n\
         ----------------------------------\n\
         A1B2C3              12  aquote-1\n\
         atrip-64956150       3  –"
    );
}

#[test]
fn control_characters_in_a_cell_are_escaped() {
    let mut table = TextTable::new(["content"]);
    table.row(["\u{1b}[2Jgone\n"]);
    let shown = table.to_string();
    assert!(shown.ends_with("\\u{1b}[2Jgone\\n"), "{shown}");
}
